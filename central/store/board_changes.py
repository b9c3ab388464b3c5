"""The last changes of the board, so that a client that was away for a moment can catch up."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct
from sqlalchemy import Connection, delete, func, select

from central.board_model import EntityKind
from central.store.bulk import insert_rows
from central.store.schema import board_change

KEPT = 10_000
PRUNE_EVERY = 1_000

_LAST = select(func.max(board_change.c.seq))


class Cause(Struct, frozen=True):
    """The edge's row that a change comes from; `at` is the edge's wall time, ms."""

    edge: str
    epoch: int
    seq: int
    at: int


class Change(Struct, frozen=True):
    """One change of the board. `entity` is the whole entity as it is now, in JSON. `seq` has no gaps."""

    seq: int
    kind: EntityKind
    entity: Raw
    cause: Cause | None


class _Row(Struct):
    seq: int
    kind: str
    entity: bytes
    cause: bytes | None


def append(conn: Connection, pending: Sequence[tuple[EntityKind, bytes, Cause | None]]) -> list[Change]:
    """Gives the pending changes their places. Only inside the one writer's transaction."""
    if not pending:
        return []
    last = last_seq(conn)
    changes = [
        Change(seq, kind, Raw(entity), cause)
        for seq, (kind, entity, cause) in enumerate(pending, start=last + 1)
    ]
    insert_rows(conn, board_change, [_row(change) for change in changes])
    if last // PRUNE_EVERY != changes[-1].seq // PRUNE_EVERY:
        conn.execute(delete(board_change).where(board_change.c.seq <= changes[-1].seq - KEPT))
    return changes


def last_seq(conn: Connection) -> int:
    """The newest change, 0 before the first."""
    return conn.scalar(_LAST) or 0


def since(conn: Connection, seq: int, limit: int) -> list[Change] | None:
    """Changes after `seq`, oldest first.

    None where they cannot be told without a hole: more than `limit`, pruned already, or a `seq` that
    this store never gave.
    """
    last = last_seq(conn)
    if not 0 <= last - seq <= limit:
        return None
    rows = conn.execute(
        select(board_change).where(board_change.c.seq > seq).order_by(board_change.c.seq)
    ).all()
    if len(rows) != last - seq:
        return None
    return [
        Change(
            row.seq,
            row.kind,
            Raw(row.entity),
            msgspec.json.decode(row.cause, type=Cause) if row.cause else None,
        )
        for row in rows
    ]


def _row(change: Change) -> _Row:
    cause = msgspec.json.encode(change.cause) if change.cause else None
    return _Row(change.seq, change.kind, bytes(change.entity), cause)
