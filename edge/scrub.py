"""Reads the journal again while it is in use, a slice at a time, against what the agent itself remembers.

Each slice has a connection of its own that ends with it: what it reads is the file as it is now, not what a
cache knew, and no reading ever holds up the write-ahead log. The agent knows the chain's hash at both ends by
heart, so that a chain computed anew is told from ours too.
"""

import sqlite3
from contextlib import closing
from enum import StrEnum
from pathlib import Path

import msgspec

from contract import chain
from edge.journal_file import ROW_COLUMNS


class Verdict(StrEnum):
    """What became of a journal into which somebody reached."""

    SOUND = "sound"
    """Its rows are as they were written: something else in the file was changed."""
    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    UNREADABLE = "unreadable"
    REMOVED = "removed"
    """The file itself is gone from its folder."""
    REPLACED = "replaced"
    """Another file stands in its place."""


class Place(msgspec.Struct, frozen=True):
    """A row, and the chain's hash after it."""

    seq: int
    hash: bytes


class Flaw(msgspec.Struct, frozen=True):
    """`row` is 0 where it is about the file and not about a row."""

    verdict: Verdict
    row: int = 0


def read_on(path: Path, start: Place, end: Place, limit: int) -> Place | Flaw:
    """Check up to `limit` rows beyond `start`, no further than `end`: where it stands then, or a flaw."""
    query = f"SELECT {ROW_COLUMNS} FROM row WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"  # noqa: S608 a constant
    expected = min(limit, end.seq - start.seq)
    seq, previous = start.seq, start.hash
    try:
        with closing(_connect(path)) as db:
            for stored_seq, raw, stored_hash in db.execute(query, (start.seq, end.seq, limit)):
                seq += 1
                if stored_seq != seq:
                    return Flaw(Verdict.MISSING, seq)
                previous = chain.link(previous, raw)
                if previous != stored_hash:
                    return Flaw(Verdict.CHANGED, seq)
    except (sqlite3.Error, TypeError):
        return Flaw(Verdict.UNREADABLE, seq + 1)
    if seq - start.seq < expected:
        return Flaw(Verdict.MISSING, seq + 1)
    if seq == end.seq and previous != end.hash:
        return Flaw(Verdict.CHANGED, seq)
    return Place(seq, previous)


def stray(path: Path, base: int, head: int) -> Flaw | None:
    """A row outside of what is ours: put in behind the newest, or before the oldest."""
    try:
        with closing(_connect(path)) as db:
            query = "SELECT min(seq), max(seq) FROM row"
            first, last = db.execute(query).fetchone()
    except sqlite3.Error:
        return Flaw(Verdict.UNREADABLE)
    if last is not None and last > head:
        return Flaw(Verdict.ADDED, head + 1)
    return Flaw(Verdict.ADDED, first) if first is not None and first <= base else None


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
