"""The devices at the far end of one cable, as their firmware sees the bytes that come."""

from typing import Protocol

import msgspec


class Reply(msgspec.Struct, frozen=True):
    """What a unit puts on the wire for a request; an empty `frame`: it keeps silent."""

    unit: int
    request: bytes
    frame: bytes


class Responder(Protocol):
    """All units of one cable that speak one protocol. No I/O and no clock; `now_s` is monotonic."""

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        """The replies to the whole requests in what was received, and the bytes that are done with.

        Noise before a request counts as done with; a beginning of a request does not.
        """

    def describe(self, frame: bytes) -> str:
        """A frame of either side in a technician's words, English, one line; never raises."""

    def acts(self) -> dict[int, tuple[str, ...]]:
        """Per unit what a hand at the device can do beside its points, such as `restart` or `jam lock:3`."""

    def act(self, unit: int, act: str) -> None:
        """Do one of these. Raises UnknownAct."""
