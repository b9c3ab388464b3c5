"""What every polled driver gives: which reads a device takes, and what the replies mean.

A driver does no I/O and knows no clock: the bus carries its frames, the edge decides when.
"""

from typing import Protocol

import msgspec


class Read(msgspec.Struct, frozen=True):
    """One request and reply on the wire. `name` is unique within its device."""

    name: str
    unit: int
    channels: tuple[str, ...]
    request_bytes: int
    reply_bytes: int
    """Lengths of a good exchange, for the computation of bus use."""


class Observation(msgspec.Struct, frozen=True):
    """What a device said of one channel, such as `di:3`, `lock:5` or `item:5`.

    `active` is the electrical or reported truth (input on, lock open, item seen); what it means for a
    point is the configuration's business. `counter` counts activations, modulo 2 to the `counter_bits`.
    """

    channel: str
    active: bool
    counter: int | None = None
    counter_bits: int = 32


class Driver(Protocol):
    """The pure half of a device. One instance a device; it may hold a transaction number, nothing more."""

    @property
    def kind(self) -> str: ...

    def reads(self) -> tuple[Read, ...]:
        """Every read of one full poll, in order."""

    def encode(self, read: Read) -> bytes:
        """The request frame."""

    def reply_length(self, read: Read, received: bytes) -> int | None:
        """Whole length of the reply that `received` begins, or None while that cannot be told yet.

        Raises BadFrame where no reply begins so.
        """

    def decode(self, read: Read, reply: bytes) -> list[Observation]:
        """Observations of a whole reply. Raises BadFrame, WrongReply, DeviceBusy or DeviceRefused,
        and UnaskedFrame for a frame that is no answer at all, so that the real one may still follow.
        """
