"""Reads of the patrol for the web: the whole board, alerts and the review log, page by page."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, or_, select

from central.board_model import Alert, Board, Cabinet, Fault, Person, Room, Station
from central.patrol import board
from central.patrol.board import EdgeLink
from central.patrol.engine import PointState, Use
from central.patrol.places import CabinetPlace, Places, RoomPlace
from central.patrol.schema import LIVE, alert, edge_link, fault, point_state, review, room_session
from central.patrol.uses import load_standing, load_uses, with_id
from central.settings import StationSettings
from central.store import board_changes

ALERTS_SHOWN_MAX = 2_000
"""Alerts of one snapshot; the oldest beyond are on the pages of `list_alerts`."""


class Review(Struct, frozen=True):
    """One entry of the review log; `viewed_ms`: picture really presented; `late`: after 漏巡."""

    id: int
    alert: str
    station: str
    room: str
    reviewer: Person
    live: bool
    viewed_ms: int
    result: str
    checklist: dict[str, str]
    notes: str
    short_view_reason: str | None
    edge_ms: int
    raised_ms: int
    claimed_ms: int
    reviewed_ms: int
    late: bool


def snapshot(conn: Connection, stations: tuple[StationSettings, ...]) -> Board:
    """Everything the board shows, as of change `seq`."""
    places = Places(stations)
    links = {row.edge: EdgeLink(**row._mapping) for row in conn.execute(select(edge_link))}  # noqa: SLF001
    points = {
        (row.edge, row.point): PointState(**row._mapping)  # noqa: SLF001
        for row in conn.execute(select(point_state))
    }
    shown = or_(room_session.c.id.in_(select(room_session.c.id).where(LIVE)), alert.c.state != "REVIEWED")
    uses = load_standing(conn, shown, limit=ALERTS_SHOWN_MAX)
    view = _View(links, points, uses)
    return Board(
        seq=board_changes.last_seq(conn),
        stations=[view.station(station, order) for order, station in enumerate(stations)],
        rooms=[view.room(place) for place in places.rooms.values()],
        cabinets=[view.cabinet(place) for place in places.cabinets.values()],
        alerts=[board.alert(use) for use in uses if use.alert.state != "REVIEWED"],
        faults=open_faults(conn),
    )


def find_alert(conn: Connection, alert_id: str) -> Alert | None:
    """One alert as the board shows it, None where there is none of this id."""
    if not alert_id.isdecimal() or len(alert_id) > 18:
        return None
    uses = load_uses(conn, with_id(int(alert_id)))
    return board.alert(uses[0]) if uses else None


def list_alerts(
    conn: Connection, state: str | None, after: int | None, limit: int
) -> tuple[list[Alert], int | None]:
    """Newest first. `after` is the `next` of the page before; `next` is None on the last page."""
    where = alert.c.state == state if state else alert.c.id.is_not(None)
    if after is not None:
        where &= alert.c.id < after
    uses = load_uses(conn, where, limit=limit + 1)
    return [board.alert(use) for use in uses[:limit]], _next([use.alert.id for use in uses], limit)


def list_reviews(
    conn: Connection, room: str | None, after: int | None, limit: int
) -> tuple[list[Review], int | None]:
    """Newest first, paged as the alerts."""
    query = select(review).order_by(review.c.id.desc()).limit(limit + 1)
    if room is not None:
        query = query.where(review.c.room == room)
    if after is not None:
        query = query.where(review.c.id < after)
    rows = conn.execute(query).all()
    return [_review(row) for row in rows[:limit]], _next([row.id for row in rows], limit)


def open_faults(conn: Connection) -> list[Fault]:
    """Those that stand, oldest first."""
    query = select(fault).where(fault.c.cleared_ms.is_(None)).order_by(fault.c.id)
    return [board.fault(row) for row in conn.execute(query)]


class _View:
    """What was read for a snapshot, ready to be asked by place."""

    def __init__(
        self, links: dict[str, EdgeLink], points: dict[tuple[str, str], PointState], uses: list[Use]
    ) -> None:
        self._links = links
        self._points = points
        self._uses: dict[str, list[Use]] = {}
        for use in uses:
            self._uses.setdefault(use.alert.room, []).append(use)

    def station(self, settings: StationSettings, order: int) -> Station:
        return board.station(settings, order, self._link(settings.edge))

    def room(self, place: RoomPlace) -> Room:
        doors = self._states(place.edge, place.room.doors)
        picture = self._states(place.edge, [place.room.camera])[0] if place.room.camera else None
        uses = self._uses.get(place.room.id, [])
        return board.room(place, doors, picture, self._link(place.edge), uses)

    def cabinet(self, place: CabinetPlace) -> Cabinet:
        names = [point for n in range(1, place.cabinet.slots + 1) for point in place.points(n)]
        states = dict(zip(names, self._states(place.edge, names), strict=True))
        return board.cabinet(place, states, self._link(place.edge))

    def _link(self, edge: str) -> EdgeLink:
        return self._links.get(edge) or EdgeLink(edge)

    def _states(self, edge: str, names: Iterable[str]) -> list[PointState]:
        return [self._points.get((edge, name)) or PointState(edge, name) for name in names]


def _next(ids: list[int], limit: int) -> int | None:
    return ids[limit - 1] if len(ids) > limit else None


def _review(row: Row[Any]) -> Review:
    return Review(
        id=row.id,
        alert=str(row.alert_id),
        station=row.station,
        room=row.room,
        reviewer=Person(row.reviewer_id, row.reviewer_name),
        live=row.live,
        viewed_ms=row.viewed_ms,
        result=row.result,
        checklist=msgspec.json.decode(row.checklist, type=dict[str, str]),
        notes=row.notes,
        short_view_reason=row.short_view_reason,
        edge_ms=row.edge_ms,
        raised_ms=row.raised_ms,
        claimed_ms=row.claimed_ms,
        reviewed_ms=row.reviewed_ms,
        late=row.late,
    )
