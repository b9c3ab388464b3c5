"""What `read` makes of a point's turns: its value as the agent would judge it, its changes, a tally. Pure.

The agent's own `Points` judge, on memories that live here and die here: nothing becomes a row.
"""

from typing import Any

import msgspec

from contract.ids import PointId
from contract.points import Quality
from device_drivers.driver import Observation
from device_drivers.errors import DeviceRefused
from edge.clock import Stamp
from edge.points import Points
from edge.settings import PointSettings
from edge.technician.turns import Turn


class Sample(msgspec.Struct, frozen=True):
    """One reading of the point. `frames`: what was sent and received, hex, in the order of the exchanges."""

    at: int
    point: str
    value: str
    quality: str
    counter: int | None
    round_trip_ms: float
    frames: list[tuple[str, str]]
    error: str
    reason: str


class Change(msgspec.Struct, frozen=True):
    """Something that the agent would have written a row of."""

    at: int
    point: str
    kind: str
    value: str
    data: dict[str, Any]


class Summary(msgspec.Struct, frozen=True):
    """Of a whole watch: times in ms, of answered reads."""

    reads: int
    misses: int
    changes: int
    errors: dict[str, int]
    round_trip_p50_ms: float
    round_trip_p99_ms: float
    round_trip_max_ms: float


class Watch:
    """One point, from turn to turn."""

    def __init__(self, point: PointSettings) -> None:
        self._point = point
        self._points = Points([point], [], {}, is_simulated=False, last_at=0)
        self._times: list[float] = []
        self._errors: dict[str, int] = {}
        self._changes = 0

    def take(self, turn: Turn, stamp: Stamp) -> tuple[Sample, list[Change]]:
        """What this turn said of the point, and what changed with it."""
        counter = None
        if turn.sights is not None:
            self._times.append(turn.round_trip_ms)
            proposal = self._points.observe(self._point.device, turn.sights, stamp)
            seen = [s for s in turn.sights if isinstance(s, Observation) and s.channel == self._point.channel]
            counter = seen[-1].counter if seen else None
        else:
            assert turn.error is not None
            self._errors[turn.error.code] = self._errors.get(turn.error.code, 0) + 1
            is_refused = isinstance(turn.error, DeviceRefused)
            quality = Quality.DEVICE_ERROR if is_refused else Quality.COMM_FAIL
            proposal = self._points.fail(self._point.device, quality, stamp)
        self._points.commit(proposal)
        state = self._points.states()[0]
        sample = Sample(
            at=stamp.at,
            point=self._point.id,
            value=state.value,
            quality=state.quality.value,
            counter=counter,
            round_trip_ms=round(turn.round_trip_ms, 2),
            frames=[(exchange.sent.hex(" "), exchange.received.hex(" ")) for exchange in turn.exchanges],
            error=turn.error.code if turn.error else "",
            reason=str(turn.error or ""),
        )
        changes = [
            Change(stamp.at, PointId(self._point.id), str(draft.kind), state.value, draft.data)
            for draft in proposal.drafts
        ]
        self._changes += len(changes)
        return sample, changes

    def summary(self) -> Summary:
        times = sorted(self._times)
        misses = sum(self._errors.values())
        return Summary(
            reads=len(times) + misses,
            misses=misses,
            changes=self._changes,
            errors=dict(self._errors),
            round_trip_p50_ms=_share(times, 0.50),
            round_trip_p99_ms=_share(times, 0.99),
            round_trip_max_ms=_share(times, 1.0),
        )


def _share(ordered: list[float], share: float) -> float:
    """The value below which this share of them lies; 0 for none."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else 0.0
