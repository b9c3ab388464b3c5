"""Levels and counters into events. Pure: observations and a stamp in, a proposal out.

A proposal is built on the memories as they are; `commit` moves them, and is called only when the
journal has made the proposal's rows durable. A point belongs to one device and so to one bus task,
therefore two proposals never compete for it.

A change is reported on the first sample that shows it, opening and closing alike: rows are facts, and
a closing that stands for one poll is one. What a short closing means (off-delay) is the centre's rule.

With `d` activations counted since the last row (modulo the counter's width):

    inactive → inactive    d = 0 nothing               d ≥ 1 point.pulse, count d
    inactive → active      d = 1 the change            d > 1 the change, `missed` d-1; 0: `counter_stopped`
    active   → active      d = 0 nothing               d ≥ 1 point.pulse, count d
    active   → inactive    d = 0 the change            d ≥ 1 the change, `missed` d
    counter went back      the module restarted: nothing is invented, a new point.baseline is written
    d beyond any contact   the counter was set: the same
    no count this time     the level alone; the opening it shows is taken off what is counted next
    level as before        with a latch that was set: point.pulse, count 1, `latched`: one or more

What was counted or latched while the device was silent, or we were, carries `uncertain`: a module that
restarted in that time counted from nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from contract.ids import PointId
from contract.messages import PointState
from contract.points import PointType, Quality, state_digest
from contract.rows import EdgeKind, point_kind
from device_drivers.driver import Notice, Observation, Sight
from edge.clock import Stamp
from edge.lock_watch import LockWatch
from edge.proposals import Draft, PointMemory, Proposal
from edge.settings import PointSettings

_OPEN = "open"
_LOCK_OPENED = point_kind(PointType.LOCK, _OPEN)
_WORDS = {
    PointType.DOOR: (_OPEN, "closed"),
    PointType.LOCK: (_OPEN, "closed"),
    PointType.ITEM: ("present", "absent"),
    PointType.TAMPER: ("tripped", "quiet"),
    PointType.READER: ("paired", "unpaired"),
    PointType.MODEM: ("registered", "unregistered"),
}
"""What a point says while its channel is active, and while it is not."""

Data = dict[str, Any]

WRAP_MAX_DELTA = 1_000
WRAP_MIN_FRACTION = 0.9
COUNTS_PER_S_MAX = 100
COUNT_SLACK = 20
"""A reed contact bounces a few times in milliseconds; beyond this a counter did not count, it was set."""


class _Point(msgspec.Struct, frozen=True):
    """One point: its words for an active and an inactive channel."""

    id: PointId
    type: PointType
    active: str = ""
    inactive: str = ""


class Points:
    """All points of an edge. `last_at`: wall ms of the journal's last row, start of the first window."""

    def __init__(
        self,
        settings: Sequence[PointSettings],
        pictures: Iterable[str],
        memories: Mapping[PointId, PointMemory],
        *,
        is_simulated: bool,
        last_at: int,
    ) -> None:
        self._by_device: dict[str, dict[str, _Point]] = {}
        self._points: dict[PointId, _Point] = {}
        for entry in settings:
            point = _point(entry)
            self._points[point.id] = point
            self._by_device.setdefault(entry.device, {})[entry.channel] = point
        for name in pictures:
            self._points[PointId(name)] = _Point(PointId(name), PointType.PICTURE)
        self._devices = {PointId(entry.id): entry.device for entry in settings}
        self._locks = LockWatch()
        self._memory = {point: memories.get(point, PointMemory()) for point in self._points}
        self._read_at = dict.fromkeys(self._points, last_at)
        self._read_mono: dict[PointId, int] = {}
        self._unread = set(self._points)
        self.is_maintained = False
        """By the centre's leave somebody works here: every row of a point says so, and none is left out."""
        self._marks: Data = {"simulated": True} if is_simulated else {}

    def observe(self, device: str, sights: Iterable[Sight], stamp: Stamp) -> Proposal:
        """What a good reply means for the points on this device."""
        proposal = Proposal(stamp, [], {})
        channels = self._by_device.get(device, {})
        for seen in sights:
            point = channels.get(seen.channel)
            if point is None:
                continue
            memory = proposal.memories.get(point.id, self._memory[point.id])  # it may be seen twice
            if isinstance(seen, Notice):
                self._draft(seen.kind, point, dict(seen.data), proposal)
                continue
            if seen.fault is not None:
                self._set_quality(point, memory, Quality(seen.fault.value), proposal)
                self._unread.discard(point.id)
                continue
            value = point.active if seen.active else point.inactive
            is_known = value == memory.value and memory.quality is Quality.GOOD
            if not is_known or seen.latched or seen.counter not in {None, memory.counter}:
                self._judge(point, value, seen, proposal)
            if point.type is PointType.LOCK:
                self._watch(point, value, proposal)
            self._read_at[point.id] = stamp.at
            self._read_mono[point.id] = stamp.mono
            self._unread.discard(point.id)
        return proposal

    def fail(self, device: str, quality: Quality, stamp: Stamp) -> Proposal:
        """The device gave no reading: its points keep their values and say how much these are worth."""
        proposal = Proposal(stamp, [], {})
        for point in self._by_device.get(device, {}).values():
            self._set_quality(point, self._memory[point.id], quality, proposal)
            self._unread.discard(point.id)
        return proposal

    def picture(self, name: PointId, value: str, quality: Quality, stamp: Stamp) -> Proposal:
        """What a camera's recorder says of its picture. An empty value changes the quality alone."""
        proposal = Proposal(stamp, [], {})
        point = self._points[name]
        memory = self._set_quality(point, self._memory[name], quality, proposal)
        if value and quality is Quality.GOOD and value != memory.value:
            self._set_value(point, memory, value, proposal, {})
        self._unread.discard(name)
        return proposal

    def commit(self, proposal: Proposal) -> None:
        """The rows of this proposal are durable: from now on it is what is known."""
        self._memory.update(proposal.memories)
        for draft in proposal.drafts:
            if draft.kind == EdgeKind.LOCK_JAMMED and draft.point is not None:
                self._locks.told_jammed(draft.point)
            elif draft.kind == _LOCK_OPENED and draft.point is not None:
                self._locks.told_open(draft.point)

    def device(self, name: PointId) -> str:
        """The id of the device that this point is on; KeyError for a picture, or a point that is not here."""
        return self._devices[name]

    def commanded(self, name: PointId, now_ns: int) -> None:
        """A command has just gone out for this point. A lock's opening is then not forced, its staying
        closed a jam.
        """
        if self._points[name].type is PointType.LOCK:
            self._locks.command(name, now_ns)

    @property
    def unread(self) -> int:
        """Points that were neither read nor missed since this start."""
        return len(self._unread)

    def states(self) -> list[PointState]:
        """Every point as a birth tells it; stale until it has been read since this start."""
        return [
            PointState(
                id=point.id,
                type=point.type,
                value=self._memory[point.id].value,
                quality=self._quality(point.id),
                since=self._memory[point.id].since,
            )
            for point in self._points.values()
        ]

    def digest(self) -> str:
        """One number for all states, as a beat carries it."""
        return state_digest(
            (name, memory.value, self._quality(name)) for name, memory in self._memory.items()
        )

    def _quality(self, name: PointId) -> Quality:
        return Quality.STALE if name in self._unread else self._memory[name].quality

    def _judge(self, point: _Point, value: str, seen: Observation, proposal: Proposal) -> None:
        was_silent = self._quality(point.id) is not Quality.GOOD
        memory = proposal.memories.get(point.id, self._memory[point.id])
        memory = self._set_quality(point, memory, Quality.GOOD, proposal)
        counted, is_restarted = None, False
        if memory.counter is not None and seen.counter is not None:
            counted = counter_delta(memory.counter, seen.counter, seen.counter_bits)
            unread_ms = self._unread_ms(point.id, proposal.stamp)
            if counted is not None and counted > COUNT_SLACK + unread_ms * COUNTS_PER_S_MAX // 1_000:
                counted = None  # no contact moves so fast: somebody set the counter
            is_restarted = counted is None
        is_opening = seen.active and value != memory.value
        memory = msgspec.structs.replace(memory, counter=_baseline(memory, seen, is_opening=is_opening))
        proposal.memories[point.id] = memory
        window: Data = {"window_ms": max(0, proposal.stamp.at - self._read_at[point.id])}
        if was_silent:
            window["uncertain"] = True
        if value != memory.value:
            data = _change_data(counted, window, is_activation=seen.active)
            if point.type is PointType.LOCK and value == _OPEN:
                data |= self._locks.explain(point.id, proposal.stamp.mono)
            self._set_value(point, memory, value, proposal, data)
        elif counted:
            self._draft(EdgeKind.POINT_PULSE, point, {"count": counted, **window}, proposal)
        elif seen.latched:
            self._draft(EdgeKind.POINT_PULSE, point, {"count": 1, "latched": True, **window}, proposal)
        if is_restarted:
            restart: Data = {"value": value, "counter_restarted": True}
            self._draft(EdgeKind.POINT_BASELINE, point, restart, proposal)

    def _unread_ms(self, name: PointId, stamp: Stamp) -> int:
        """Since it was last read; by the wall clock only for what was before this run."""
        if name in self._read_mono:
            return (stamp.mono - self._read_mono[name]) // 1_000_000
        return max(0, stamp.at - self._read_at[name])

    def _set_value(
        self, point: _Point, memory: PointMemory, value: str, proposal: Proposal, data: Data
    ) -> None:
        if memory.value == "":
            self._draft(EdgeKind.POINT_BASELINE, point, {"value": value}, proposal)
        else:
            kind = point_kind(point.type, value)
            self._draft(kind, point, {"was": memory.value, **data}, proposal)
        proposal.memories[point.id] = msgspec.structs.replace(
            memory, value=value, since=proposal.stamp.at, is_ajar=False
        )

    def _watch(self, point: _Point, value: str, proposal: Proposal) -> None:
        """What a lock's reading means beside its level."""
        memory = proposal.memories.get(point.id, self._memory[point.id])
        told = self._locks.see(
            point.id, is_open=value == _OPEN, is_ajar=memory.is_ajar, now_ns=proposal.stamp.mono
        )
        if told is None:
            return
        kind, data = told
        self._draft(kind, point, dict(data), proposal)
        if kind is EdgeKind.LOCK_AJAR:
            proposal.memories[point.id] = msgspec.structs.replace(memory, is_ajar=True)

    def _set_quality(
        self, point: _Point, memory: PointMemory, quality: Quality, proposal: Proposal
    ) -> PointMemory:
        if quality is memory.quality:
            return memory
        is_first_reading = quality is Quality.GOOD and memory.quality is Quality.STALE
        if not is_first_reading:
            data: Data = {"quality": quality.value, "was": memory.quality.value}
            self._draft(EdgeKind.POINT_QUALITY, point, data, proposal)
        memory = msgspec.structs.replace(memory, quality=quality)
        proposal.memories[point.id] = memory
        return memory

    def _draft(self, kind: str, point: _Point, data: Data, proposal: Proposal) -> None:
        marks = {**self._marks, "maintenance": True} if self.is_maintained else self._marks
        proposal.drafts.append(Draft(str(kind), proposal.stamp, point.id, {**data, **marks}))


