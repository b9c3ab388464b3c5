"""Row 17: hands on a journal or a store. Offline, `verify` finds it and says where; what only the other side
can know, the other side finds as soon as the file is used again.
"""

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.history import Demand, Silence, Verified
from tests.chaos.station import JOURNAL, Station
from tests.support.processes import CASEWATCH

NOTICED_S = 20.0
"""A start of the edge, and its birth."""

Touch = Callable[[sqlite3.Connection, int, Random], list[int]]
"""Lays a hand on row k; returns the rows of which any is a right answer."""


def flip_bit(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    raw = bytearray(_bytes(db, k))
    raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    db.execute("UPDATE row SET bytes = ? WHERE seq = ?", (bytes(raw), k))
    return [k]


def edit_row(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    row = json.loads(_bytes(db, k))
    row["at"] += random.randint(1, 10_000)
    db.execute("UPDATE row SET bytes = ? WHERE seq = ?", (_canonical(row), k))
    return [k]


def edit_hash(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    db.execute("UPDATE row SET hash = ? WHERE seq = ?", (random.randbytes(32), k))
    return [k, k + 1]


def delete_row(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    db.execute("DELETE FROM row WHERE seq = ?", (k,))
    return [k]


def insert_row(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    """All behind k move up by one, and k stands twice."""
    db.execute("UPDATE row SET seq = -seq WHERE seq >= ?", (k,))
    db.execute("UPDATE row SET seq = 1 - seq WHERE seq < 0")
    db.execute("INSERT INTO row SELECT ?, bytes, hash FROM row WHERE seq = ?", (k, k + 1))
    return [k, k + 1]


def swap_rows(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    mine, next_one = _row(db, k), _row(db, k + 1)
    db.execute("UPDATE row SET bytes = ?, hash = ? WHERE seq = ?", (*next_one, k))
    db.execute("UPDATE row SET bytes = ?, hash = ? WHERE seq = ?", (*mine, k + 1))
    return [k]


def cut_tail(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    """Rows that the centre receipted are gone: the receipt that is kept says so."""
    db.execute("DELETE FROM row WHERE seq >= ?", (k,))
    return [k]


def rewrite(db: sqlite3.Connection, k: int, random: Random) -> list[int]:
    """Row k says something else, and every hash after it is computed anew. Without the key that is all."""
    row = json.loads(_bytes(db, k))
    row["at"] += 1
    before = db.execute("SELECT CAST(hash AS BLOB) FROM row WHERE seq = ?", (k - 1,)).fetchone()[0]
    db.execute("UPDATE row SET bytes = ? WHERE seq = ?", (_canonical(row), k))
    rows = db.execute("SELECT seq, CAST(bytes AS BLOB) FROM row WHERE seq >= ? ORDER BY seq", (k,)).fetchall()
    for seq, raw in rows:
        before = hashlib.sha256(before + raw).digest()
        db.execute("UPDATE row SET hash = ? WHERE seq = ?", (before, seq))
    return list(range(k, rows[-1][0] + 1))


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


def of_a_journal(ground: Ground) -> None:
    """Each kind of touch at rows of the seed's choosing, each on a fresh copy."""
    station = _a_day_at(ground)
    sound = ground.folder / "sound"
    shutil.copytree(station.folder / "edge", sound)
    receipted = _mark(sound / "journal.db", "receipt_seq")
    for number in range(ground.trials):
        touch = TOUCHES[number % len(TOUCHES)]
        k = ground.random.randint(2, receipted - 2)
        folder = ground.folder / "touched"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sound, folder)
        with closing(sqlite3.connect(folder / "journal.db")) as db, db:
            touched = touch(db, k, ground.random)
        _verify(station, folder / "journal.db", f"{touch.__name__} at {k}", touched)
        ground.tried += 1
    station.note_verify("the journal that nobody touched")
    station.note_board()


def against_the_centre(ground: Ground) -> None:
    """A tail cut off or rewritten with all its traces in the file: the centre holds what it receipted."""
    station = _a_day_at(ground)
    file = station.folder / JOURNAL
    k = _mark(file, "receipt_seq") - ground.random.randint(2, 10)
    touch = (cut_tail, rewrite)[ground.seed % 2]
    with closing(sqlite3.connect(file)) as db, db:
        touch(db, k, ground.random)
        last, hashed = db.execute("SELECT seq, hex(hash) FROM row ORDER BY seq DESC LIMIT 1").fetchone()
        db.execute("UPDATE mark SET value = ? WHERE name = 'receipt_seq'", (str(last),))
        db.execute("UPDATE mark SET value = ? WHERE name = 'receipt_hash'", (hashed.lower(),))
    started_ns = time.monotonic_ns()
    station.edge.start()
    kinds = ["forked", "edge_rolled_back"]
    station.history.note(Demand("P6", kinds, started_ns, NOTICED_S, f"{touch.__name__} at {k}, then started"))
    _until_fault(station, kinds)
    station.note_store("the store beside a touched journal")
    station.note_board()
    station.history.note(*station.tap.records())
    ground.tried += 1


def _a_day_at(ground: Ground) -> Station:
    """A station that ran for a while and was stopped in order, its centre still running."""
    station = ground.station().start()
    load = station.flip_at(40, ground.seed)
    ground.wait(3, 4)
    load.stop()
    station.settle()
    station.history.note(Silence(STATION, time.monotonic_ns(), None))
    assert station.edge.stop() == 0, station.edge.tail()
    return station


def _verify(station: Station, file: Path, name: str, touched: list[int]) -> None:
    words = [*CASEWATCH, "edge", "journal", "verify", str(file)]
    done = subprocess.run(words, cwd=station.folder, capture_output=True, text=True, check=False)
    found = re.search(r"row (\d+)", done.stdout)
    said = int(found[1]) if found else None
    station.history.note(Verified(name, done.returncode, said, touched))


def _until_fault(station: Station, kinds: list[str]) -> None:
    ends_at = time.monotonic() + NOTICED_S
    while time.monotonic() < ends_at:
        faults = station.centre.get("/api/v1/faults")["faults"]
        if any(fault["kind"] in kinds for fault in faults):
            return
        time.sleep(0.2)


def _mark(file: Path, name: str) -> int:
    with closing(sqlite3.connect(file)) as db:
        return int(db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()[0])


def _bytes(db: sqlite3.Connection, seq: int) -> bytes:
    return _row(db, seq)[0]


def _row(db: sqlite3.Connection, seq: int) -> tuple[bytes, bytes]:
    query = "SELECT CAST(bytes AS BLOB), CAST(hash AS BLOB) FROM row WHERE seq = ?"
    found = db.execute(query, (seq,)).fetchone()
    return (found[0], found[1])


def _canonical(row: dict[str, object]) -> bytes:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


PLAYS = (
    Play(17, "journal", "hands on a journal", of_a_journal, 16, 1_000, a_run=200, smoke_s=20),
    Play(
        17, "peer", "a journal rewritten with all its traces", against_the_centre, 2, 10, a_run=1, smoke_s=40
    ),
)
