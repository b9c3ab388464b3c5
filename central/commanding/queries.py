"""Commands in the store: given, moved by one step, read."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select, update
from sqlalchemy import Row as SqlRow

from central.commanding.schema import command
from central.commanding.states import State, Step, after, befores
from central.store.database import Transaction
from contract.messages import Action
from contract.rows import Data


class Given(Struct, frozen=True):
    """A command as a person reads it. `who`: a name, or `system`. `detail`: what its edge said of it."""

    id: str
    edge: str
    action: Action
    point: str | None
    made_ms: int
    who: str
    reason: str
    state: State
    sent_ms: int | None
    result_ms: int | None
    detail: str


class Stored(Given, frozen=True):
    """And what it takes to send it."""

    args: Data
    session: int | None
    beat: int | None


def give(
    tx: Transaction,
    *,
    id_: str,
    edge: str,
    action: Action,
    point: str | None,
    args: Data,
    who: str,
    reason: str,
    now_ms: int,
) -> None:
    """A new command waits to be sent."""
    tx.conn.execute(
        insert(command).values(
            id=id_,
            edge=edge,
            action=action.value,
            point=point,
            args=msgspec.json.encode(args).decode(),
            made_ms=now_ms,
            who=who,
            reason=reason,
            state=State.WAITING.value,
            detail="",
        )
    )


def move(tx: Transaction, id_: str, edge: str, step: Step, **values: object) -> bool:
    """Claims a step of a command: False where it cannot be taken any more, and then nothing changes."""
    for state in befores(step):
        to = after(state, step)
        assert to is not None
        this = (command.c.id == id_, command.c.edge == edge, command.c.state == state.value)
        if tx.conn.execute(update(command).where(*this).values(state=to.value, **values)).rowcount == 1:
            return True
    return False


def get(conn: Connection, id_: str) -> Stored | None:
    found = conn.execute(select(command).where(command.c.id == id_)).first()
    return _stored(found) if found else None


def in_states(conn: Connection, states: Sequence[State], edge: str | None = None) -> list[Stored]:
    """Oldest first."""
    query = select(command).where(command.c.state.in_([state.value for state in states]))
    if edge is not None:
        query = query.where(command.c.edge == edge)
    return [_stored(row) for row in conn.execute(query.order_by(command.c.made_ms, command.c.id))]


def of_maintenance(conn: Connection, edge: str, since_ms: int) -> list[Stored]:
    """The commands by which an edge was told of maintenance since then, oldest first."""
    query = select(command).where(
        command.c.edge == edge,
        command.c.made_ms >= since_ms,
        command.c.action.in_([Action.MAINTAIN.value, Action.END_MAINTENANCE.value]),
    )
    return [_stored(row) for row in conn.execute(query.order_by(command.c.made_ms, command.c.id))]


def list_commands(conn: Connection, edge: str | None, before_ms: int | None, limit: int) -> list[Given]:
    """Newest first."""
    query = select(command).order_by(command.c.made_ms.desc(), command.c.id).limit(limit)
    if edge is not None:
        query = query.where(command.c.edge == edge)
    if before_ms is not None:
        query = query.where(command.c.made_ms < before_ms)
    return [given(_stored(row)) for row in conn.execute(query)]


def given(stored: Stored) -> Given:
    return Given(*(getattr(stored, name) for name in Given.__struct_fields__))


def _stored(row: SqlRow[tuple[object, ...]]) -> Stored:
    fields = {name: getattr(row, name) for name in Stored.__struct_fields__}
    return msgspec.convert({**fields, "args": msgspec.json.decode(row.args)}, Stored)
