"""Stored journal rows: the bytes that the edge hashed, and when the centre first had them."""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw, Struct
from sqlalchemy import Connection, Select, select
from sqlalchemy import Row as SqlRow

from central.store.bulk import insert_rows
from central.store.schema import event


class StoredEvent(Struct, frozen=True):
    """`id` is in commit order; `row` is the edge's row, byte for byte; `hash` is the chain after it, hex."""

    id: int
    edge: str
    epoch: int
    seq: int
    hash: str
    received_ms: int
    row: Raw


class NewEvent(Struct, frozen=True):
    """A row that admission took. `point` is the row's own, for queries."""

    edge: str
    epoch: int
    seq: int
    hash: str
    point: str | None
    received_ms: int
    row: bytes


class Origin(Struct, frozen=True):
    """Points, as this edge and no other tells of them."""

    edge: str
    points: tuple[str, ...]


def append(conn: Connection, events: Sequence[NewEvent]) -> None:
    """Stores rows in the order given."""
    insert_rows(conn, event, events)


def hash_of(conn: Connection, edge: str, epoch: int, seq: int) -> str | None:
    """The chain's hash after a stored row, None where there is no such row."""
    identity = (event.c.edge == edge, event.c.epoch == epoch, event.c.seq == seq)
    return conn.scalar(select(event.c.hash).where(*identity))


def list_events(
    conn: Connection, after: int, limit: int, origin: Origin | None = None
) -> tuple[list[StoredEvent], int | None]:
    """Oldest first, ids above `after`; `origin`: only its rows. `next` is None when there is no more."""
    query = select(event).where(event.c.id > after).order_by(event.c.id).limit(limit + 1)
    rows = conn.execute(_of(query, origin)).all()
    page = [_stored(row) for row in rows[:limit]]
    return page, page[-1].id if len(rows) > limit else None


def last_events(conn: Connection, count: int, origin: Origin | None = None) -> list[StoredEvent]:
    """The newest `count`, oldest of them first; `origin` as above."""
    query = select(event).order_by(event.c.id.desc()).limit(count)
    return [_stored(row) for row in reversed(conn.execute(_of(query, origin)).all())]


def _of(query: Select[Any], origin: Origin | None) -> Select[Any]:
    if origin is None:
        return query
    return query.where(event.c.edge == origin.edge, event.c.point.in_(origin.points))


def _stored(row: SqlRow[Any]) -> StoredEvent:
    return StoredEvent(row.id, row.edge, row.epoch, row.seq, row.hash, row.received_ms, Raw(row.row))
