"""What one transaction touches of the patrol: loaded once, changed by the engine, written back once.

A batch of 64 rows of one room costs the reads and writes of one.
"""

from collections.abc import Collection, Iterable
from functools import partial

from msgspec import Struct
from sqlalchemy import bindparam, select

from central.board_model import DoorState, Room
from central.patrol import board
from central.patrol.board import EdgeLink
from central.patrol.engine import Older, Patrol, PointState, Use, door_of, no_older
from central.patrol.places import CabinetPlace, Places, RoomPlace
from central.patrol.schema import alert, edge_link, point_state, room_session
from central.patrol.shelf import Shelf
from central.patrol.uses import (
    due_in_room,
    in_room,
    load_foremost,
    load_standing,
    load_uses,
    record_moments,
    with_id,
)
from central.settings import Rules
from central.store.board_changes import Cause
from central.store.database import Transaction

WAITING_MAX = 20
"""Uses of one room that a decision looks at, the live one first of all; older ones wait on, but no late row
joins them.
"""


_POINTS = select(*[point_state.c[name] for name in PointState.__struct_fields__]).where(
    point_state.c.edge == bindparam("edge"), point_state.c.point.in_(bindparam("points", expanding=True))
)


class RoomNow(Struct):
    """A room as it stands, ready for decisions."""

    place: RoomPlace
    doors: list[PointState]
    picture: PointState | None
    link: EdgeLink
    patrol: Patrol

    @property
    def door(self) -> DoorState:
        return door_of(self.doors, self.link.state)

    def look(self) -> Room:
        """As the board shows it."""
        return board.room(self.place, self.doors, self.picture, self.link, self.patrol.uses)


