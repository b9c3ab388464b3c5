"""What a row of an edge's journal means here: for points, rooms, cabinets and faults.

A row whose point is not of a place that this edge speaks for is evidence and nothing more.
"""

from collections.abc import Sequence

from msgspec import Struct

from central.patrol import edge_faults, edge_words, faults
from central.patrol.engine import CONDITION, READABLE, Edge, PointState
from central.patrol.places import CabinetPlace, RoomPlace
from central.patrol.scene import RoomNow, Scene
from central.store.board_changes import Cause
from contract.points import VALUES, PointType, Quality
from contract.rows import EdgeKind, Row, point_kind

_DOOR_MOVES = frozenset({"door.open", "door.closed", EdgeKind.POINT_PULSE})
_TELLS_QUALITY = frozenset({EdgeKind.POINT_QUALITY, EdgeKind.POINT_BASELINE})

_VALUE_OF = {
    point_type: {point_kind(point_type, value): value for value in values}
    for point_type, values in VALUES.items()
}
"""What a change of a point says, by its kind."""


class Fact(Struct, frozen=True):
    """An admitted row. `is_pending`: it came by the live lane, the chain has not reached it yet."""

    edge: str
    epoch: int
    row: Row
    received_ms: int
    is_pending: bool

    @property
    def cause(self) -> Cause:
        return Cause(self.edge, self.epoch, self.row.seq, self.row.at)

    def number(self, name: str) -> int:
        """A count in the row's data; what is no sound count counts nothing."""
        value = self.row.data.get(name)
        return value if isinstance(value, int) and 0 < value < 2**31 else 0


def take_all(scene: Scene, facts: Sequence[Fact]) -> None:
    """Lets rows have their effect, in order."""
    points: dict[str, set[str]] = {}
    for fact in facts:
        if fact.row.point is not None:
            points.setdefault(fact.edge, set()).add(fact.row.point)
    for edge, told in points.items():
        scene.expect(edge, told)
    for fact in facts:
        take(scene, fact)


def take(scene: Scene, fact: Fact) -> int | None:
    """Lets a row have its effect. Returns the alert that it raised or counts in."""
    point = fact.row.point
    if point is None:
        edge_words.take_row(scene, fact.edge, fact.row, fact.received_ms, fact.cause)
        return None
    room = scene.places.room_of(fact.edge, point)
    if room is not None:
        return _take_in_room(scene, fact, room, point)
    cabinet = scene.places.cabinet_of(fact.edge, point)
    if cabinet is not None:
        _take_in_cabinet(scene, fact, cabinet, point)
    return None


def stand_point_faults(
    scene: Scene, place: RoomPlace | CabinetPlace, state: PointState, now_ms: int, cause: Cause | None = None
) -> None:
    """The faults that follow from how a point stands: silent, disabled, a picture that shows nothing."""
    room = place.room if isinstance(place, RoomPlace) else None
    room_id = room.id if room else None
    for verdict in edge_faults.of_point(state.quality, is_readable=state.quality in READABLE):
        subject = faults.Subject(verdict.kind, place.station, room_id, state.point)
        faults.stand(scene.tx, subject, verdict.detail, now_ms, cause)
    if room is not None and state.point == room.camera:
        hidden = faults.Subject("picture", place.station, room_id, state.point)
        detail = None if state.value in {"ok", ""} else state.value
        faults.stand(scene.tx, hidden, detail, now_ms, cause)


def _take_in_room(scene: Scene, fact: Fact, place: RoomPlace, point: str) -> int | None:
    now = scene.room(place.room.id)
    was_open = now.door == "open"
    state = scene.point(fact.edge, point)
    is_camera = point == place.room.camera
    is_current = _move(scene, state, fact, place.type_of(point))
    if is_current and (is_camera or fact.row.kind in _TELLS_QUALITY):
        stand_point_faults(scene, place, state, fact.received_ms, fact.cause)
    alert_id = None
    if not is_camera:
        alert_id = _take_at_door(scene, fact, now, is_current=is_current, was_open=was_open)
    scene.show_room(place.room.id, fact.cause)
    return alert_id


def _take_at_door(scene: Scene, fact: Fact, now: RoomNow, *, is_current: bool, was_open: bool) -> int | None:
    cond = CONDITION[now.door]
    if fact.row.kind not in _DOOR_MOVES:
        for turned in now.patrol.stand(cond, fact.received_ms):
            scene.show_alert(turned, fact.cause)
        return None
    edge = Edge(
        at_ms=fact.row.at,
        received_ms=fact.received_ms,
        opens=_openings(fact),
        is_current=is_current,
        was_open=was_open,
        is_pending=fact.is_pending,
    )
    before = now.patrol.live
    use = now.patrol.moved(now.place.station, now.place.room.id, edge, cond)
    if before is not None and before is not use and before.session.ended_ms is not None:
        scene.show_alert(before, fact.cause)
    if use is None:
        return None
    scene.show_alert(use, fact.cause)
    return use.alert.id


def _openings(fact: Fact) -> int:
    """Openings a row tells of: its own, and those that only the module's counter saw."""
    if fact.row.kind == EdgeKind.POINT_PULSE:
        return fact.number("count")
    return (fact.row.kind == "door.open") + fact.number("missed")


def _take_in_cabinet(scene: Scene, fact: Fact, place: CabinetPlace, point: str) -> None:
    state = scene.point(fact.edge, point)
    if _move(scene, state, fact, place.type_of(point)):
        if fact.row.kind in _TELLS_QUALITY:
            stand_point_faults(scene, place, state, fact.received_ms, fact.cause)
        scene.show_cabinet(place, fact.cause)


def _move(scene: Scene, state: PointState, fact: Fact, point_type: PointType) -> bool:
    """Moves a point to what the row says of it, unless a newer row did already, or the row says nothing."""
    row = fact.row
    if not state.is_moved_by(fact.epoch, row.seq):
        return False
    if row.kind == EdgeKind.POINT_QUALITY:
        state.quality = _known_quality(row.data.get("quality"))
    elif row.kind != EdgeKind.POINT_PULSE:
        value = _value(row, point_type)
        if value is None:
            return False
        if state.value == "":
            state.quality = Quality.GOOD
        state.value, state.since_ms = value, row.at
    state.epoch, state.seq = fact.epoch, row.seq
    was_simulated, state.simulated = state.simulated, bool(row.data.get("simulated", False))
    if state.simulated and not was_simulated:
        verdict = edge_faults.Verdict("simulated", "rows", keeps=True)
        edge_words.apply(scene, fact.edge, verdict, fact.received_ms, fact.cause)
    return True


def _value(row: Row, point_type: PointType) -> str | None:
    """The value a row tells of, None where it is none of this type of point."""
    if row.kind == EdgeKind.POINT_BASELINE:
        said = row.data.get("value")
        return said if isinstance(said, str) and said in VALUES[point_type] else None
    return _VALUE_OF[point_type].get(row.kind)


def _known_quality(word: object) -> str:
    """A quality of the contract; what is none cannot be believed."""
    return word if isinstance(word, str) and word in list(Quality) else Quality.DEVICE_ERROR
