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
from contract.errors import ContractError
from contract.ids import EdgeId, Epoch, EpochNumber, PointId, Seq, SeqNumber
from contract.rows import Row, decode_row, encode_row
from edge import retention
from edge.errors import JournalDamaged
from edge.proposals import Draft, PointMemory
from edge.sqlite_faults import Fault, fault

FILE_NAME = "journal.db"
PARTS = ("", "-wal", "-shm")
"""The files that SQLite keeps of one database."""
ROW_COLUMNS = "seq, CAST(bytes AS BLOB), CAST(hash AS BLOB)"
"""SQLite lets whoever edits a row by hand turn its bytes into text."""

PAGE_BYTES = 4096
CHECKPOINT_PAGES = 1_000
"""After about so many pages the write-ahead log is moved into the file, and begun anew."""
PAGES_A_COMMIT = 4
TIGHT_PAGES = 100
"""The same on a disk with little room, so that what is left goes to rows and not to the log."""
WAL_KEPT_BYTES = CHECKPOINT_PAGES * PAGE_BYTES
WAL_LONG_PAGES = 16 * CHECKPOINT_PAGES
"""64 MB. It grows beyond a checkpoint only while another process reads, and never ends reading."""
HELD_S = 1.0
"""How long another process's lock on the file is waited for."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=0",
    f"journal_size_limit={WAL_KEPT_BYTES}",
)
_COLUMNS = {
    "row": {"seq", "bytes", "hash"},
    "point_state": {"point", "value", "quality", "since", "counter", "is_ajar"},
    "mark": {"name", "value"},
}
_COUNTS = {"session", "receipt_seq", "base_seq", retention.AGE_MARK, retention.TRIM_MARK}

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
        for part in PARTS:
            _check_is_file(path.with_name(path.name + part))
        self._db = sqlite_utils.Database(sqlite3.connect(path, HELD_S, check_same_thread=False))
        self._path = path
        self._pages = 0
        """Written since the last checkpoint, about."""
        self.is_tight = False
        self.wal_pages = 0
        """In the write-ahead log at the last checkpoint that could not move all of it; else 0."""
        try:
            for pragma in _PRAGMAS:
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(_TABLES)
            if "is_ajar" not in self._db["point_state"].columns_dict:  # a journal of version 0.1
                self._db.execute("ALTER TABLE point_state ADD COLUMN is_ajar INTEGER NOT NULL DEFAULT 0")
            self._check_tables()
            self.is_new = self.mark("epoch") is None
            if self.is_new:
                self.set_marks({"edge": edge, "epoch": str(new_epoch), "session": "0"})
            self._read(edge)
        except (sqlite3.Error, ValueError, TypeError, JournalDamaged) as error:
            self._db.close()
            if isinstance(error, sqlite3.Error) and fault(error) is not Fault.DAMAGED:
                raise
            raise JournalDamaged(f"{path.name}: {error}") from error

    def _read(self, edge: EdgeId) -> None:
        """Where the chain stands. Raises JournalDamaged or ValueError for what is not ours."""
        self.epoch = Epoch(msgspec.convert(int(self.mark("epoch") or 0), EpochNumber))
        self.base = Seq(int(self.mark("base_seq") or 0))
        self.base_hash = bytes.fromhex(self.mark("base_hash") or chain.anchor(edge, self.epoch).hex())
        self.head, self.head_hash = self._find_head()
        self._check_marks(edge)
        self._check_tail()
        self._check_receipt()
        self.memories()
        self.files = self.files_now()
        self.version = self.version_now()

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
        self._pages += PAGES_A_COMMIT + sum(len(row.raw) for row in rows) // PAGE_BYTES
        if self._pages >= (TIGHT_PAGES if self.is_tight else CHECKPOINT_PAGES):
            self.checkpoint()
        return rows

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, as far as other processes' reading lets us.

        SQLite would do it by itself, and keep to itself that a flush failed. Raises sqlite3.Error.
        """
        self._pages = 0
        try:
            _, wal_pages, moved = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            if fault(error) in {Fault.FULL, Fault.HELD}:
                return
            raise
        self.wal_pages = wal_pages if moved < wal_pages else 0

    def version_now(self) -> int:
        """Another number than before if another connection has committed since."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def files_now(self) -> tuple[tuple[int, int] | None, ...]:
        """Device and inode of each part, None for one that is not there."""
        return tuple(_identity(self._path.with_name(self._path.name + part)) for part in PARTS)

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
            PointId(row["point"]): msgspec.convert({**row, "is_ajar": bool(row["is_ajar"])}, PointMemory)
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
        self.set_marks(retention.minute_passed(self._marks(), receipted))

    def trim(self, limit: int, *, is_disk_low: bool = False) -> int:
        """Take away up to `limit` of the oldest rows, as far as `retention` allows; the head stays.

        The hash before the first row that stays is kept, so the chain stays whole. Returns how many went.
        """
        allowed = retention.forgettable(self._marks(), is_disk_low=is_disk_low)
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

    def _marks(self) -> dict[str, str]:
        return dict(self._db.execute("SELECT name, value FROM mark").fetchall())

    def _find_head(self) -> tuple[Seq, bytes]:
        found = self._db.execute(
            "SELECT seq, CAST(hash AS BLOB) FROM row ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return (Seq(found[0]), found[1]) if found else (self.base, self.base_hash)

    def _check_tables(self) -> None:
        for table, columns in _COLUMNS.items():
            if set(self._db[table].columns_dict) != columns:
                raise JournalDamaged(f"table {table} has other columns")
        if self._db.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger'").fetchone():
            raise JournalDamaged("has a trigger, which none of ours has")

    def _check_marks(self, edge: EdgeId) -> None:
        marks = self._marks()
        if marks.get("edge") != edge:
            raise JournalDamaged("belongs to another edge")
        for name, value in marks.items():
            if name in _COUNTS or name.startswith(retention.DAY_MARK):
                msgspec.convert(int(value), SeqNumber)

    def _check_tail(self) -> None:
        """The newest rows still chain: a torn or swapped file shows here first. The rest: `scrub`."""
        first = max(self.base + 1, self.head - 256)
        previous = self.hash_at(first - 1)
        for expected, row in enumerate(self.rows(first, 257), first):
            if previous is None or row.seq != expected or chain.link(previous, row.raw) != row.hash:
                raise JournalDamaged(f"row {expected} does not continue the chain")
            try:
                decode_row(row.raw)
            except ContractError as error:
                raise JournalDamaged(f"row {expected} is no row: {error}") from error
            previous = row.hash

    def _check_receipt(self) -> None:
        """What the centre receipted is here, or was: rows that were cut off would be written twice."""
        seq = int(self.mark("receipt_seq") or 0)
        if seq > self.head:
            raise JournalDamaged(f"ends at row {self.head}, and the centre receipted row {seq}")
        own_hash = self.hash_at(seq)
        if seq and own_hash is not None and own_hash.hex() != self.mark("receipt_hash"):
            raise JournalDamaged(f"row {seq} is not the one that the centre receipted")


def _check_is_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise JournalDamaged(f"{path.name} is no file")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