class Scene:
    """Everything of the patrol that one transaction sees. Ends with `write_back`."""

    def __init__(self, tx: Transaction, places: Places, rules: Rules) -> None:
        self.places = places
        self._tx = tx
        self._rules = rules
        self._links = Shelf(edge_link)
        self._points = Shelf(point_state)
        self._sessions = Shelf(room_session)
        self._alerts = Shelf(alert)
        self._rooms: dict[str, RoomNow] = {}
        self._complete: set[str] = set()

    @property
    def tx(self) -> Transaction:
        return self._tx

    def link(self, edge: str) -> EdgeLink:
        found: EdgeLink | None = self._links.get(edge)
        if found is None:
            row = self._tx.conn.execute(select(edge_link).where(edge_link.c.edge == edge)).one_or_none()
            link = EdgeLink(**row._mapping) if row else EdgeLink(edge)  # noqa: SLF001 - SQLAlchemy's public name
            return self._links.lay(edge, link, is_stored=row is not None)
        return found

    def points(self, edge: str, names: Iterable[str]) -> dict[str, PointState]:
        """The states of points, those never heard of too."""
        wanted = list(names)
        missing = [name for name in wanted if self._points.get((edge, name)) is None]
        if missing:
            for row in self._tx.conn.execute(_POINTS, {"edge": edge, "points": missing}).all():
                state = PointState(*row)
                self._points.lay((edge, state.point), state, is_stored=True)
        return {name: self._point(edge, name) for name in wanted}

    def point(self, edge: str, name: str) -> PointState:
        """The state of a point, one never heard of too."""
        found: PointState | None = self._points.get((edge, name))
        return found or self.points(edge, (name,))[name]

    def expect(self, edge: str, points: Collection[str]) -> None:
        """Rows of these points follow: what they need of the store is read at once, not place by place."""
        places = {id(place): place for point in points if (place := self.places.of(edge, point))}.values()
        self.points(edge, [point for place in places for point in place.all_points])
        rooms = {p.room.id: p for p in places if isinstance(p, RoomPlace) and p.room.id not in self._rooms}
        if not rooms:
            return
        uses: dict[str, list[Use]] = {room_id: [] for room_id in rooms}
        found, active_ms = load_foremost(self._tx.conn, uses)
        for use in self._lay(found):
            uses[use.session.room].append(use)
        for room_id, place in rooms.items():
            older = partial(self._others, room_id, active_ms.get(room_id, 0))
            self._rooms[room_id] = self._room(place, uses[room_id], older)

    def room(self, room_id: str) -> RoomNow:
        if room_id not in self._rooms:
            self._rooms[room_id] = self._room(self.places.rooms[room_id], self._uses(room_id))
        return self._rooms[room_id]

    def room_with_due(self, room_id: str, now_ms: int) -> RoomNow:
        """A room, and of its alerts all that are to lapse, however many wait."""
        now = self.room(room_id)
        due = due_in_room(room_id, now_ms, [use.alert.id for use in now.patrol.uses])
        now.patrol.uses += self._lay(load_uses(self._tx.conn, due))
        return now

    def use(self, alert_id: int) -> Use | None:
        """The use that an alert belongs to, whatever became of it, and be it of this very transaction."""
        here = (use for now in self._rooms.values() for use in now.patrol.uses if use.alert.id == alert_id)
        if (found := next(here, None)) is not None:
            return found
        room_id = self._tx.conn.scalar(select(alert.c.room).where(alert.c.id == alert_id))
        if room_id is None:
            return None
        for use in self.room(room_id).patrol.uses:
            if use.alert.id == alert_id:
                return use
        return self._lay(load_uses(self._tx.conn, with_id(alert_id)))[0]

    def show_station(self, edge: str) -> None:
        station = self.places.station_of_edge[edge]
        link, order = self.link(edge), self.places.order[station.id]
        self._tx.moved("station", station.id, lambda: board.station(station, order, link))

    def show_room(self, room_id: str, cause: Cause | None = None) -> None:
        now = self.room(room_id)
        self._tx.moved("room", room_id, now.look, cause)

    def show_alert(self, use: Use, cause: Cause | None = None) -> None:
        self._tx.moved("alert", str(use.alert.id), partial(board.alert, use), cause)

    def show_cabinet(self, place: CabinetPlace, cause: Cause | None = None) -> None:
        points = self.points(place.edge, place.all_points)
        look = partial(board.cabinet, place, points, self.link(place.edge))
        self._tx.moved("cabinet", place.cabinet.id, look, cause)

    def write_back(self) -> None:
        """Everything that changed, and each step of each alert; before the transaction's end, once."""
        moments = [moment for now in self._rooms.values() for moment in now.patrol.moments]
        for now in self._rooms.values():
            for use in now.patrol.uses:
                if self._alerts.get(use.alert.id) is None:
                    self._sessions.add(use.session.id, use.session)
                    self._alerts.add(use.alert.id, use.alert)
        for shelf in (self._links, self._points, self._sessions, self._alerts):
            shelf.write_back(self._tx.conn)
        record_moments(self._tx.conn, moments)

    def _point(self, edge: str, name: str) -> PointState:
        found: PointState | None = self._points.get((edge, name))
        return found or self._points.lay((edge, name), PointState(edge, name), is_stored=False)

    def _room(self, place: RoomPlace, uses: list[Use], older: Older = no_older) -> RoomNow:
        points, camera = self.points(place.edge, place.all_points), place.room.camera
        return RoomNow(
            place=place,
            doors=[points[door] for door in place.room.doors],
            picture=points[camera] if camera else None,
            link=self.link(place.edge),
            patrol=Patrol(uses, self._rules, partial(self._tx.next_id, room_session.c.id), older),
        )

    def _uses(self, room_id: str) -> list[Use]:
        return self._lay(load_standing(self._tx.conn, in_room(room_id), WAITING_MAX))

    def _others(self, room_id: str, active_ms: int, since_ms: int) -> list[Use]:
        """Those of a room that `expect` left out, and once; none where the last was active before."""
        if active_ms < since_ms or room_id in self._complete:
            return []
        self._complete.add(room_id)
        known = {use.session.id for use in self._rooms[room_id].patrol.uses}
        return [use for use in self._uses(room_id) if use.session.id not in known]

    def _lay(self, uses: list[Use]) -> list[Use]:
        return [self._laid(use) for use in uses]

    def _laid(self, use: Use) -> Use:
        """What is here already stays as the transaction has made it."""
        known = self._alerts.get(use.alert.id)
        if known is not None:
            return Use(self._sessions.get(use.session.id), known)
        self._sessions.lay(use.session.id, use.session, is_stored=True)
        self._alerts.lay(use.alert.id, use.alert, is_stored=True)
        return use
