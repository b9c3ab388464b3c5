"""Modbus frames of either side in a technician's words. A read of bits from 0x0300 on passes for a reply."""

from pymodbus.framer import FramerRTU

_READS = {1: "coils", 2: "discrete inputs", 3: "holding registers", 4: "input registers"}
_WRITES_MANY = {15: "coils", 16: "registers"}
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    6: "device busy",
    11: "no such unit behind the gateway",
}


def describe_rtu(frame: bytes) -> str:
    """One line for any bytes."""
    if len(frame) < 4:
        return f"no Modbus frame: {frame.hex(' ')}"
    if not FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:])):
        return f"CRC does not fit: {frame.hex(' ')}"
    return f"unit {frame[0]}: {_pdu(frame[1:-2])}"


def describe_mbap(frame: bytes) -> str:
    """One line for any bytes."""
    if len(frame) < 8 or frame[2:4] != b"\0\0" or int.from_bytes(frame[4:6]) != len(frame) - 6:
        return f"no Modbus TCP frame: {frame.hex(' ')}"
    return f"#{int.from_bytes(frame[:2])} unit {frame[6]}: {_pdu(frame[7:])}"


def _pdu(pdu: bytes) -> str:
    function = pdu[0]
    if function & 0x80 and len(pdu) == 2:
        why = _EXCEPTIONS.get(pdu[1], "not in the specification")
        return f"function {function & 0x7F} refused, exception {pdu[1]}: {why}"
    if function in _READS and len(pdu) > 2 and pdu[1] == len(pdu) - 2:
        return f"{_READS[function]}: {_data(function, pdu[2:])}"
    if len(pdu) >= 5:
        address, value = int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        return _addressed(function, address, value, pdu[6:])
    return f"function {function}: {pdu[1:].hex(' ')}"


def _addressed(function: int, address: int, value: int, written: bytes) -> str:
    place = f"0x{address:04x}"
    if function in _READS:
        return f"read {value} {_READS[function]} from {place}"
    if function in _WRITES_MANY:
        return f"write {value} {_WRITES_MANY[function]} from {place} {written.hex(' ')}".rstrip()
    if function == 5:
        return f"coil {place} {'on' if value else 'off'}"
    return f"register {place} = {value}" if function == 6 else f"function {function} at {place}: {value}"


def _data(function: int, data: bytes) -> str:
    if function in {1, 2}:
        bits = int.from_bytes(data, "little")
        on = [str(n) for n in range(8 * len(data)) if bits >> n & 1]
        return f"on {', '.join(on)}" if on else "all off"
    return data.hex(" ", 2)
