"""The walk past every point of a station: asked, seen, put back, next. Pure: sights, keys and times come in.

A point is proven by its own change, away from rest and back, and by nothing else: a lock's pulse proves
nothing, only the state that is read after it does. What moves beside it is a remark, since crossed wires
are what such a walk is for.

    WAITING    no reading yet           → RESTORE or AWAY
    RESTORE    it is not at rest        → AWAY when it is
    AWAY       open it now              → BACK when it moved; a lock's pulse without movement → FAILED
    BACK       close it again           → passed, the next point
    FAILED     again, or go on
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from contract.points import REST_VALUE, VALUES, PointType
from device_drivers.driver import Command, Notice, Observation, Outcome, Sight
from edge.points import words
from edge.settings import PointSettings

PULSE_PATIENCE_NS = 5_000_000_000
"""A lock that has not moved by then, did not move."""
NOTE_MAX_CHARS = 200
_SEEN_BY_NOTICE = (PointType.READER,)


class Stage(StrEnum):
    WAITING = "waiting"
    RESTORE = "restore"
    AWAY = "away"
    BACK = "back"
    FAILED = "failed"


class RemarkCode(StrEnum):
    NEVER_MOVED = "never_moved"
    CROSSED = "crossed"
    """Another point moved while this one was asked for."""
    COUNTER_STILL = "counter_still"
    COUNTED = "counted"
    """The module counted more than the one opening."""
    PULSE_LOST = "pulse_lost"


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNTRIED = "untried"


class Remark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a person should know of a trial, beside its result. `detail` goes into its words."""

    code: RemarkCode
    detail: str = ""


class Moment(msgspec.Struct, frozen=True):
    """Now: wall ms for the sheet, monotonic ns for what is measured."""

    at: int
    mono_ns: int


