"""Modbus frames, pure: RTU and MBAP around the read functions 1 to 4 and the writes 5, 6 and 15, with our own
checks of every reply.

Requests and the CRC are pymodbus's. Replies are not parsed by it: it takes a short reply for a good one and
looks at nothing but the unit, so unit, function, exception, byte count and length are checked here.
Sources: Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02, Modbus Messaging on TCP/IP V1.0b.
"""

import struct

from pymodbus.framer import FramerRTU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteSingleRegisterRequest,
)

from device_drivers.errors import BadFrame, DeviceBusy, DeviceRefused, WrongReply

READ_FUNCTIONS = (1, 2, 3, 4)
WORD_FUNCTIONS = (3, 4)
"""Functions that read words; 1 and 2 read bits."""
READ_MAX_WORDS = 125
READ_MAX_BITS = 2_000
READ_REQUEST_BYTES = 5
"""A read's request, and the reply to any write, without its envelope."""
RTU_OVERHEAD_BYTES = 3
"""Unit before, CRC after the PDU."""
MBAP_HEADER_BYTES = 7

_REQUESTS = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_WRITES = (5, 6, 15)
_EXCEPTION_FLAG = 0x80
_PDU_MAX_BYTES = 253
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
_LASTING_EXCEPTIONS = (1, 2, 3)
"""The module does not have what the profile says: no later attempt will do better."""
_MBAP = struct.Struct(">HHHB")


def read_request(function: int, address: int, count: int) -> bytes:
    """PDU that reads `count` bits (functions 1, 2) or words (3, 4). Raises ValueError out of bounds."""
    request = _REQUESTS[function](address=address, count=count)
    return bytes([function]) + request.encode()


def write_request(function: int, address: int, value: int) -> bytes:
    """PDU that writes one coil (functions 5, 15) or one word (6)."""
    if function == 6:
        return b"\x06" + WriteSingleRegisterRequest(address=address, registers=[value]).encode()
    if function == 5:
        return b"\x05" + WriteSingleCoilRequest(address=address, bits=[bool(value)]).encode()
    return b"\x0f" + WriteMultipleCoilsRequest(address=address, bits=[bool(value)]).encode()


def data_bytes(function: int, count: int) -> int:
    """Byte count of a good reply."""
    return 2 * count if function in WORD_FUNCTIONS else (count + 7) // 8


def reply_data(pdu: bytes, function: int, byte_count: int) -> bytes:
    """Data of a reply PDU to a read. Raises DeviceBusy, DeviceRefused, WrongReply, BadFrame."""
    _check_function(pdu, function)
    if len(pdu) < 2 or pdu[1] != len(pdu) - 2:
        raise BadFrame("byte count and length of the reply differ")
    if pdu[1] != byte_count:
        raise WrongReply(f"{pdu[1]} data bytes where {byte_count} were asked for")
    return pdu[2:]


def check_write_reply(pdu: bytes, request: bytes) -> None:
    """The reply to a write repeats its request, that of function 15 without the values.

    Raises DeviceBusy, DeviceRefused, WrongReply, BadFrame.
    """
    _check_function(pdu, request[0])
    if len(pdu) != READ_REQUEST_BYTES:
        raise BadFrame(f"reply of {len(pdu)} bytes to a write")
    if pdu != request[:READ_REQUEST_BYTES]:
        raise WrongReply(f"{pdu.hex(' ')} in the reply to {request.hex(' ')}")


def _check_function(pdu: bytes, function: int) -> None:
    """Raises DeviceBusy or DeviceRefused for an exception, WrongReply for another function."""
    if pdu[0] == function | _EXCEPTION_FLAG:
        if len(pdu) != 2:
            raise BadFrame(f"exception reply of {len(pdu)} bytes")
        text = f"exception {pdu[1]}: {_EXCEPTIONS.get(pdu[1], 'unknown')}"
        raise DeviceRefused(text) if pdu[1] in _LASTING_EXCEPTIONS else DeviceBusy(text)
    if pdu[0] != function:
        raise WrongReply(f"function {pdu[0]} in the reply to function {function}")


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """Unit, PDU, CRC."""
    head = bytes([unit]) + pdu
    return head + FramerRTU.compute_CRC(head).to_bytes(2)


def rtu_reply_length(received: bytes) -> int | None:
    """Whole length of the reply that begins here, None while unknown. Raises BadFrame where none does."""
    if len(received) < 2:
        return None
    function = received[1]
    if function & ~_EXCEPTION_FLAG not in (*_REQUESTS, *_WRITES):
        raise BadFrame(f"no reply begins with {received[:2].hex(' ')}")
    if function & _EXCEPTION_FLAG:
        return RTU_OVERHEAD_BYTES + 2
    if function in _WRITES:
        return RTU_OVERHEAD_BYTES + READ_REQUEST_BYTES
    if len(received) < 3:
        return None
    return RTU_OVERHEAD_BYTES + 2 + received[2]


def rtu_content(frame: bytes) -> tuple[int, bytes]:
    """(unit, PDU) of a whole frame. Raises BadFrame."""
    if len(frame) < RTU_OVERHEAD_BYTES + 1:
        raise BadFrame(f"a frame of {len(frame)} bytes")
    if FramerRTU.compute_CRC(frame[:-2]).to_bytes(2) != frame[-2:]:
        raise BadFrame(f"CRC does not fit: {frame[:16].hex(' ')}")
    return frame[0], frame[1:-2]


def mbap_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """MBAP header and PDU."""
    return _MBAP.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def mbap_reply_length(received: bytes) -> int | None:
    """As `rtu_reply_length`, for Modbus TCP."""
    if len(received) < MBAP_HEADER_BYTES:
        return None
    _, protocol, length, _ = _MBAP.unpack_from(received)
    if protocol != 0 or not 2 <= length <= _PDU_MAX_BYTES + 1:
        raise BadFrame(f"not a Modbus TCP header: {received[:MBAP_HEADER_BYTES].hex(' ')}")
    return MBAP_HEADER_BYTES - 1 + int(length)


def mbap_content(frame: bytes) -> tuple[int, int, bytes]:
    """(transaction, unit, PDU) of a whole frame. Raises BadFrame."""
    if mbap_reply_length(frame) != len(frame):
        raise BadFrame(f"Modbus TCP header and length differ: {frame[:16].hex(' ')}")
    transaction, _, _, unit = _MBAP.unpack_from(frame)
    return transaction, unit, frame[MBAP_HEADER_BYTES:]
