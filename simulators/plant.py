"""The simulated world: what every contact, lock, item and lens is now, and a record of every change.

No I/O and no clock. The record is what a test holds against the centre: a change that stands here and not
there was lost on the way.
"""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

import msgspec

from simulators.errors import BadValue, UnknownPoint

VALUES: dict[str, tuple[str, ...]] = {
    "door": ("closed", "open"),
    "lock": ("closed", "open"),
    "item": ("present", "absent"),
    "picture": ("ok", "covered", "dark"),
    "tamper": ("quiet", "tripped"),
    "wire": ("sound", "cut", "short"),
}
"""What a point can be, by the last part of its id. The first value is the state of rest."""

ACTIVE_VALUE = {"door": "open", "lock": "open", "item": "present", "tamper": "tripped"}
"""The value at which the point's input is electrically on."""

RECORD_KEPT = 100_000
"""Changes kept in memory; the record file has them all."""


class Change(msgspec.Struct, frozen=True):
    """Change number `n` (from 1): wall clock in ms, monotonic clock in ns, the value the point took."""

    n: int
    at_ms: int
    mono_ns: int
    point: str
    value: str


def point_kind(point: str) -> str:
    """The last part of its id, such as `door`; raises UnknownPoint."""
    kind = point.rpartition(".")[2]
    if kind not in VALUES:
        raise UnknownPoint(f"{point}: a point's last part is one of {', '.join(VALUES)}")
    return kind


def rest_value(point: str) -> str:
    return VALUES[point_kind(point)][0]


class Plant:
    """Every point at rest at first. `record` gets each change, in order, before `change` returns."""

    def __init__(self, points: Iterable[str], record: Callable[[Change], None] = lambda _: None) -> None:
        self._values = {point: rest_value(point) for point in points}
        self._activations = dict.fromkeys(self._values, 0)
        self._changes: deque[Change] = deque(maxlen=RECORD_KEPT)
        self._last_n = 0
        self._record = record

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(self._values)

    def value(self, point: str) -> str:
        self._require(point)
        return self._values[point]

    def is_active(self, point: str) -> bool:
        """Whether the point's input is on: door or lock open, item seen, tamper tripped."""
        return self._values[point] == ACTIVE_VALUE.get(point_kind(point))

    def activations(self, point: str) -> int:
        """How often the input went on since the plant was made; closings do not count."""
        return self._activations[point]

    def change(self, point: str, value: str, at_ms: int, mono_ns: int) -> Change | None:
        """Give the point a value. None where it had it already. Raises UnknownPoint, BadValue."""
        self._require(point)
        kind = point_kind(point)
        if value not in VALUES[kind]:
            raise BadValue(f"{point}: {value!r} is not one of {', '.join(VALUES[kind])}")
        if self._values[point] == value:
            return None
        self._values[point] = value
        self._activations[point] += value == ACTIVE_VALUE.get(kind)
        self._last_n += 1
        change = Change(self._last_n, at_ms, mono_ns, point, value)
        self._changes.append(change)
        self._record(change)
        return change

    def changes(self, after: int) -> list[Change]:
        """Changes numbered above `after`, oldest first, as far as memory still has them."""
        first = self._changes[0].n if self._changes else 1
        return list(islice(self._changes, max(0, after + 1 - first), None))

    def _require(self, point: str) -> None:
        if point not in self._values:
            raise UnknownPoint(f"{point}: no such point in this scenario")
