"""PDUs of short messages as a modem takes and gives them (3GPP TS 23.040), pure, for both ends of the cable.

    00 | 31 00 0D91… 00 08 AD | UDL UD          SUBMIT: a message to the network, delivery report requested
    00 | 06 MR 0D91… SCTS DT ST                 STATUS-REPORT: what became of it

In front stands the service centre's number, here always 00: the one on the SIM. The length in AT commands
counts what follows it. A part of a longer message begins with 05 00 03 ref total number, or, from other
senders, with 06 08 04 and a reference of two bytes.
"""

import re
from enum import StrEnum

import msgspec

from device_drivers.errors import BadFrame
from device_drivers.sms_modem import alphabet

NUMBER = re.compile(r"^\+?[0-9]{3,20}\Z")
_SUBMIT = 0x01
_STATUS_REPORT = 0x02
_TYPE_MASK = 0x03
_HAS_VALIDITY = 0x10
_ASKS_REPORT = 0x20
_HAS_HEADER = 0x40
_INTERNATIONAL, _UNKNOWN_NUMBER = 0x91, 0x81
_GSM7, _UCS2 = 0x00, 0x08
_VALID_A_DAY = 0xA7
_PART_8, _PART_16 = 0x00, 0x08
_TIME_BYTES = 7
_DATA_MAX_BYTES = 140


class DeliveryState(StrEnum):
    """What a status report says of one part."""

    DELIVERED = "delivered"
    PENDING = "pending"
    FAILED = "failed"


class Part(msgspec.Struct, frozen=True):
    """Which part of a longer message this is; `number` from 1."""

    reference: int
    total: int
    number: int


class Submit(msgspec.Struct, frozen=True):
    """A message on its way out."""

    to: str
    text: str
    part: Part | None = None
    asks_report: bool = True


class StatusReport(msgspec.Struct, frozen=True):
    """The network's word on the message that it took under `reference`. `status`: TS 23.040, 9.2.3.15."""

    to: str
    reference: int
    status: int

    @property
    def state(self) -> DeliveryState:
        """Delivered is said of a message that is with the recipient, and of no other."""
        if self.status == 0:
            return DeliveryState.DELIVERED
        is_pending = self.status == 1 or 0x20 <= self.status < 0x40
        return DeliveryState.PENDING if is_pending else DeliveryState.FAILED


def submits(to: str, text: str, reference: int) -> list[Submit]:
    """A message in its parts; `reference` ties them together at the recipient's."""
    parts = alphabet.split(text)
    if len(parts) == 1:
        return [Submit(to, text)]
    return [Submit(to, part, Part(reference & 0xFF, len(parts), n)) for n, part in enumerate(parts, start=1)]


def encode_submit(submit: Submit) -> bytes:
    """The PDU with the service centre's 00 in front."""
    header = b""
    if submit.part:
        header = bytes([5, _PART_8, 3, submit.part.reference, submit.part.total, submit.part.number])
    first = _SUBMIT | _HAS_VALIDITY | _ASKS_REPORT * submit.asks_report | _HAS_HEADER * bool(header)
    if alphabet.is_gsm7(submit.text):
        coding, codes = _GSM7, alphabet.septets(submit.text)
        taken = (len(header) * 8 + 6) // 7
        data = header + alphabet.pack(codes, taken * 7 - len(header) * 8)
        length = taken + len(codes)
    else:
        coding, data = _UCS2, header + submit.text.encode("utf-16-be")
        length = len(data)
    assert len(data) <= _DATA_MAX_BYTES, "a text is split before it is encoded"
    head = bytes([0, first, 0]) + _encode_number(submit.to)
    return head + bytes([0, coding, _VALID_A_DAY, length]) + data


def decode_submit(pdu: bytes) -> Submit:
    """A network's view of a message. Raises BadFrame."""
    body = _Bytes(_after_centre(pdu))
    first = body.take(1)[0]
    if first & _TYPE_MASK != _SUBMIT:
        raise BadFrame(f"no SUBMIT: {pdu.hex()}")
    body.take(1)
    to = _decode_number(body)
    _, coding = body.take(2)
    body.take({0x00: 0, _HAS_VALIDITY: 1}.get(first & 0x18, _TIME_BYTES))
    length = body.take(1)[0]
    data = body.rest()
    header = data[: data[0] + 1] if first & _HAS_HEADER and data else b""
    if coding == _GSM7:
        taken = (len(header) * 8 + 6) // 7
        codes = alphabet.unpack(data[len(header) :], max(0, length - taken), taken * 7 - len(header) * 8)
        text = alphabet.text_of(codes)
    elif coding == _UCS2 and len(data) == length:
        text = data[len(header) :].decode("utf-16-be", errors="replace")
    else:
        raise BadFrame(f"coding {coding:02X}, {length} of {len(data)} bytes: {pdu.hex()}")
    return Submit(to, text, _part(header), bool(first & _ASKS_REPORT))


def encode_status_report(report: StatusReport, centre_time: bytes, done_time: bytes) -> bytes:
    """The PDU of a report; the times are seven semi-octets each, as in a stored message."""
    head = bytes([0, 0x04 | _STATUS_REPORT, report.reference]) + _encode_number(report.to)
    return head + centre_time + done_time + bytes([report.status])


def decode_status_report(pdu: bytes) -> StatusReport:
    """Raises BadFrame for whatever is no status report."""
    body = _Bytes(_after_centre(pdu))
    first, reference = body.take(2)
    if first & _TYPE_MASK != _STATUS_REPORT:
        raise BadFrame(f"no STATUS-REPORT: {pdu.hex()}")
    to = _decode_number(body)
    body.take(2 * _TIME_BYTES)
    return StatusReport(to, reference, body.take(1)[0])


def length_after_centre(pdu: bytes) -> int:
    """What AT commands call the length of a PDU. Raises BadFrame."""
    return len(_after_centre(pdu))


class _Bytes:
    """Takes fields off the front. Raises BadFrame where they end too early."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._content[self._at : self._at + count]
        if len(taken) < count:
            raise BadFrame(f"PDU ends too early: {self._content.hex()}")
        self._at += count
        return taken

    def rest(self) -> bytes:
        return self._content[self._at :]


def _after_centre(pdu: bytes) -> bytes:
    if not pdu or len(pdu) < 1 + pdu[0]:
        raise BadFrame(f"PDU ends in the service centre's number: {pdu.hex()}")
    return pdu[1 + pdu[0] :]


def _encode_number(number: str) -> bytes:
    digits = number.removeprefix("+")
    kind = _INTERNATIONAL if number.startswith("+") else _UNKNOWN_NUMBER
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))
    return bytes([len(digits), kind]) + bytes.fromhex(swapped)


def _decode_number(body: _Bytes) -> str:
    count, kind = body.take(2)
    swapped = body.take((count + 1) // 2).hex()
    digits = "".join(swapped[at + 1] + swapped[at] for at in range(0, len(swapped), 2))[:count]
    if not digits.isdecimal():
        raise BadFrame(f"no number: {swapped}")
    return ("+" if kind == _INTERNATIONAL else "") + digits


def _part(header: bytes) -> Part | None:
    """The part that a user data header speaks of, among whatever else it holds."""
    at = 1
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        content = header[at + 2 : at + 2 + length]
        if (kind, len(content)) == (_PART_8, 3):
            return Part(*content)
        if (kind, len(content)) == (_PART_16, 4):
            return Part(int.from_bytes(content[:2]), *content[2:])
        at += 2 + length
    return None
