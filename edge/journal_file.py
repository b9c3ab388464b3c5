"""The journal on disk: one SQLite file, rows in one chain, the points' last states beside them.

Synchronous and used by one thread. WAL with synchronous=FULL: when `append` has returned, the rows
survive a power cut. Nothing here is ever updated but the states and the marks; rows are only added,
and taken away at the old end long after their receipt.

    row(seq, bytes, hash)                      the rows, as hashed and sent
    point_state(point, value, quality, …)      what was known when the newest row was written
    mark(name, value)                          epoch, session, receipt, age, trim, settings' hash, commands
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import sqlite_utils

from contract import chain
from contract.ids import EdgeId, Epoch, PointId, Seq
from contract.points import Quality
from contract.rows import Row, encode_row
from edge import retention
from edge.errors import JournalDamaged
from edge.proposals import Draft, PointMemory

FILE_NAME = "journal.db"
ROW_COLUMNS = "seq, CAST(bytes AS BLOB), CAST(hash AS BLOB)"
"""SQLite lets whoever edits a row by hand turn its bytes into text."""

_TABLES = """
    CREATE TABLE IF NOT EXISTS row(seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL, hash BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS point_state(
        point TEXT PRIMARY KEY, value TEXT NOT NULL, quality TEXT NOT NULL, since INTEGER NOT NULL,
        counter INTEGER, is_ajar INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS mark(name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class StoredRow(msgspec.Struct, frozen=True):
    """A durable row: its bytes, and the chain's hash after it."""

    seq: Seq
    raw: bytes
    hash: bytes


class JournalFile:
    """An open journal. Raises JournalDamaged where it is none, sqlite3.Error for the disk's faults."""

    def __init__(self, path: Path, edge: EdgeId, new_epoch: Epoch) -> None:
        """`new_epoch` names the journal's epoch if the file is made by this call."""
        self._db = sqlite_utils.Database(sqlite3.connect(path, check_same_thread=False))
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)
            if "is_ajar" not in self._db["point_state"].columns_dict:  # a journal of version 0.1
                self._db.execute("ALTER TABLE point_state ADD COLUMN is_ajar INTEGER NOT NULL DEFAULT 0")
            if self.mark("epoch") is None:
                self.set_marks({"edge": edge, "epoch": str(new_epoch), "session": "0"})
            self.epoch = Epoch(int(self.mark("epoch") or new_epoch))
            self.base = Seq(int(self.mark("base_seq") or 0))
            self.base_hash = bytes.fromhex(self.mark("base_hash") or chain.anchor(edge, self.epoch).hex())
            self.head, self.head_hash = self._find_head()
            self._check_tail()
            self._check_owner(edge)
            self.memories()  # a state that cannot be read is damage too
        except (sqlite3.Error, ValueError, JournalDamaged) as error:
            self._db.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise JournalDamaged(f"{path.name}: {error}") from error

    def append(
        self,
        drafts: Iterable[Draft],
        memories: Mapping[PointId, PointMemory],
        marks: Mapping[str, str] | None = None,
    ) -> list[StoredRow]:
        """Rows, states and marks in one transaction, durable on return. Moves the head."""
        rows: list[StoredRow] = []
        seq, previous = self.head, self.head_hash
        for draft in drafts:
            seq = Seq(seq + 1)
            raw = encode_row(_row(seq, draft))
            previous = chain.link(previous, raw)
            rows.append(StoredRow(seq, raw, previous))
        with self._db.atomic():
            self._db.conn.executemany(
                "INSERT INTO row VALUES (?, ?, ?)", [(row.seq, row.raw, row.hash) for row in rows]
            )
            self._db.conn.executemany(
                "INSERT OR REPLACE INTO point_state VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (name, m.value, m.quality.value, m.since, m.counter, m.is_ajar)
                    for name, m in memories.items()
                ],
            )
            if marks:
                self._db.conn.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?)", marks.items())
        self.head, self.head_hash = seq, previous
        return rows

    def rows(self, first: int, limit: int) -> list[StoredRow]:
        """Up to `limit` rows from `first` on, in order."""
        query = f"SELECT {ROW_COLUMNS} FROM row WHERE seq >= ? ORDER BY seq LIMIT ?"  # noqa: S608 a constant
        return [StoredRow(*fields) for fields in self._db.execute(query, (first, limit))]

    def hash_at(self, seq: int) -> bytes | None:
        """The chain's hash after row `seq`; None where that row is not here any more, or not yet."""
        if seq == self.base:
            return self.base_hash
        found = self._db.execute("SELECT CAST(hash AS BLOB) FROM row WHERE seq = ?", (seq,)).fetchone()
        return found[0] if found else None

    def memories(self) -> dict[PointId, PointMemory]:
        """The point states as of the newest row."""
        return {
            PointId(row["point"]): PointMemory(
                row["value"], Quality(row["quality"]), row["since"], row["counter"], bool(row["is_ajar"])
            )
            for row in self._db["point_state"].rows
        }

    def mark(self, name: str) -> str | None:
        found = self._db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def set_marks(self, marks: Mapping[str, str]) -> None:
        with self._db.atomic():
            self._db.conn.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?)", marks.items())

    def grow_older(self, receipted: int) -> None:
        """Another minute of running time, with all up to `receipted` receipted at its end."""
        marks = dict(self._db.execute("SELECT name, value FROM mark").fetchall())
        self.set_marks(retention.minute_passed(marks, receipted))

    def trim(self, limit: int) -> int:
        """Take away up to `limit` of the oldest rows, as far as `retention` allows; the head stays.

        The hash before the first row that stays is kept, so the chain stays whole. Returns how many went.
        """
        allowed = int(self.mark(retention.TRIM_MARK) or 0)
        last = Seq(min(allowed, self.head - 1, self.base + limit))
        last_hash = self.hash_at(last)
        if last <= self.base or last_hash is None:
            return 0
        count = last - self.base
        with self._db.atomic():
            self._db.conn.execute("DELETE FROM row WHERE seq <= ?", (last,))
            self._db.conn.executemany(
                "INSERT OR REPLACE INTO mark VALUES (?, ?)",
                [("base_seq", str(last)), ("base_hash", last_hash.hex())],
            )
        self.base, self.base_hash = last, last_hash
        return count

    def close(self) -> None:
        self._db.close()

    def _find_head(self) -> tuple[Seq, bytes]:
        found = self._db.execute(
            "SELECT seq, CAST(hash AS BLOB) FROM row ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return (Seq(found[0]), found[1]) if found else (self.base, self.base_hash)

    def _check_owner(self, edge: EdgeId) -> None:
        if self.mark("edge") != edge:
            raise JournalDamaged("belongs to another edge")

    def _check_tail(self) -> None:
        """The newest rows still chain: a torn or swapped file shows here first. The rest: journal_verify."""
        first = max(self.base + 1, self.head - 256)
        previous = self.hash_at(first - 1)
        for expected, row in enumerate(self.rows(first, 257), first):
            if previous is None or row.seq != expected or chain.link(previous, row.raw) != row.hash:
                raise JournalDamaged(f"row {expected} does not continue the chain")
            previous = row.hash


def _row(seq: Seq, draft: Draft) -> Row:
    stamp = draft.stamp
    return Row(
        seq=seq,
        kind=draft.kind,
        at=stamp.at,
        mono=stamp.mono,
        boot=stamp.boot,
        clock=stamp.clock,
        point=draft.point,
        data=draft.data,
    )
