"""Whether a bus keeps up with what is asked of it, judged once a minute. Pure."""

from edge.schedule import Tally

WINDOW_NS = 60_000_000_000
BEHIND_AT = 0.01
"""The share of deadlines that a bus may miss towards devices that answer."""


class Pace:
    """Told a schedule's total now and then; says when the bus falls behind, and when it keeps up again."""

    def __init__(self, now: int) -> None:
        self._from = now
        self._met = self._missed = 0
        self._is_behind = False

    def judge(self, total: Tally, now: int) -> bool | None:
        """Whether it is behind, where a minute changed that; else None."""
        if now - self._from < WINDOW_NS:
            return None
        met, missed = total.met - self._met, total.missed - self._missed
        self._from, self._met, self._missed = now, total.met, total.missed
        was, self._is_behind = self._is_behind, missed > BEHIND_AT * (met + missed)
        return self._is_behind if self._is_behind is not was else None
