"""Does an edge's log keep up with what its beats say? Pure, on the centre's monotonic clock.

A beat tells the head of the chain. Where the stored log stays behind it and does not move, rows are kept
back; where it moves so slowly that what it owed is not there minutes later, they are kept back too; where
the head stays below what is stored, the edge has another past than it had. A station that was lost is judged
anew when it is back.
"""

from enum import StrEnum

from msgspec import Struct

from contract.limits import LOG_STANDS_AFTER_S, SILENCE_AFTER_S

BELOW_AFTER_S = 10.0
"""A beat that was long on its way may tell of an earlier head; two, with this between them, do not."""
SLOW_AFTER_S = 300.0
SLOW_ROWS = 300
"""Of the rows that a log owes, so many have come after that time, or all: one a second. The slowest line that
we know brings some five."""


class Standing(StrEnum):
    SOUND = "sound"
    """The log is where the head is."""
    MOVING = "moving"
    WITHHELD = "withheld"
    BELOW = "below"


class _Behind(Struct):
    """`stored` since `mono_s`; last told of at `told_mono`. By `slow_mono` the log is to be at `due`;
    `is_slow`: last time it was not.
    """

    stored: int
    mono_s: float
    told_mono: float
    due: int
    slow_mono: float
    is_slow: bool = False


class LogWatch:
    """Told at each beat how far both are."""

    def __init__(self) -> None:
        self._behind: dict[str, _Behind] = {}
        self._below_mono: dict[str, float] = {}

    def judge(self, edge: str, *, head: int, stored: int, mono_s: float) -> Standing:
        """How the log of an edge stands against its head."""
        if head >= stored:
            self._below_mono.pop(edge, None)
        if head <= stored:
            self._behind.pop(edge, None)
        if head == stored:
            return Standing.SOUND
        if head < stored:
            is_old = mono_s - self._below_mono.setdefault(edge, mono_s) >= BELOW_AFTER_S
            return Standing.BELOW if is_old else Standing.MOVING
        behind = self._behind.get(edge)
        if behind is None or mono_s - behind.told_mono > SILENCE_AFTER_S:
            behind = self._behind[edge] = _Behind(stored, mono_s, mono_s, 0, 0.0)
            _set_due(behind, head, mono_s)
        behind.told_mono = mono_s
        if behind.stored != stored:
            behind.stored, behind.mono_s = stored, mono_s
        if mono_s >= behind.slow_mono:
            behind.is_slow = stored < behind.due
            _set_due(behind, head, mono_s)
        stands = mono_s - behind.mono_s >= LOG_STANDS_AFTER_S
        return Standing.WITHHELD if stands or behind.is_slow else Standing.MOVING


def _set_due(behind: _Behind, head: int, mono_s: float) -> None:
    behind.due, behind.slow_mono = min(head, behind.stored + SLOW_ROWS), mono_s + SLOW_AFTER_S
