"""Who has been heard from, on the centre's monotonic clock: silence is an alarm (失联)."""

from collections.abc import Iterable

from contract.limits import SILENCE_AFTER_S

_PAST_S = 0.01
"""Silence is judged just after its end, never at it."""
_BEHIND_S = 0.1
"""While messages wait to be judged there is no hurry to look."""


class Supervision:
    """Pure: told of every beat and birth, asked each second who is silent. Whatever the broker says."""

    def __init__(self) -> None:
        self._heard_mono: dict[str, float] = {}
        self._unheard_mono: float | None = None

    def expect(self, edges: Iterable[str], mono_s: float) -> None:
        """At start: these were online when the centre stopped, their time runs from now."""
        for edge in edges:
            self._heard_mono.setdefault(edge, mono_s)

    def heard(self, edge: str, mono_s: float) -> bool:
        """A sign of life, at the instant it arrived. True where none was expected of this edge."""
        is_new = edge not in self._heard_mono
        self._heard_mono[edge] = max(mono_s, self._heard_mono.get(edge, mono_s))
        return is_new

    def wait_s(self, mono_s: float, most_s: float) -> float:
        """How long until the next edge may have been silent too long, `most_s` at most."""
        due = min(self._heard_mono.values(), default=mono_s) + SILENCE_AFTER_S - mono_s
        least_s = _PAST_S if self._unheard_mono is None else _BEHIND_S
        return min(most_s, max(due + _PAST_S, least_s))

    def unheard(self, mono_s: float | None) -> None:
        """The oldest message that waits to be judged came at this instant; None: none waits. What a slow
        store keeps waiting may be the sign of life, so silence is judged up to there.
        """
        self._unheard_mono = mono_s

    def deaf(self, mono_s: float) -> None:
        """Until now we could take in nothing that came: nobody was silent, as far as we can know."""
        for edge in self._heard_mono:
            self._heard_mono[edge] = max(mono_s, self._heard_mono[edge])

    def left(self, edge: str) -> None:
        """It is known that the edge is gone: no silence to wait for."""
        self._heard_mono.pop(edge, None)

    def silent(self, mono_s: float) -> list[str]:
        """Edges that have been silent too long, until they are heard again or known to have left."""
        until_s = mono_s if self._unheard_mono is None else min(mono_s, self._unheard_mono)
        return [edge for edge, heard in self._heard_mono.items() if until_s - heard > SILENCE_AFTER_S]
