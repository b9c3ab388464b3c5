"""Which read of a bus is next. Pure: `now` comes in, a poll or a moment to wait for goes out.

Units that answer go before those that missed, and these before those that are down; then the lowest class,
within a class the earliest deadline. A command takes the bus itself, so it waits for one turn at most.
Rates are fixed: a late read never shifts the next ones, and periods that passed are counted as missed,
never queued. The reads of a bus start spread over their period.

What has waited for five periods, and for two seconds, goes before all: on a line that has no time for
everybody each is read less often, and none never.

A unit is UP, SUSPECT after a miss, DOWN after three and a second of silence. Of a DOWN unit only the read
that failed is tried, after 1, 2, 4 … 30 s; alone on its bus it disturbs nobody and is tried every second.
Since no timeout is longer than a period, one try costs a unit that answers none of its deadlines.
"""

from collections.abc import Sequence
from enum import IntEnum, StrEnum

import msgspec

from device_drivers.driver import Read

DOWN_AFTER_MISSES = 3
DOWN_AFTER_NS = 1_000_000_000
STARVING_PERIODS = 5
STARVING_NS = 2_000_000_000
PROBE_FIRST_NS = 1_000_000_000
PROBE_CAP_NS = 30_000_000_000


class PollClass(IntEnum):
    """Lower goes first."""

    SECURITY = 0
    CABINET = 1
    TELEMETRY = 2


class UnitState(StrEnum):
    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"


class Poll(msgspec.Struct, frozen=True):
    """One read of one device, to be repeated for ever."""

    device: str
    read: Read
    poll_class: PollClass
    interval_ns: int


class Tally(msgspec.Struct):
    """Deadlines of a device, one a read and period."""

    met: int = 0
    missed: int = 0
    """The bus came too late to a device that answers."""
    silent: int = 0
    """Lost to the device itself: no sound answer, its quarantine, its absence."""


class _Entry(msgspec.Struct):
    poll: Poll
    due: int
    silent_since: int
    misses: int = 0


class _Unit(msgspec.Struct):
    state: UnitState = UnitState.UP
    is_proven: bool = False
    """It has answered since its last miss; from the start it has not."""
    not_before: int = 0
    probe: Poll | None = None
    """The read that brought it down: the only one tried until it is answered."""
    probe_ns: int = PROBE_FIRST_NS
    tally: Tally = msgspec.field(default_factory=Tally)


class Schedule:
    """The reads of one bus. `phase` (0 to 1) shifts all of them within their period."""

    def __init__(self, polls: Sequence[Poll], now: int, phase: float = 0.0) -> None:
        self._units = {poll.device: _Unit() for poll in polls}
        self._entries: list[_Entry] = []
        for index, poll in enumerate(polls):
            share = (index / len(polls) + phase) % 1.0
            self._entries.append(_Entry(poll, now + int(poll.interval_ns * share), now))
        self._probe_cap_ns = PROBE_CAP_NS if len(self._units) > 1 else PROBE_FIRST_NS

    def next(self, now: int) -> Poll | int:
        """The poll to do now, or the moment at which there will be one."""
        waiting = [entry for entry in self._entries if self._probe(entry) in {None, entry.poll}]
        due = [entry for entry in waiting if self._ready_at(entry) <= now]
        if not due:
            return min(self._ready_at(entry) for entry in waiting)
        return min(due, key=lambda entry: self._urgency(entry, now)).poll

    def finish(self, poll: Poll, now: int, *, is_answered: bool) -> UnitState | None:
        """Note how a poll ended. Returns the unit's state where that changed it."""
        entry = next(entry for entry in self._entries if entry.poll is poll)
        unit = self._units[poll.device]
        before = unit.state
        if is_answered:
            self._note_answer(entry, unit, now)
        else:
            self._note_miss(entry, unit, now)
        return unit.state if unit.state is not before else None

    def leave_alone(self, device: str, until: int) -> None:
        """Its unit may still answer an older request: it is not to be asked before."""
        self._units[device].not_before = until

    def state(self, device: str) -> UnitState:
        return self._units[device].state

    def tally(self, device: str) -> Tally:
        return self._units[device].tally

    def total(self) -> Tally:
        """Over all devices."""
        tallies = [unit.tally for unit in self._units.values()]
        return Tally(
            *(sum(getattr(tally, name) for tally in tallies) for name in ("met", "missed", "silent"))
        )

    def _note_answer(self, entry: _Entry, unit: _Unit, now: int) -> None:
        entry.misses = 0
        entry.silent_since = now
        if unit.state is UnitState.DOWN:
            unit.probe, unit.probe_ns = None, PROBE_FIRST_NS
            for other in self._of_device(entry):
                other.due = now
        self._advance(entry, unit, now)
        unit.tally.met += 1
        is_suspect = any(other.misses for other in self._of_device(entry))
        unit.is_proven = not is_suspect
        unit.state = UnitState.SUSPECT if is_suspect else UnitState.UP

    def _note_miss(self, entry: _Entry, unit: _Unit, now: int) -> None:
        entry.misses += 1
        unit.is_proven = False
        is_down = entry.misses >= DOWN_AFTER_MISSES and now - entry.silent_since >= DOWN_AFTER_NS
        self._advance(entry, unit, now)
        unit.tally.silent += 1
        if not is_down:
            unit.state = UnitState.SUSPECT
            return
        unit.state, unit.probe = UnitState.DOWN, entry.poll
        entry.due = now + unit.probe_ns
        unit.tally.silent += unit.probe_ns // entry.poll.interval_ns
        unit.probe_ns = min(unit.probe_ns * 2, self._probe_cap_ns)

    def _advance(self, entry: _Entry, unit: _Unit, now: int) -> None:
        """The entry's next period; those that passed before the present one are lost."""
        passed = max(0, now - entry.due) // entry.poll.interval_ns
        if unit.is_proven:
            unit.tally.missed += passed
        else:
            unit.tally.silent += passed
        entry.due += (passed + 1) * entry.poll.interval_ns

    def _ready_at(self, entry: _Entry) -> int:
        return max(entry.due, self._units[entry.poll.device].not_before)

    def _of_device(self, entry: _Entry) -> list[_Entry]:
        return [other for other in self._entries if other.poll.device == entry.poll.device]

    def _probe(self, entry: _Entry) -> Poll | None:
        return self._units[entry.poll.device].probe

    def _urgency(self, entry: _Entry, now: int) -> tuple[bool, bool, bool, int, int]:
        unit = self._units[entry.poll.device]
        waits_ns = now - self._ready_at(entry)
        is_starving = waits_ns >= max(STARVING_NS, STARVING_PERIODS * entry.poll.interval_ns)
        deadline = entry.due + entry.poll.interval_ns
        if is_starving:
            return False, False, False, 0, deadline
        return True, unit.probe is not None, not unit.is_proven, entry.poll.poll_class, deadline
