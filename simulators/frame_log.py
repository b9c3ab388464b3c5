"""The last frames that went to and from devices, numbered, for people to look at."""

import time
from collections import deque

import msgspec

FRAMES_KEPT = 200


class WireFrame(msgspec.Struct, frozen=True):
    """One frame as it went over the cable. `hex`: empty where only its words are kept. `faults`: the kinds
    that struck it.
    """

    n: int
    at_ms: int
    from_host: bool
    unit: int
    hex: str
    text: str
    faults: list[str] = []


class FrameLog:
    def __init__(self) -> None:
        self._frames: deque[WireFrame] = deque(maxlen=FRAMES_KEPT)
        self._last_n = 0

    def keep(
        self, text: str, unit: int, *, from_host: bool, data: bytes = b"", faults: list[str] | None = None
    ) -> None:
        self._last_n += 1
        at_ms = time.time_ns() // 1_000_000
        self._frames.append(
            WireFrame(self._last_n, at_ms, from_host, unit, data.hex(" "), text, faults or [])
        )

    def after(self, n: int) -> list[WireFrame]:
        """Those numbered above `n`, oldest first, as far as they are kept."""
        return [frame for frame in self._frames if frame.n > n]