class Trial(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One point and what came of it. `*_within_ms`: the change is at most so much older than its sight."""

    point: str
    type: PointType
    device: str
    unit: int
    channel: str
    result: Result = Result.UNTRIED
    began_at: int = 0
    ended_at: int = 0
    away_within_ms: int | None = None
    away_after_ms: int | None = None
    back_within_ms: int | None = None
    pulse: str = ""
    """What the board said to the one pulse; it proves nothing."""
    remarks: list[Remark] = []
    note: str = ""


class _Known(msgspec.Struct):
    """What was last read of a point."""

    active: str
    inactive: str
    value: str = ""
    fault: str = ""
    counter: int | None = None
    read_ns: int = 0


class Walk:
    """The walk. `commanded` are the devices that can be told to open a lock; `units` by device."""

    def __init__(
        self, points: Sequence[PointSettings], units: dict[str, int], commanded: Iterable[str], now: Moment
    ) -> None:
        self.trials = [
            Trial(
                point=p.id, type=PointType(p.type), device=p.device, unit=units[p.device], channel=p.channel
            )
            for p in points
        ]
        self.stage = Stage.WAITING
        self.why = ""
        """Why nothing is known of the current point."""
        self._commanded = set(commanded)
        self._known = {p.id: _Known(*words(p)) for p in points}
        self._by_channel = {(p.device, p.channel): p.id for p in points}
        self._at = 0
        self._asked_ns = 0
        self._counter: int | None = None
        self._pulsed_ns: int | None = None
        self._pulse: Command | None = None
        self._begin(now)

    @property
    def current(self) -> Trial | None:
        """The point that is tried now; None when the walk is over."""
        return self.trials[self._at] if self._at < len(self.trials) else None

    @property
    def done(self) -> int:
        return self._at

    @property
    def can_pulse(self) -> bool:
        """Whether a key may send the current lock's pulse: it has not been sent, and the lock is closed."""
        trial = self.current
        return (
            trial is not None
            and trial.type is PointType.LOCK
            and trial.device in self._commanded
            and self.stage is Stage.AWAY
            and self._pulsed_ns is None
        )

    def value(self, point: str) -> str:
        """What was last read of a point: a value, or the fault of its line; empty for nothing yet."""
        return self._known[point].fault or self._known[point].value

    def see(self, device: str, sights: Iterable[Sight], now: Moment) -> None:
        """A good reply of a device."""
        if self.current is not None and self.current.device == device:
            self.why = ""
        for sight in sights:
            point = self._by_channel.get((device, sight.channel))
            if point is None:
                continue
            if isinstance(sight, Notice):
                self._noticed(point, now)
            else:
                self._observed(point, sight, now)
        self._judge(now)

    def miss(self, device: str, reason: str) -> None:
        """A device gave no reading."""
        if self.current is not None and self.current.device == device:
            self.why = reason

    def skip(self, now: Moment) -> None:
        """Go on to the next point; what failed stays failed."""
        trial = self.current
        if trial is None:
            return
        if self.stage is Stage.FAILED:
            self._end(Result.FAILED, now)
            return
        if self.stage is not Stage.BACK:
            _remark(trial, RemarkCode.NEVER_MOVED)
        self._end(Result.SKIPPED, now)

    def again(self, now: Moment) -> None:
        """Try the current point from its beginning; if it has hardly begun, the one before."""
        is_fresh = self.stage in {Stage.WAITING, Stage.AWAY} and self._pulsed_ns is None
        if self._at and (self.current is None or is_fresh):
            self._at -= 1
        self._begin(now)

    def note(self, text: str) -> None:
        """A person's words on the current point."""
        if self.current is not None:
            self.current.note = text.strip()[:NOTE_MAX_CHARS]

    def pulse(self, now: Moment) -> None:
        """The person agreed to the one pulse."""
        if self.can_pulse and self.current is not None:
            self._pulse = Command("open", self.current.channel)
            self._pulsed_ns = now.mono_ns

    def take_pulse(self) -> Command | None:
        """The command to be sent now, handed out once."""
        pulse, self._pulse = self._pulse, None
        return pulse

    def commanded(self, outcome: Outcome) -> None:
        """What the board said; the lock is judged by its state alone."""
        if self.current is not None:
            self.current.pulse = outcome.value

    def _begin(self, now: Moment) -> None:
        trial = self.current
        if trial is None:
            return
        self.trials[self._at] = Trial(
            point=trial.point,
            type=trial.type,
            device=trial.device,
            unit=trial.unit,
            channel=trial.channel,
            began_at=now.at,
            note=trial.note,
        )
        self._pulse = self._pulsed_ns = None
        self.why = ""
        self._enter(Stage.WAITING, now)
        self._judge(now)

    def _enter(self, stage: Stage, now: Moment) -> None:
        self.stage = stage
        self._asked_ns = now.mono_ns

    def _end(self, result: Result, now: Moment) -> None:
        assert self.current is not None
        self.current.result = result
        self.current.ended_at = now.at
        self._at += 1
        self._begin(now)

    def _noticed(self, point: str, now: Moment) -> None:
        trial = self.current
        if trial is None or trial.point != point or trial.type not in _SEEN_BY_NOTICE:
            return
        trial.away_after_ms = (now.mono_ns - self._asked_ns) // 1_000_000
        self._end(Result.PASSED, now)

    def _observed(self, point: str, sight: Observation, now: Moment) -> None:
        known = self._known[point]
        was, was_ns = known.value, known.read_ns
        known.fault = sight.fault.value if sight.fault else ""
        if sight.fault:
            return
        known.value = known.active if sight.active else known.inactive
        known.counter, known.read_ns = sight.counter, now.mono_ns
        trial = self.current
        if trial is None or not was or known.value == was or trial.type in _SEEN_BY_NOTICE:
            return
        within_ms = (now.mono_ns - was_ns) // 1_000_000
        if point == trial.point:
            self._moved(trial, known, within_ms, now)
        elif self.stage in {Stage.AWAY, Stage.BACK} and known.value != REST_VALUE[_type(self.trials, point)]:
            _remark(trial, RemarkCode.CROSSED, point)

    def _moved(self, trial: Trial, known: _Known, within_ms: int, now: Moment) -> None:
        """The current point changed."""
        is_away = known.value != REST_VALUE[trial.type]
        if self.stage is Stage.AWAY and is_away:
            trial.away_within_ms = within_ms
            trial.away_after_ms = (now.mono_ns - self._asked_ns) // 1_000_000
            self._check_counter(trial, known)
            self._enter(Stage.BACK, now)
        elif self.stage is Stage.BACK and not is_away:
            trial.back_within_ms = within_ms
            self._end(Result.PASSED, now)

    def _check_counter(self, trial: Trial, known: _Known) -> None:
        """A counter that stands still will one day miss a short opening."""
        if self._counter is None or known.counter is None or known.value != known.active:
            return
        counted = known.counter - self._counter
        if counted == 0:
            _remark(trial, RemarkCode.COUNTER_STILL)
        elif counted != 1:
            _remark(trial, RemarkCode.COUNTED, str(counted))

    def _judge(self, now: Moment) -> None:
        """Where the current point stands by what is known of it."""
        trial = self.current
        if trial is None:
            return
        known = self._known[trial.point]
        if self.stage is Stage.AWAY and self._is_pulse_lost(now):
            _remark(trial, RemarkCode.PULSE_LOST, str(PULSE_PATIENCE_NS // 1_000_000_000))
            self._enter(Stage.FAILED, now)
        if known.fault:
            self.why = known.fault
        elif not known.value or self.stage not in {Stage.WAITING, Stage.RESTORE}:
            return
        elif known.value == REST_VALUE[trial.type]:
            self._counter = known.counter
            self._enter(Stage.AWAY, now)
        elif self.stage is Stage.WAITING:
            self._enter(Stage.RESTORE, now)

    def _is_pulse_lost(self, now: Moment) -> bool:
        return self._pulsed_ns is not None and now.mono_ns - self._pulsed_ns > PULSE_PATIENCE_NS


def away_value(kind: PointType) -> str:
    """What a point says when it was moved from its rest."""
    return next(value for value in VALUES[kind] if value != REST_VALUE[kind])


def _type(trials: Iterable[Trial], point: str) -> PointType:
    return next(trial.type for trial in trials if trial.point == point)


def _remark(trial: Trial, code: RemarkCode, detail: str = "") -> None:
    remark = Remark(code, detail)
    if remark not in trial.remarks:
        trial.remarks = [*trial.remarks, remark]
