"""Offline check of a journal: is every row there, in order, as it was written? Names the first that is not.

A chain can be computed anew by whoever owns the disk; what the centre receipted cannot. So the newest
receipt is checked too: a journal cut or rewritten below it is told from a sound one.
"""

import sqlite3
from pathlib import Path

import msgspec

from contract import chain
from contract.errors import ContractError
from contract.ids import EdgeId, Epoch
from contract.rows import decode_row
from edge.journal_file import ROW_COLUMNS


class Verdict(msgspec.Struct, frozen=True):
    """`bad_seq` is None for a sound journal; `fault` says in words what is wrong there."""

    edge: str
    epoch: int
    first: int
    last: int
    receipted: int = 0
    """The newest row that the centre receipted; what follows it could have been cut off unseen."""
    bad_seq: int | None = None
    fault: str = ""


class _Found(Exception):
    def __init__(self, seq: int, fault: str) -> None:
        super().__init__(fault)
        self.seq = seq
        self.fault = fault


def verify(path: Path, newest: int | None = None) -> Verdict:
    """Read the whole journal, or its newest rows; it may be in use. Raises sqlite3.Error."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        marks = dict(db.execute("SELECT name, value FROM mark"))
        edge, epoch = marks.get("edge", ""), int(marks.get("epoch", 0))
        base = int(marks.get("base_seq", 0))
        base_hash = chain.anchor(EdgeId(edge), Epoch(epoch))
        if base:
            base_hash = bytes.fromhex(marks["base_hash"])
        receipt = (int(marks.get("receipt_seq", 0)), marks.get("receipt_hash", ""))
        try:
            after = -1
            if newest is not None:
                base, base_hash = _shortcut(db, newest, base, base_hash)
                after = base
            last = _walk(db, after, base, base_hash, receipt)
        except _Found as found:
            return Verdict(edge, epoch, base + 1, found.seq, receipt[0], found.seq, found.fault)
        return Verdict(edge, epoch, base + 1, last, receipt[0])
    finally:
        db.close()


def _shortcut(db: sqlite3.Connection, newest: int, base: int, base_hash: bytes) -> tuple[int, bytes]:
    """Where the newest rows begin, with the hash that the row before them claims. Raises _Found."""
    (head,) = db.execute("SELECT coalesce(max(seq), 0) FROM row").fetchone()
    if head - newest <= base:
        return base, base_hash
    base = head - newest
    found = db.execute("SELECT CAST(hash AS BLOB) FROM row WHERE seq = ?", (base,)).fetchone()
    if found is None:
        raise _Found(base, "is missing")
    return base, found[0]


def _walk(db: sqlite3.Connection, after: int, base: int, previous: bytes, receipt: tuple[int, str]) -> int:
    """Follow the chain of the rows beyond `after` from its base to the last seq. Raises _Found at a fault."""
    seq = base
    rows = db.execute(f"SELECT {ROW_COLUMNS} FROM row WHERE seq > ? ORDER BY seq", (after,))  # noqa: S608 a constant
    for stored_seq, raw, stored_hash in rows:
        seq += 1
        if stored_seq != seq:
            raise _Found(seq, f"is missing: the next row is {stored_seq}")
        _check_row(seq, raw)
        previous = chain.link(previous, raw)
        if previous != stored_hash:
            raise _Found(seq, "does not continue the chain: this row, its hash or the one before was changed")
        if seq == receipt[0] and previous.hex() != receipt[1]:
            raise _Found(seq, "is not the row that the centre receipted: the chain was computed anew")
    if seq < receipt[0]:
        raise _Found(seq + 1, f"is missing: the centre receipted rows up to {receipt[0]}")
    return seq


def _check_row(seq: int, raw: bytes) -> None:
    try:
        row = decode_row(raw)
    except ContractError as error:
        raise _Found(seq, f"is no row: {error}") from error
    if row.seq != seq:
        raise _Found(seq, f"says that it is row {row.seq}")
