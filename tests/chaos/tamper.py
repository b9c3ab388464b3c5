"""Row 17: hands on a journal or a store. Offline, `verify` finds it and says where; what only the other side
can know, the other side finds as soon as the file is used again.
"""

import re
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from central.evidence.verify import verify as verify_store
from central.store import engines
from edge.journal_verify import verify as verify_journal
from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.hands import TOUCHES, Rows, cut_tail, rewrite
from tests.chaos.history import Demand, Silence, Verified
from tests.chaos.station import JOURNAL, STORE, Station
from tests.chaos.stolen import until_fault
from tests.support.processes import CASEWATCH, ENVIRONMENT

BY_COMMAND = 16
"""So many of a run are judged by the command that people type, the rest by what it calls."""
NOTICED_S = 20.0
"""A start of the edge, and its birth."""


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
            touched = touch(Rows(db, "row"), k, ground.random)
        file, name = folder / "journal.db", f"{touch.__name__} at {k}"
        if number < BY_COMMAND:
            _verify(station, station.folder, ["edge", "journal", "verify", str(file)], name, touched)
        else:
            _note(station, name, verify_journal(file).bad_seq, touched)
        ground.tried += 1
    station.note_verify("the journal that nobody touched")
    station.note_board()


def of_a_store(ground: Ground) -> None:
    """The same hands on copies of the centre's store; its checkpoints are signed by the edge."""
    station = _a_day_at(ground, secure=True)
    station.central.stop()
    names = ("central.toml", "stations.toml", "rules.toml", "media.token")
    verify = ["central", "verify", "--config", "central.toml"]
    last = station.cursor()
    for number in range(ground.trials):
        touch = TOUCHES[number % len(TOUCHES)]
        k = ground.random.randint(2, last - 2)
        folder = ground.folder / "touched"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(station.folder / "central", folder / "central")
        for name in names:
            shutil.copy2(station.folder / name, folder)
        with closing(sqlite3.connect(folder / STORE)) as db, db:
            rows = Rows(db, "event")
            touched = touch(rows, k, ground.random)
            if touch is rewrite:  # with the trace that stands beside it
                db.execute("UPDATE edge_cursor SET hash = ?", (rows.hash(rows.last()).hex(),))
        name = f"store: {touch.__name__} at {k}"
        if number < BY_COMMAND:
            _verify(station, folder, verify, name, touched)
        else:
            _note(station, name, _bad_seq_of_store(folder), touched)
        ground.tried += 1
    _verify(station, station.folder, verify, "the store that nobody touched", None)


def against_the_centre(ground: Ground) -> None:
    """A tail cut off or rewritten with all its traces in the file: the centre holds what it receipted."""
    station = _a_day_at(ground)
    file = station.folder / JOURNAL
    k = _mark(file, "receipt_seq") - ground.random.randint(2, 10)
    touch = (cut_tail, rewrite)[ground.seed % 2]
    with closing(sqlite3.connect(file)) as db, db:
        touch(Rows(db, "row"), k, ground.random)
        last, hashed = db.execute("SELECT seq, hex(hash) FROM row ORDER BY seq DESC LIMIT 1").fetchone()
        db.execute("UPDATE mark SET value = ? WHERE name = 'receipt_seq'", (str(last),))
        db.execute("UPDATE mark SET value = ? WHERE name = 'receipt_hash'", (hashed.lower(),))
    started_ns = time.monotonic_ns()
    station.edge.start()
    kinds = ["forked", "edge_rolled_back"]
    station.history.note(Demand("P6", kinds, started_ns, NOTICED_S, f"{touch.__name__} at {k}, then started"))
    until_fault(station, kinds, NOTICED_S)
    station.note_store("the store beside a touched journal")
    station.note_board()
    station.history.note(*station.tap.records())
    ground.tried += 1


def _a_day_at(ground: Ground, *, secure: bool = False) -> Station:
    """A station that ran for a while and was stopped in order, its centre still running."""
    station = ground.station(secure=secure).start()
    load = station.flip_at(40, ground.seed)
    ground.wait(3, 4)
    load.stop()
    station.settle()
    station.history.note(Silence(STATION, time.monotonic_ns(), None))
    assert station.edge.stop() == 0, station.edge.tail()
    return station


def _verify(station: Station, where: Path, words: list[str], name: str, touched: list[int] | None) -> None:
    done = subprocess.run(
        [*CASEWATCH, *words], cwd=where, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    said = [int(word) for word in re.findall(r"row (\d+)", done.stdout)] if done.returncode else []
    right = [seq for seq in said if seq in (touched or ())]
    seq = next(iter([*right, *said]), None)
    station.history.note(Verified(name, done.returncode, seq, touched))


def _bad_seq_of_store(folder: Path) -> int | None:
    """As `central verify` finds it, without a process for it."""
    engine = engines.readers(f"sqlite:///{folder / STORE}", 1)
    try:
        authority = (folder / "central" / "trust" / "ca.pem").read_bytes()
        verdicts = list(verify_store(engine, authority, lambda _rows, _all: None))
    finally:
        engine.dispose()
    return next((verdict.bad_seq for verdict in verdicts if verdict.bad_seq is not None), None)


def _note(station: Station, name: str, bad_seq: int | None, touched: list[int]) -> None:
    station.history.note(Verified(name, int(bad_seq is not None), bad_seq, touched))


def _mark(file: Path, name: str) -> int:
    with closing(sqlite3.connect(file)) as db:
        return int(db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()[0])


PLAYS = (
    Play(17, "store", "hands on a store", of_a_store, 16, 1_000, a_run=200, smoke_s=30),
    Play(17, "journal", "hands on a journal", of_a_journal, 16, 1_000, a_run=200, smoke_s=20),
    Play(
        17, "peer", "a journal rewritten with all its traces", against_the_centre, 2, 10, a_run=1, smoke_s=40
    ),
)
