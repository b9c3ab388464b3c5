"""Queries of the uses of rooms: a session with its alert, and the history that an alert leaves."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, or_, select, union

from central.patrol.engine import Moment, PatrolAlert, RoomSession, Use
from central.patrol.schema import LIVE, WAITING, alert, alert_event, room_session
from central.patrol.states import State
from central.store.bulk import insert_rows

LIMIT = 500
"""Uses of one read: the others' turn is the next."""

_SESSION = [room_session.c[name] for name in RoomSession.__struct_fields__]
_ALERT = [alert.c[name] for name in PatrolAlert.__struct_fields__]
_USES = select(*_SESSION, *_ALERT).join_from(room_session, alert, alert.c.session_id == room_session.c.id)
_NEWEST_ENDED = (
    select(
        alert.c.room,
        func.max(room_session.c.id).label("id"),
        func.max(room_session.c.activity_ms).label("active_ms"),
    )
    .join_from(alert, room_session, alert.c.session_id == room_session.c.id)
    .where(
        alert.c.room.in_(bindparam("rooms", expanding=True)), WAITING, room_session.c.ended_ms.is_not(None)
    )
    .group_by(alert.c.room)
)
_LIVE_IN = select(room_session.c.id).where(room_session.c.room.in_(bindparam("rooms", expanding=True)), LIVE)
_FOREMOST = _USES.where(
    or_(room_session.c.id.in_(bindparam("ended", expanding=True)), room_session.c.id.in_(_LIVE_IN))
).order_by(room_session.c.id.desc())
_STATES = {state.value: state for state in State}
_STATE = PatrolAlert.__struct_fields__.index("state")


def in_room(room_id: str) -> ColumnElement[bool]:
    """The live use of a room, and those whose alert waits."""
    live = select(room_session.c.id).where(room_session.c.room == room_id, LIVE)
    waiting = select(alert.c.session_id).where(alert.c.room == room_id, WAITING)
    return room_session.c.id.in_(union(live, waiting).scalar_subquery())


def with_id(alert_id: int) -> ColumnElement[bool]:
    return alert.c.id == alert_id


def due_in_room(room_id: str, now_ms: int, known: Collection[int]) -> ColumnElement[bool]:
    """Those of a room whose alert is to lapse by now, beside those already known."""
    is_unclaimed = alert.c.state.in_([State.UNACK, State.RTN_UNACK])
    is_due = and_(alert.c.room == room_id, is_unclaimed, alert.c.lapse_at_ms <= now_ms)
    return and_(is_due, alert.c.id.not_in(known))


def load_uses(conn: Connection, where: ColumnElement[bool], limit: int = LIMIT) -> list[Use]:
    """Uses, newest first."""
    query = _USES.where(where).order_by(room_session.c.id.desc()).limit(limit)
    return [_use(row) for row in conn.execute(query)]


def load_foremost(conn: Connection, room_ids: Collection[str]) -> tuple[list[Use], dict[str, int]]:
    """Of each of these rooms the live use, and the newest that ended and waits; newest first.

    Beside them by room: when the last of all that ended and wait was active.
    """
    ended = conn.execute(_NEWEST_ENDED, {"rooms": [*room_ids]}).all()
    wanted = {"rooms": [*room_ids], "ended": [row.id for row in ended]}
    return [_use(row) for row in conn.execute(_FOREMOST, wanted).all()], {
        row.room: row.active_ms for row in ended
    }


def load_standing(conn: Connection, where: ColumnElement[bool], limit: int) -> list[Use]:
    """Uses, newest first; whatever history came after them, the live ones are among them."""
    live_first = (room_session.c.ended_ms.is_not(None), room_session.c.id.desc())
    found = [_use(row) for row in conn.execute(_USES.where(where).order_by(*live_first).limit(limit))]
    return sorted(found, key=lambda use: use.session.id, reverse=True)


def record_moments(conn: Connection, moments: Iterable[Moment]) -> None:
    """Appends to the alerts' history."""
    insert_rows(conn, alert_event, [*moments])


def _use(row: Row[Any]) -> Use:
    values = list(row[len(_SESSION) :])
    values[_STATE] = _STATES[values[_STATE]]
    return Use(RoomSession(*row[: len(_SESSION)]), PatrolAlert(*values))
