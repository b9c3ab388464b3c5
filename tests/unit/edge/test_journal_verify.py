"""Every way to tamper with a journal, and the row at which it is found."""

import sqlite3
from pathlib import Path

import pytest

from contract import chain
from contract.ids import EdgeId, Epoch, PointId
from contract.points import Clock
from edge.clock import Stamp
from edge.journal_file import FILE_NAME, JournalFile
from edge.journal_verify import verify
from edge.proposals import Draft
from edge.retention import TRIM_MARK

EDGE = EdgeId("liuxu")
EPOCH = Epoch(7)
ROWS = 8
RECEIPT = 6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed journal of 8 rows, the first 6 receipted."""
    path = tmp_path / FILE_NAME
    file = JournalFile(path, EDGE, EPOCH)
    for n in range(ROWS):
        stamp = Stamp(n, n, "b0", Clock.FREE)
        file.append([Draft("door.open", stamp, PointId("liuxu.int1.door"), {"was": "closed"})], {})
    receipted = file.hash_at(RECEIPT)
    assert receipted is not None
    file.set_marks({"receipt_seq": str(RECEIPT), "receipt_hash": receipted.hex()})
    file.close()
    return path


def tamper(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


def test_untouched_journal_is_sound(path: Path) -> None:
    verdict = verify(path)
    assert verdict.bad_seq is None
    assert (verdict.edge, verdict.epoch, verdict.first, verdict.last) == (EDGE, EPOCH, 1, ROWS)


TAMPERED = {
    "edited row": (["UPDATE row SET bytes = replace(bytes, 'closed', 'opened') WHERE seq = 3"], 3),
    "edited hash": (["UPDATE row SET hash = zeroblob(32) WHERE seq = 4"], 4),
    "removed row": (["DELETE FROM row WHERE seq = 5"], 5),
    "removed first rows": (["DELETE FROM row WHERE seq <= 2"], 1),
    "cut below the receipt": (["DELETE FROM row WHERE seq >= 6"], 6),
    "everything removed": (["DELETE FROM row"], 1),
    "swapped rows": (
        [
            "UPDATE row SET seq = 100 WHERE seq = 2",
            "UPDATE row SET seq = 2 WHERE seq = 3",
            "UPDATE row SET seq = 3 WHERE seq = 100",
        ],
        2,
    ),
    "row put in between": (
        ["UPDATE row SET seq = -seq WHERE seq >= 4", "UPDATE row SET seq = 1 - seq WHERE seq < 0",
         "INSERT INTO row SELECT 4, bytes, hash FROM row WHERE seq = 3"],
        4,
    ),
    "bytes that are no row": (["UPDATE row SET bytes = X'00' WHERE seq = 7"], 7),
    "other spelling of the same row": (["UPDATE row SET bytes = bytes || ' ' WHERE seq = 2"], 2),
    "another edge's journal": (["UPDATE mark SET value = 'linhu' WHERE name = 'edge'"], 1),
    "another epoch": (["UPDATE mark SET value = '8' WHERE name = 'epoch'"], 1),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "bad_seq"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found_at_its_row(path: Path, statements: list[str], bad_seq: int) -> None:
    tamper(path, *statements)
    assert verify(path).bad_seq == bad_seq


def test_chain_computed_anew_is_found_at_the_receipt(path: Path) -> None:
    db = sqlite3.connect(path)
    previous = chain.anchor(EDGE, EPOCH)
    for seq, raw in db.execute("SELECT seq, bytes FROM row ORDER BY seq").fetchall():
        forged = raw.replace(b"closed", b"opened") if seq == 3 else raw
        previous = chain.link(previous, forged)
        db.execute("UPDATE row SET bytes = ?, hash = ? WHERE seq = ?", (forged, previous, seq))
    db.commit()
    db.close()
    verdict = verify(path)
    assert verdict.bad_seq == RECEIPT
    assert "computed anew" in verdict.fault


def test_trimmed_journal_is_sound_from_its_base_on(path: Path) -> None:
    file = JournalFile(path, EDGE, EPOCH)
    file.set_marks({TRIM_MARK: str(RECEIPT)})
    assert file.trim(limit=100) == RECEIPT
    file.close()
    verdict = verify(path)
    assert (verdict.first, verdict.last, verdict.bad_seq) == (7, 8, None)
