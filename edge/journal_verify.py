"""Offline check of a journal: is every row there, in order, as it was written? Names the first that is not.

A chain can be computed anew by whoever owns the disk; what the centre receipted cannot. So the newest
receipt is checked too: a journal cut or rewritten below it is told from a sound one.
"""

import sqlite3
from pathlib import Path

import msgspec

from contract import chain
from contract.chain_walk import Walk
from contract.errors import BadRow
from contract.ids import EdgeId, Epoch
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
        except BadRow as found:
            return Verdict(edge, epoch, base + 1, found.seq, receipt[0], found.seq, found.fault)
        return Verdict(edge, epoch, base + 1, last, receipt[0])
    finally:
        db.close()


def _shortcut(db: sqlite3.Connection, newest: int, base: int, base_hash: bytes) -> tuple[int, bytes]:
    """Where the newest rows begin, with the hash that the row before them claims. Raises BadRow."""
    (head,) = db.execute("SELECT coalesce(max(seq), 0) FROM row").fetchone()
    if head - newest <= base:
        return base, base_hash
    base = head - newest
    found = db.execute("SELECT CAST(hash AS BLOB) FROM row WHERE seq = ?", (base,)).fetchone()
    if found is None:
        raise BadRow(base, "is missing")
    return base, found[0]


def _walk(db: sqlite3.Connection, after: int, base: int, previous: bytes, receipt: tuple[int, str]) -> int:
    """Follow the chain of the rows beyond `after` from its base to the last seq. Raises BadRow at a fault."""
    walk = Walk(base, previous)
    rows = db.execute(f"SELECT {ROW_COLUMNS} FROM row WHERE seq > ? ORDER BY seq", (after,))  # noqa: S608 a constant
    for seq, raw, stored_hash in rows:
        walk.take(seq, raw, stored_hash)
        if seq == receipt[0]:
            walk.meet(receipt[1], "is not the row that the centre receipted: the chain was computed anew")
    walk.end(receipt[0], "the centre receipted rows")
    return walk.seq
