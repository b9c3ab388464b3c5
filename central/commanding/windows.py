"""Maintenance by the centre's leave: begun with a reason, ended by the centre's clock, told to the edge.

What an edge has to be told follows from what it was told in its present start, so nothing is remembered
elsewhere: a window that runs is told at once, after each restart, and again where no answer came; one that
was ended early is taken back.
"""

import uuid

from msgspec import Struct
from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy import Row as SqlRow

from central.commanding import newest_beat, queries
from central.commanding.newest_beat import NewestBeat
from central.commanding.queries import Stored
from central.commanding.schema import maintenance
from central.commanding.states import OPEN, State
from central.store.database import Transaction
from contract.limits import MAINTENANCE_MAX_S
from contract.messages import Action
from contract.rows import Data

SYSTEM = "system"
TELL_AGAIN_AFTER_MS = 15_000


class Window(Struct, frozen=True):
    """`ended_ms`: when it really ended, None while it runs."""

    id: int
    edge: str
    from_ms: int
    until_ms: int
    reason: str
    who: str
    ended_ms: int | None


def begin(tx: Transaction, edge: str, *, for_s: int, who: str, reason: str, now_ms: int) -> Window:
    until_ms = now_ms + for_s * 1_000
    values = {"edge": edge, "from_ms": now_ms, "until_ms": until_ms, "reason": reason, "who": who}
    key = tx.conn.execute(insert(maintenance).values(**values)).inserted_primary_key
    assert key is not None
    return Window(int(key[0]), edge, now_ms, until_ms, reason, who, None)


def end(tx: Transaction, window_id: int, now_ms: int) -> bool:
    """False where it had ended."""
    this = (maintenance.c.id == window_id, maintenance.c.ended_ms.is_(None))
    return tx.conn.execute(update(maintenance).where(*this).values(ended_ms=now_ms)).rowcount == 1


def running(conn: Connection, edge: str, now_ms: int) -> Window | None:
    """What holds now, also where nobody has come by to note its end."""
    this = (maintenance.c.edge == edge, maintenance.c.ended_ms.is_(None), maintenance.c.until_ms > now_ms)
    found = conn.execute(select(maintenance).where(*this)).first()
    return _window(found) if found else None


def get(conn: Connection, window_id: int) -> Window | None:
    found = conn.execute(select(maintenance).where(maintenance.c.id == window_id)).first()
    return _window(found) if found else None


def list_windows(conn: Connection, edge: str | None, limit: int) -> list[Window]:
    """Newest first."""
    query = select(maintenance).order_by(maintenance.c.id.desc()).limit(limit)
    if edge is not None:
        query = query.where(maintenance.c.edge == edge)
    return [_window(row) for row in conn.execute(query)]


def unsettled(conn: Connection, now_ms: int) -> list[Window]:
    """Those that run, are to end, or may still have to be taken back."""
    is_due = or_(maintenance.c.ended_ms.is_(None), maintenance.c.until_ms > now_ms)
    return [
        _window(row) for row in conn.execute(select(maintenance).where(is_due).order_by(maintenance.c.id))
    ]


def settle(tx: Transaction, now_ms: int) -> None:
    """Ends what is over, and gives the commands that tell the edges."""
    for window in unsettled(tx.conn, now_ms):
        if window.until_ms <= now_ms:
            end(tx, window.id, window.until_ms)
            continue
        newest = newest_beat.of(tx.conn, window.edge)
        told = queries.of_maintenance(tx.conn, window.edge, window.from_ms)
        told = [one for one in told if one.args.get("permission") == str(window.id)]
        action = to_tell(window, told, newest, now_ms) if newest else None
        if action is not None:
            _give(tx, window, action, now_ms, made_ms=max([now_ms, *(one.made_ms + 1 for one in told)]))


def to_tell(window: Window, told: list[Stored], newest: NewestBeat, now_ms: int) -> Action | None:
    """What the edge has to be told now. Pure. `told`: of this window, oldest first."""
    here = [one for one in told if one.session in {None, newest.session}]
    last = here[-1] if here else None
    action = Action.MAINTAIN if window.ended_ms is None else Action.END_MAINTENANCE
    if last is None:
        return action if action is Action.MAINTAIN else None
    if last.action is not action:
        return action
    if last.state in (*OPEN, State.DONE) or now_ms - last.made_ms < TELL_AGAIN_AFTER_MS:
        return None
    return action


def _give(tx: Transaction, window: Window, action: Action, now_ms: int, *, made_ms: int) -> None:
    args: Data = {"permission": str(window.id)}
    if action is Action.MAINTAIN:
        args["for_s"] = min(MAINTENANCE_MAX_S, -(-(window.until_ms - now_ms) // 1_000))
    queries.give(
        tx,
        id_=str(uuid.uuid4()),
        edge=window.edge,
        action=action,
        point=None,
        args=args,
        who=SYSTEM,
        reason=window.reason,
        now_ms=made_ms,
    )


def _window(row: SqlRow[tuple[object, ...]]) -> Window:
    return Window(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
