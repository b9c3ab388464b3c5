"""One question to a Modbus unit, for whoever wants to know what stands there: reads, and nothing else.

Only the functions 1 to 4 (read coils, inputs, registers) and 43/14 (read device identification) can be asked.
The specification gives none of them an effect on the device, and no write can be encoded here.
Source: Modbus Application Protocol V1.1b3, sections 6.1 to 6.4 and 6.21.
"""

import msgspec

from device_drivers.driver import Answer, Read
from device_drivers.errors import BadFrame, UnaskedFrame, WrongReply, WrongUnit
from device_drivers.modbus import frame
from device_drivers.modbus.envelope import Framing

IDENTIFY_FUNCTION = 0x2B
_IDENTIFY_TYPE = 0x0E
_IDENTIFY_BASIC = 0x01
_EXCEPTION_FLAG = 0x80
_PDU_MAX_BYTES = 253
_OBJECTS_AT = 6
"""Function, type, code, conformity, more follows, next object; then their count."""


class Identity(msgspec.Struct, frozen=True):
    """What a unit says of itself: text as it came, what is not printable left out."""

    vendor: str = ""
    product: str = ""
    revision: str = ""


class Question:
    """One read of one unit. Afterwards `reply` is the PDU that came, an exception as well as data."""

    kind = "modbus_question"

    def __init__(self, unit: int, pdu: bytes, framing: Framing, transaction: int = 1) -> None:
        assert pdu[0] in (*frame.READ_FUNCTIONS, IDENTIFY_FUNCTION), "a question changes nothing"
        self.reply: bytes | None = None
        self._unit = unit
        self._pdu = pdu
        self._is_mbap = framing == "mbap"
        self._transaction = transaction & 0xFFFF
        overhead = frame.MBAP_HEADER_BYTES if self._is_mbap else frame.RTU_OVERHEAD_BYTES
        self._read = Read(f"function {pdu[0]}", unit, (), overhead + len(pdu), overhead + 3)

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def encode(self, read: Read) -> bytes:  # noqa: ARG002 - there is one read
        if self._is_mbap:
            return frame.mbap_frame(self._transaction, self._unit, self._pdu)
        return frame.rtu_frame(self._unit, self._pdu)

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - there is one read
        if self._is_mbap:
            return frame.mbap_reply_length(received)
        if len(received) < 2 or received[1] != IDENTIFY_FUNCTION:
            return _rtu_length(received)
        pdu_bytes = _identity_bytes(received[1:])
        return None if pdu_bytes is None else frame.RTU_OVERHEAD_BYTES + pdu_bytes

    def decode(self, read: Read, reply: bytes) -> Answer:  # noqa: ARG002 - there is one read
        if self._is_mbap:
            transaction, unit, pdu = frame.mbap_content(reply)
            if (transaction, unit) != (self._transaction, self._unit):
                raise UnaskedFrame(f"transaction {transaction}, unit {unit}")
        else:
            unit, pdu = frame.rtu_content(reply)
            if unit != self._unit:
                raise WrongUnit(unit)
        if pdu[0] & ~_EXCEPTION_FLAG != self._pdu[0]:
            raise WrongReply(f"function {pdu[0]} in the reply to function {self._pdu[0]}")
        self.reply = pdu
        return []


def identify_request() -> bytes:
    """PDU that asks for vendor, product code and revision."""
    return bytes([IDENTIFY_FUNCTION, _IDENTIFY_TYPE, _IDENTIFY_BASIC, 0])


def exception_of(reply: bytes) -> int | None:
    """The exception code of a reply PDU; None for data."""
    return reply[1] if reply[0] & _EXCEPTION_FLAG and len(reply) > 1 else None


def identity_of(reply: bytes) -> Identity | None:
    """What a reply to `identify_request` says; None for an exception, or for nothing that can be read."""
    try:
        if exception_of(reply) is not None or _identity_bytes(reply) != len(reply):
            return None
    except BadFrame:
        return None
    texts = {}
    at = _OBJECTS_AT + 1
    while at < len(reply):
        number, length = reply[at], reply[at + 1]
        text = reply[at + 2 : at + 2 + length].decode("ascii", "ignore")
        texts[number] = "".join(c for c in text if c.isprintable()).strip()
        at += 2 + length
    return Identity(texts.get(0, ""), texts.get(1, ""), texts.get(2, ""))


def _rtu_length(received: bytes) -> int | None:
    if len(received) >= 2 and received[1] == IDENTIFY_FUNCTION | _EXCEPTION_FLAG:
        return frame.RTU_OVERHEAD_BYTES + 2
    return frame.rtu_reply_length(received)


def _identity_bytes(pdu: bytes) -> int | None:
    """Length of an identification's PDU, as far as what came tells it. Raises BadFrame."""
    if len(pdu) > 1 and pdu[1] != _IDENTIFY_TYPE:
        raise BadFrame(f"no identification: {pdu[:2].hex(' ')}")
    if len(pdu) <= _OBJECTS_AT:
        return None
    at = _OBJECTS_AT + 1
    for _ in range(pdu[_OBJECTS_AT]):
        if len(pdu) < at + 2:
            return None
        at += 2 + pdu[at + 1]
        if at > _PDU_MAX_BYTES:
            raise BadFrame(f"an identification of {at} bytes and more")
    return at
