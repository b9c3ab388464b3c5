"""The last frames that went to and from devices, numbered, for people to look at."""

import time
from collections import deque
from collections.abc import Callable

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


class _Kept(msgspec.Struct, frozen=True):
    n: int
    at_ms: int
    from_host: bool
    unit: int
    data: bytes
    text: str
    faults: list[str]


class FrameLog:
    """`describe` puts a frame in words, when somebody looks."""

    def __init__(self, describe: Callable[[bytes], str]) -> None:
        self._describe = describe
        self._frames: deque[_Kept] = deque(maxlen=FRAMES_KEPT)
        self._last_n = 0

    def keep(
        self, data: bytes, unit: int, *, from_host: bool, text: str = "", faults: list[str] | None = None
    ) -> None:
        """A frame, or only the words for one."""
        self._last_n += 1
        at_ms = time.time_ns() // 1_000_000
        self._frames.append(_Kept(self._last_n, at_ms, from_host, unit, data, text, faults or []))

    def after(self, n: int) -> list[WireFrame]:
        """Those numbered above `n`, oldest first, as far as they are kept."""
        return [self._shown(kept) for kept in self._frames if kept.n > n]

    def _shown(self, kept: _Kept) -> WireFrame:
        text = kept.text or (self._describe(kept.data) if kept.data else "nothing")
        place = (kept.n, kept.at_ms, kept.from_host, kept.unit)
        return WireFrame(*place, kept.data.hex(" "), text, kept.faults)
