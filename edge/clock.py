"""The only door to time. What this machine knows of it, and the stamp that every row carries.

`mono_ns` is never set but dies with the boot; it runs on while the machine sleeps, so that nothing lasts
longer for it. `wall_ms` may lie and may be set. Deadlines use the first, evidence carries both and the boot's
id, so that a changed wall clock can be seen and undone.
"""

import ctypes
import struct
import time
import uuid
from pathlib import Path
from typing import Protocol

import msgspec

from contract.points import Clock as ClockState

STEP_MS = 2_000
"""Wall time that ran this far from monotonic time was set, not drifted."""

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_TIME_ERROR = 5  # adjtimex(2): the kernel's clock is not synchronised
_TIMEX_BYTES = 512  # more than any struct timex
_TIMEX_HEAD = struct.Struct("@Illlli")  # modes, offset, freq, maxerror in µs, esterror, status


class Stamp(msgspec.Struct, frozen=True):
    """When something was known: wall time in ms, monotonic ns within `boot`, and how good the wall is."""

    at: int
    mono: int
    boot: str
    clock: ClockState


class Clock(Protocol):
    @property
    def boot(self) -> str: ...

    @property
    def state(self) -> ClockState: ...

    def wall_ms(self) -> int: ...

    def mono_ns(self) -> int: ...

    def stamp(self) -> Stamp: ...

    def check(self) -> int: ...


class SystemClock:
    """The machine's own clocks. `check` has to be called now and then; the beat does."""

    def __init__(self) -> None:
        self.boot = _boot_id()
        self.state = ClockState.SYNCED if _is_synchronised() else ClockState.FREE
        self._steps = StepDetector(self.wall_ms(), self.mono_ns())

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ns(self) -> int:
        return time.clock_gettime_ns(_SINCE_BOOT)

    def stamp(self) -> Stamp:
        return Stamp(self.wall_ms(), self.mono_ns(), self.boot, self.state)

    def check(self) -> int:
        """How far the wall clock was set since the last check, ms; 0 if it was not."""
        step_ms = self._steps.check(self.wall_ms(), self.mono_ns())
        if _is_synchronised():
            self.state = ClockState.SYNCED
        elif step_ms or self.state is ClockState.STEPPED:
            self.state = ClockState.STEPPED
        else:
            self.state = ClockState.FREE
        return step_ms


class StepDetector:
    """Compares how far the two clocks ran. Pure: both readings are passed in."""

    def __init__(self, wall_ms: int, mono_ns: int) -> None:
        self._offset_ms = wall_ms - mono_ns // 1_000_000

    def check(self, wall_ms: int, mono_ns: int) -> int:
        """The step since the last call, ms; drift below STEP_MS is followed and gives 0."""
        offset_ms = wall_ms - mono_ns // 1_000_000
        step_ms = offset_ms - self._offset_ms
        self._offset_ms = offset_ms
        return step_ms if abs(step_ms) > STEP_MS else 0


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(uuid.uuid4())


def wall_error_ms() -> int | None:
    """The kernel's own bound of how wrong its wall clock may be; None where it cannot be asked."""
    _, timex = _adjtimex()
    return _TIMEX_HEAD.unpack_from(timex)[3] // 1_000 if timex else None


def _is_synchronised() -> bool:
    """What the kernel says of its own clock; no where it cannot be asked."""
    state, _ = _adjtimex()
    return state not in {-1, _TIME_ERROR}


def _adjtimex() -> tuple[int, bytes]:
    """The clock's state and the kernel's struct timex; -1 and nothing where it cannot be asked."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = int(ctypes.CDLL(None).adjtimex(buffer))
    except (AttributeError, OSError):
        return -1, b""
    return state, b"" if state == -1 else buffer.raw
