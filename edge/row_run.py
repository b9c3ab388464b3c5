"""Consecutive rows of the journal in memory, so that those on their way are not read one by one. Pure."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from edge.journal_file import StoredRow


class RowRun:
    """The last `kept` of the rows that were added, without a hole."""

    def __init__(self, kept: int, rows: Sequence[StoredRow] = ()) -> None:
        self._rows: deque[StoredRow] = deque(rows, kept)

    @property
    def oldest(self) -> StoredRow | None:
        return self._rows[0] if self._rows else None

    def add(self, rows: Sequence[StoredRow]) -> None:
        """Rows in order; where they do not go on from what is here, that is forgotten."""
        if rows and self._rows and rows[0].seq != self._rows[-1].seq + 1:
            self._rows.clear()
        self._rows.extend(rows)

    def rows(self, first: int, limit: int) -> list[StoredRow]:
        """Up to `limit` rows from `first` on; none where that row is not here."""
        if not self._rows or not self._rows[0].seq <= first <= self._rows[-1].seq:
            return []
        start = first - self._rows[0].seq
        return list(islice(self._rows, start, start + limit))

    def hash_at(self, seq: int) -> bytes | None:
        """The chain's hash after row `seq`; None where that row is not here."""
        found = self.rows(seq, 1)
        return found[0].hash if found else None
