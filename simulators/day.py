"""What happens by itself: the scenario's acts and its activity, with a technician's hand above both. Pure."""

from collections import deque

from simulators.activity import Activity, Planned
from simulators.moves import planned
from simulators.plant import rest_value
from simulators.scenario import Scenario

HAND_USE_S = 60.0
"""How long a room counts as in use after its door was opened by hand."""


class Day:
    """The changes of one run, by scenario seconds from its start."""

    def __init__(self, scenario: Scenario) -> None:
        self._activity = Activity(scenario, scenario.activity) if scenario.activity else None
        acts = [Planned(act.at_s, act.point, act.value) for act in scenario.act]
        for move in scenario.move:
            acts += planned(move, scenario.seed)
        self._acts = deque(sorted(acts))
        self._held: set[str] = set()
        self._used_until_s: dict[str, float] = {}

    @property
    def next_s(self) -> float:
        """The second before which nothing is due; infinite when nothing will come."""
        times = [act.at_s for act in list(self._acts)[:1]]
        if self._activity:
            times.append(self._activity.next_s)
        return min(times, default=float("inf"))

    def due(self, now_s: float) -> list[Planned]:
        """Changes up to `now_s` not given yet, in order of time. Points held by hand are left alone."""
        changes = self._activity.due(now_s) if self._activity else []
        while self._acts and self._acts[0].at_s <= now_s:
            changes.append(self._acts.popleft())
        return sorted(change for change in changes if change.point not in self._held)

    def touched(self, point: str, value: str, now_s: float) -> None:
        """A hand set the point. It is held until a hand puts it back to rest."""
        if value == rest_value(point):
            self._held.discard(point)
            return
        self._held.add(point)
        if point.endswith(".door"):
            self._used_until_s[point.removesuffix(".door")] = now_s + HAND_USE_S

    def is_in_use(self, room: str, now_s: float) -> bool:
        is_busy = self._activity is not None and self._activity.is_in_use(room)
        return is_busy or now_s < self._used_until_s.get(room, 0.0)
