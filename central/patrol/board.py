"""From the patrol's rows to what the board shows. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from central.board_model import (
    Alert,
    Cabinet,
    DoorState,
    Fault,
    ItemState,
    LinkState,
    Person,
    PictureState,
    Room,
    Session,
    Slot,
    Station,
)
from central.patrol.engine import READABLE, PointState, Use, door_of
from central.patrol.places import CabinetPlace, RoomPlace
from central.patrol.states import TERMINAL
from central.settings import StationSettings


class EdgeLink(Struct):
    """How an edge is heard. `session`, `told_seq` (its head then) and `config` are those of its newest birth,
    the first two of this `epoch`. `config`: hash of its settings, empty before the first birth.

    `clock_run`, `clock_counted_ms`: see `central/patrol/edge_clock.py`.
    """

    edge: str
    state: LinkState = "never"
    since_ms: int = 0
    session: int = 0
    queued: int = 0
    refused: int = 0
    told_seq: int = 0
    in_maintenance: bool = False
    clock_run: int = 0
    clock_counted_ms: int = 0
    epoch: int = 0
    config: str = ""

    def enter(self, epoch: int) -> None:
        """A word of the edge is of this journal: another one counts its starts and rows from the first."""
        if epoch != self.epoch:
            self.epoch, self.session, self.told_seq = epoch, 0, 0


def station(settings: StationSettings, order: int, link: EdgeLink) -> Station:
    return Station(
        id=settings.id,
        order=order,
        name=settings.name,
        edge=settings.edge,
        link=link.state,
        link_since_ms=link.since_ms,
        queued=link.queued,
        refused=link.refused,
    )


def room(
    place: RoomPlace,
    doors: Sequence[PointState],
    picture: PointState | None,
    link: EdgeLink,
    uses: Sequence[Use],
) -> Room:
    """`uses`: the live one and those whose alert waits, newest first."""
    live = next((use.session for use in uses if use.session.ended_ms is None), None)
    waiting = next((use.alert for use in uses if use.alert.state not in TERMINAL), None)
    return Room(
        id=place.room.id,
        station=place.station,
        order=place.order,
        name=place.room.name,
        kind=place.room.kind,
        has_camera=place.room.camera is not None,
        door=door_of(doors, link.state),
        quality=_quality(doors, link.state),
        picture=_picture(place, picture, link.state),
        since_ms=max((door.since_ms for door in doors), default=0),
        simulated=any(door.simulated for door in doors),
        session=Session(str(live.id), live.started_ms, live.opens) if live else None,
        alert_id=str(waiting.id) if waiting else None,
    )


def alert(use: Use) -> Alert:
    row, session = use.alert, use.session
    return Alert(
        id=str(row.id),
        kind="patrol",
        station=row.station,
        room=row.room,
        state=row.state.value,
        level=row.level,
        edge_ms=row.edge_ms,
        raised_ms=row.raised_ms,
        late_ms=row.late_ms,
        opens=session.opens,
        cond=row.cond,
        owner=Person(row.owner_id, row.owner_name or "") if row.owner_id else None,
        claimed_ms=row.claimed_ms,
        viewed_ms=row.viewed_ms,
        lapse_at_ms=row.lapse_at_ms,
        lapsed=row.lapsed,
        result=row.result,
        ended_ms=session.ended_ms,
        rev=row.rev,
        chain_pending=row.chain_pending,
        session=str(session.id),
    )


def cabinet(place: CabinetPlace, points: Mapping[str, PointState], link: EdgeLink) -> Cabinet:
    return Cabinet(
        id=place.cabinet.id,
        station=place.station,
        name=place.cabinet.name,
        slots=tuple(
            _slot(n, [points[point] for point in place.points(n)], link.state)
            for n in range(1, place.cabinet.slots + 1)
        ),
    )


def fault(row: Any) -> Fault:
    """From a row of the fault table."""
    return Fault(
        str(row.id), row.kind, row.station, row.room, row.point, row.detail, row.since_ms, row.cleared_ms
    )


def _slot(n: int, points: Sequence[PointState], link: LinkState) -> Slot:
    """Its lock comes first, then the item sensor if it has one."""
    lock, *items = points
    lock_value: DoorState = door_of((lock,), link)
    return Slot(
        n=n,
        lock=lock_value,
        item=_item(items[0], link) if items else "none",
        quality=_quality(points, link),
        since_ms=max(point.since_ms for point in points),
    )


def _item(point: PointState, link: LinkState) -> ItemState:
    seen: dict[str, ItemState] = {"present": "present", "absent": "absent"}
    is_known = link == "online" and point.quality in READABLE
    return seen.get(point.value, "unknown") if is_known else "unknown"


def _quality(points: Sequence[PointState], link: LinkState) -> str:
    """The worst of several: a lost edge's points cannot be read, whatever was said of them last."""
    if link != "online":
        return "comm_fail"
    unreadable = [point.quality for point in points if point.quality not in READABLE]
    return unreadable[0] if unreadable else points[0].quality


def _picture(place: RoomPlace, point: PointState | None, link: LinkState) -> PictureState:
    if place.room.camera is None:
        return "none"
    known: dict[str, PictureState] = {"ok": "ok", "covered": "covered", "dark": "dark", "lost": "lost"}
    if point is None or link != "online" or point.quality not in READABLE:
        return "unknown"
    return known.get(point.value, "unknown")
