"""How far each edge's log is stored, and what one group adds to it: read once, written once, at the end."""

from sqlalchemy import Connection

from central.ingest import cursors
from central.ingest.admission import Cursor
from central.ingest.cursors import Ahead
from central.store import events
from central.store.events import NewEvent


class Ledger:
    """Of one transaction. What was kept or appended here is so for every later look. Ends with `write`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._cursors: dict[str, Cursor | None] = {}
        self._moved: set[str] = set()
        self._new: list[NewEvent] = []
        self._ahead: dict[tuple[str, int], Ahead] = {}

    def cursor(self, edge: str) -> Cursor | None:
        """None before the edge's first epoch was admitted."""
        if edge not in self._cursors:
            self._cursors[edge] = cursors.read(self._conn, edge)
        return self._cursors[edge]

    def keep(self, edge: str, cursor: Cursor) -> None:
        """The edge's cursor from now on."""
        if self.cursor(edge) != cursor:
            self._cursors[edge] = cursor
            self._moved.add(edge)

    def append(self, rows: list[NewEvent]) -> None:
        """Rows in the order of the log."""
        self._new += rows

    def ahead(self, edge: str, epoch: int) -> Ahead:
        """What of the edge's rows ran ahead of its log."""
        if (edge, epoch) not in self._ahead:
            self._ahead[edge, epoch] = Ahead(self._conn, edge, epoch)
        return self._ahead[edge, epoch]

    def hash_at(self, edge: str, epoch: int, seq: int) -> str | None:
        """The chain's hash after a row, in the log or ahead of it; None where that row is not here."""
        self._write_rows()
        return events.hash_of(self._conn, edge, epoch, seq) or self.ahead(edge, epoch).hash_at(seq)

    def write(self) -> None:
        self._write_rows()
        for edge in self._moved:
            cursor = self._cursors[edge]
            assert cursor is not None
            cursors.keep(self._conn, edge, cursor)

    def _write_rows(self) -> None:
        rows, self._new = self._new, []
        events.append(self._conn, rows)
