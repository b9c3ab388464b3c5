"""A working day: which door moves when, and which rooms are in use. Pure: seeded, told the time."""

from heapq import heappop, heappush
from random import Random

import msgspec

from simulators.scenario import ActivitySettings, Scenario


class Planned(msgspec.Struct, frozen=True, order=True):
    """At scenario second `at_s` the point takes the value."""

    at_s: float
    point: str
    value: str


class Activity:
    """Doors of the stations' rooms, one opening at a time. The same seed gives the same day."""

    def __init__(self, scenario: Scenario, settings: ActivitySettings) -> None:
        wired = set(scenario.points())
        self._stations = [
            {room.id: room.use for room in station.room if room.use and f"{room.id}.door" in wired}
            for station in scenario.station
        ]
        self._settings = settings
        self._random = Random(scenario.seed)  # noqa: S311 - a repeatable day, nothing secret
        self._next_opening_s = settings.first_s
        self._last_station: dict[str, int] = {}
        self._closings: list[Planned] = []
        self._in_use: set[str] = set()
        self._leaving: set[str] = set()

    @property
    def next_s(self) -> float:
        """The scenario second before which nothing is due."""
        return min([self._next_opening_s, *(closing.at_s for closing in self._closings[:1])])

    def is_in_use(self, room: str) -> bool:
        return room in self._in_use

    def due(self, now_s: float) -> list[Planned]:
        """Every door change up to `now_s` that was not given yet, in order of time."""
        changes = []
        while self.next_s <= now_s:
            closes_first = self._closings and self._closings[0].at_s <= self._next_opening_s
            changes += [self._close()] if closes_first else self._open()
        return changes

    def _close(self) -> Planned:
        closing = heappop(self._closings)
        room = closing.point.removesuffix(".door")
        if room in self._leaving:
            self._leaving.discard(room)
            self._in_use.discard(room)
        return closing

    def _open(self) -> list[Planned]:
        at_s = self._next_opening_s
        self._next_opening_s = at_s + self._random.uniform(*self._settings.gap_s)
        room = self._pick()
        if room is None:
            return []
        if room in self._in_use and self._random.random() < self._settings.leave_chance:
            self._leaving.add(room)
        self._in_use.add(room)
        door = f"{room}.door"
        closes_s = at_s + self._random.uniform(*self._settings.open_s)
        heappush(self._closings, Planned(closes_s, door, "closed"))
        return [Planned(at_s, door, "open")]

    def _pick(self) -> str | None:
        """A room whose door is closed, at another station than the last time if there is one."""
        opened = {closing.point for closing in self._closings}
        is_full = len(self._in_use) >= self._settings.rooms_max
        choices = []
        for station in self._stations:
            free = {
                room: use
                for room, use in station.items()
                if f"{room}.door" not in opened and (room in self._in_use or not is_full)
            }
            if free:
                choices.append(free)
        if not choices:
            return None
        others = [free for free in choices if not free.keys() & self._last_station.keys()]
        free = self._random.choice(others or choices)
        self._last_station = next(s for s in self._stations if free.keys() <= s.keys())
        return self._random.choices(list(free), weights=list(free.values()))[0]