def _change_data(counted: int | None, window: Data, *, is_activation: bool) -> Data:
    """What the counter says beside a change; `counted` is None where it says nothing."""
    surplus = 0 if counted is None else counted - is_activation
    if surplus > 0:
        return {"missed": surplus, **window}
    return {"counter_stopped": True} if surplus < 0 else {}


def _baseline(memory: PointMemory, seen: Observation, *, is_opening: bool) -> int | None:
    """The count up to which everything has been told."""
    if seen.counter is not None or memory.counter is None:
        return seen.counter
    return (memory.counter + is_opening) % (1 << seen.counter_bits)


def counter_delta(before: int, after: int, bits: int) -> int | None:
    """Activations between two counts; None where the counter was cleared or its module restarted."""
    if before >> bits:
        return None
    if after >= before:
        return after - before
    wrapped = (after - before) % (1 << bits)
    if before > WRAP_MIN_FRACTION * (1 << bits) and wrapped < WRAP_MAX_DELTA:
        return wrapped
    return None


def words(entry: PointSettings) -> tuple[str, str]:
    """What a point says while its channel is active, and while it is not."""
    active, inactive = _WORDS[PointType(entry.type)]
    return (inactive, active) if entry.inverted else (active, inactive)


def _point(entry: PointSettings) -> _Point:
    return _Point(PointId(entry.id), PointType(entry.type), *words(entry))
