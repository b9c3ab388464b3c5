"""Does an edge's log keep up with what its beats say? Pure, on the centre's monotonic clock.

A beat tells the head of the chain. Where the stored log stays behind it and does not move, rows are kept
back; where the head stays below what is stored, the edge has another past than it had.
"""

from enum import StrEnum

from msgspec import Struct

from contract.limits import LOG_STANDS_AFTER_S

BELOW_AFTER_S = 10.0
"""A beat that was long on its way may tell of an earlier head; two, with this between them, do not."""


class Standing(StrEnum):
    SOUND = "sound"
    """The log is where the head is."""
    MOVING = "moving"
    WITHHELD = "withheld"
    BELOW = "below"


class _Since(Struct):
    stored: int
    mono_s: float
    is_below: bool


class LogWatch:
    """Told at each beat how far both are."""

    def __init__(self) -> None:
        self._since: dict[str, _Since] = {}

    def judge(self, edge: str, *, head: int, stored: int, mono_s: float) -> Standing:
        """How the log of an edge stands against its head."""
        if head == stored:
            self._since.pop(edge, None)
            return Standing.SOUND
        is_below = head < stored
        since = self._since.get(edge)
        if since is None or since.is_below != is_below or (not is_below and since.stored != stored):
            self._since[edge] = _Since(stored, mono_s, is_below)
            return Standing.MOVING
        stood_s = mono_s - since.mono_s
        if is_below:
            return Standing.BELOW if stood_s >= BELOW_AFTER_S else Standing.MOVING
        return Standing.WITHHELD if stood_s >= LOG_STANDS_AFTER_S else Standing.MOVING
