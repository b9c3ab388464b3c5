"""What a panel's process and the agent say over its pipes: one JSON object a line.

Down, once: Line. Up: Reader, Card and Tamper as they happen, Alive every second, Ended as the last word.
"""

import msgspec

from device_drivers.osdp_reader.pairing import Standing

LINE_MAX_BYTES = 65_536


class ReaderPlan(msgspec.Struct, frozen=True):
    """One reader of the line; `key` is its SCBK. It travels by pipe and stands in no list of processes."""

    device: str
    address: int
    key: bytes


class Line(msgspec.Struct, frozen=True):
    """What the panel is to serve."""

    port: str
    baud: int
    readers: tuple[ReaderPlan, ...]


class _Message(msgspec.Struct, frozen=True, tag=True):
    pass


class Alive(_Message, frozen=True):
    """The panel's loop turns."""


class Reader(_Message, frozen=True):
    """A reader's standing has changed."""

    device: str
    standing: Standing


class Card(_Message, frozen=True):
    """A card was held to a paired reader; `card` is hex, its last byte filled up with zeros."""

    device: str
    bits: int
    card: str


class Tamper(_Message, frozen=True):
    """What a paired reader says of its own housing."""

    device: str
    is_tripped: bool


class Ended(_Message, frozen=True):
    """Why the process ends by itself."""

    reason: str


Up = Alive | Reader | Card | Tamper | Ended

_encoder = msgspec.json.Encoder()
_up = msgspec.json.Decoder(Up)
_line = msgspec.json.Decoder(Line)


def encode(message: Up | Line) -> bytes:
    return _encoder.encode(message) + b"\n"


def decode_up(line: bytes) -> Up:
    """Raises msgspec.DecodeError, and ValueError for what is no UTF-8."""
    message: Up = _up.decode(line)
    return message


def decode_line(line: bytes) -> Line:
    return _line.decode(line)
