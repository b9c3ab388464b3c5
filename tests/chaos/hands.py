"""What hands can do to a file of rows, a journal's or a store's: each lays itself on row k of a copy."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from random import Random


class Rows:
    """The rows of one chain. `bytes_column` holds what was hashed; a store's hashes are text."""

    def __init__(self, db: sqlite3.Connection, table: str) -> None:
        self._db = db
        self._table = table
        self._is_store = table == "event"
        self._bytes = "row" if self._is_store else "bytes"
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")  # whoever owns the file is not held up by these

    def raw(self, k: int) -> bytes:
        return bytes(self._one(self._bytes, k))

    def hash(self, k: int) -> bytes:
        found = self._one("hash", k)
        return bytes.fromhex(found) if self._is_store else bytes(found)

    def write(self, k: int, *, raw: bytes | None = None, hashed: bytes | None = None) -> None:
        if raw is not None:
            self._set(self._bytes, raw, k)
        if hashed is not None:
            self._set("hash", hashed.hex() if self._is_store else hashed, k)

    def delete(self, first: int, last: int) -> None:
        self._db.execute(f"DELETE FROM {self._table} WHERE seq BETWEEN ? AND ?", (first, last))

    def double(self, k: int) -> None:
        """All behind k move up by one, and k stands twice."""
        self._db.execute(f"UPDATE {self._table} SET seq = -seq WHERE seq >= ?", (k,))
        self._db.execute(f"UPDATE {self._table} SET seq = 1 - seq WHERE seq < 0")
        if self._is_store:
            columns = "edge, epoch, seq, hash, point, received_ms, row"
            source = columns.replace("seq", str(k))
        else:
            columns, source = "seq, bytes, hash", f"{k}, bytes, hash"
        self._db.execute(
            f"INSERT INTO {self._table}({columns}) SELECT {source} FROM {self._table} WHERE seq = {k + 1}"
        )

    def last(self) -> int:
        return int(self._db.execute(f"SELECT max(seq) FROM {self._table}").fetchone()[0])

    def _one(self, column: str, k: int) -> object:
        cast = column if self._is_store and column == "hash" else f"CAST({column} AS BLOB)"
        return self._db.execute(f"SELECT {cast} FROM {self._table} WHERE seq = ?", (k,)).fetchone()[0]

    def _set(self, column: str, value: object, k: int) -> None:
        self._db.execute(f"UPDATE {self._table} SET {column} = ? WHERE seq = ?", (value, k))


Touch = Callable[[Rows, int, Random], list[int]]
"""Returns the rows of which any is a right answer."""


def flip_bit(rows: Rows, k: int, random: Random) -> list[int]:
    raw = bytearray(rows.raw(k))
    raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    rows.write(k, raw=bytes(raw))
    return [k]


def edit_row(rows: Rows, k: int, random: Random) -> list[int]:
    row = json.loads(rows.raw(k))
    row["at"] += random.randint(1, 10_000)
    rows.write(k, raw=_canonical(row))
    return [k]


def edit_hash(rows: Rows, k: int, random: Random) -> list[int]:
    rows.write(k, hashed=random.randbytes(32))
    return [k, k + 1]


def delete_row(rows: Rows, k: int, random: Random) -> list[int]:
    rows.delete(k, k)
    return [k]


def insert_row(rows: Rows, k: int, random: Random) -> list[int]:
    rows.double(k)
    return [k, k + 1]


def swap_rows(rows: Rows, k: int, random: Random) -> list[int]:
    mine, other = (rows.raw(k), rows.hash(k)), (rows.raw(k + 1), rows.hash(k + 1))
    rows.write(k, raw=other[0], hashed=other[1])
    rows.write(k + 1, raw=mine[0], hashed=mine[1])
    return [k]


def cut_tail(rows: Rows, k: int, random: Random) -> list[int]:
    """Rows that were receipted are gone: what is kept of that beside them says so."""
    rows.delete(k, rows.last())
    return [k]


def rewrite(rows: Rows, k: int, random: Random) -> list[int]:
    """Row k says something else, and every hash after it is computed anew. Without the key that is all."""
    row = json.loads(rows.raw(k))
    row["at"] += 1
    rows.write(k, raw=_canonical(row))
    before, last = rows.hash(k - 1), rows.last()
    for seq in range(k, last + 1):
        before = hashlib.sha256(before + rows.raw(seq)).digest()
        rows.write(seq, hashed=before)
    return list(range(k, last + 1))


TOUCHES: tuple[Touch, ...] = (
    flip_bit,
    edit_row,
    edit_hash,
    delete_row,
    insert_row,
    swap_rows,
    cut_tail,
    rewrite,
)


def _canonical(row: dict[str, object]) -> bytes:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
