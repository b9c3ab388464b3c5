"""Queries of the ingest: the cursor of each edge, and the rows that ran ahead of it."""

from collections.abc import Collection

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from central.ingest.admission import Admitted, Cursor
from central.ingest.schema import edge_cursor, live_row

_READ = select(edge_cursor).where(edge_cursor.c.edge == bindparam("edge"))

LIVE_PENDING_MAX = 1_024
"""Rows of one edge that may run ahead of its log."""
NONE_AHEAD = 2**63
"""Above every row."""
AWAITED = (live_row.c.forked.is_(False), live_row.c.skipped.is_(False))
"""Rows that the log is still to bring."""


def read(conn: Connection, edge: str) -> Cursor | None:
    """None before the edge's first epoch was admitted."""
    row = conn.execute(_READ, {"edge": edge}).one_or_none()
    return Cursor(row.epoch, row.seq, row.hash) if row else None


def keep(conn: Connection, edge: str, cursor: Cursor) -> None:
    """The edge's cursor from now on."""
    place = {"epoch": cursor.epoch, "seq": cursor.seq, "hash": cursor.hash}
    moved = conn.execute(update(edge_cursor).where(edge_cursor.c.edge == edge).values(place))
    if not moved.rowcount:
        conn.execute(insert(edge_cursor).values(edge=edge, **place))


class LiveRow(Admitted, frozen=True):
    """A row of the live lane. `alert_id`: the alert that it raised or counts in."""

    received_ms: int
    alert_id: int | None


class Early(Struct, frozen=True):
    """What is known of a row that ran ahead: the chain's hash after it, and when it came."""

    hash: str
    received_ms: int


class Ahead:
    """What of one edge and epoch ran ahead of the log."""

    def __init__(self, conn: Connection, edge: str, epoch: int) -> None:
        self._conn = conn
        self._edge = edge
        self._epoch = epoch
        self._mine = (live_row.c.edge == edge, live_row.c.epoch == epoch)
        self._lowest: int | None = None
        """No row below this one ran ahead: most of a backlog is asked for nothing. Read at the first need."""

    def put(self, live: LiveRow) -> None:
        self._conn.execute(
            insert(live_row).values(
                edge=self._edge,
                epoch=self._epoch,
                seq=live.row.seq,
                hash=live.hash,
                received_ms=live.received_ms,
                row=live.raw,
                alert_id=live.alert_id,
                forked=False,
                skipped=False,
            )
        )
        self._lowest = None

    @property
    def is_full(self) -> bool:
        """No more may run ahead before the log moves."""
        count = select(func.count()).select_from(live_row).where(*self._mine, *AWAITED)
        return (self._conn.scalar(count) or 0) >= LIVE_PENDING_MAX

    def hash_at(self, seq: int) -> str | None:
        return self._conn.scalar(select(live_row.c.hash).where(*self._mine, live_row.c.seq == seq))

    def between(self, first: int, last: int) -> dict[int, Early]:
        """By seq."""
        if last < self._lowest_awaited():
            return {}
        rows = self._conn.execute(select(live_row).where(*self._mine, live_row.c.seq.between(first, last)))
        return {row.seq: Early(row.hash, row.received_ms) for row in rows}

    def settle(self, seqs: Collection[int]) -> set[int]:
        """The log has brought the same rows. Returns the alerts that they count in."""
        these = (*self._mine, live_row.c.seq.in_(seqs))
        alert_ids = set(self._conn.scalars(select(live_row.c.alert_id).where(*these)))
        self._conn.execute(delete(live_row).where(*these))
        self._lowest = None
        return alert_ids - {None}

    def contradict(self, seqs: Collection[int]) -> None:
        """The log has brought others in their place: they are kept as evidence."""
        self._conn.execute(update(live_row).where(*self._mine, live_row.c.seq.in_(seqs)).values(forked=True))
        self._lowest = None

    def give_up_before(self, first: int) -> set[int]:
        """The log goes on at `first`: a person has skipped what these were among. Returns their alerts."""
        if self._lowest_awaited() >= first:
            return set()
        return self._give_up(*self._mine, live_row.c.seq < first)

    def give_up_other_epochs(self) -> set[int]:
        """Rows of the journals before this one. Returns the alerts that they count in."""
        return self._give_up(live_row.c.edge == self._edge, live_row.c.epoch != self._epoch)

    def still_pending(self, alert_ids: Collection[int]) -> set[int]:
        """Of these alerts, those that other rows ahead of the log count in."""
        pending = select(live_row.c.alert_id).where(
            live_row.c.alert_id.in_(alert_ids), live_row.c.skipped.is_(False)
        )
        return {alert_id for alert_id in self._conn.scalars(pending) if alert_id is not None}

    def _lowest_awaited(self) -> int:
        if self._lowest is None:
            lowest = select(func.min(live_row.c.seq)).where(*self._mine, *AWAITED)
            self._lowest = self._conn.scalar(lowest) or NONE_AHEAD
        return self._lowest

    def _give_up(self, *which: ColumnElement[bool]) -> set[int]:
        """No log will bring these any more: they stay as evidence, and no alert awaits them."""
        these = (*which, *AWAITED)
        alert_ids = set(self._conn.scalars(select(live_row.c.alert_id).where(*these)))
        self._conn.execute(update(live_row).where(*these).values(skipped=True))
        self._lowest = None
        return alert_ids - {None}
