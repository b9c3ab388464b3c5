"""Row 3: each process dies at any point: at a system call of the seed's choosing, or at any moment."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from edge.journal_verify import verify
from tests.chaos.ground import Ground, Play
from tests.chaos.history import Fact, Figure, Verified
from tests.chaos.station import JOURNAL, STORE, Station
from tests.support.mosquitto import await_listener
from tests.support.processes import Process
from tests.support.syscalls import Traced, cannot_trace

POINTS = {"pwrite64": 60, "fdatasync": 25, "sendto": 40, "fsync": 3, "ftruncate": 2, "unlink": 2}
"""Calls to die at, and how many of them a process makes soon after its start."""
LIVES_S = 4.0
"""A process that does not come to its point by then dies where it is."""
BACK_S = 10.0


def edge_at_a_call(ground: Ground) -> None:
    station = ground.running(30)
    traced = Traced(station.edge, ground.folder)
    with station.blind(), station.silent():
        station.edge.kill()
        for number in range(1, ground.trials + 1):
            _die(ground, station.edge, traced)
            look_at_journal(station, f"death {number}")
        started_ns = time.monotonic_ns()
        station.edge.start()
        back_s = station.await_beat(started_ns)
    station.history.note(Figure("P12", "seconds until the edge is back", back_s, BACK_S))
    station.conclude()


def centre_at_a_call(ground: Ground) -> None:
    station = ground.running(30)
    traced = Traced(station.central, ground.folder)
    station.central.kill()
    for number in range(1, ground.trials + 1):
        with station.silent(is_noticeable=False):
            _die(ground, station.central, traced)
        look_at_store(station, f"death {number}")
    with station.silent(is_noticeable=False):
        started = time.monotonic()
        station.central.start()
        station.await_centre()
        back_s = time.monotonic() - started
    station.history.note(Figure("P12", "seconds until the centre is back", back_s, BACK_S))
    station.conclude()


def any_of_three(ground: Ground) -> None:
    station = ground.running(30, secure=True)
    with station.blind(), station.silent():
        for _ in range(ground.trials):
            ground.wait(0.3, 2.5)
            process = ground.random.choice((station.edge, station.central, station.broker))
            process.kill()
            ground.wait(0, 0.5)
            process.start()
            if process is station.broker:
                await_listener(station.broker_port)
            ground.tried += 1
        back_ns = time.monotonic_ns()
        station.await_centre()
        station.await_beat(back_ns)
    station.conclude()


def _die(ground: Ground, process: Process, traced: Traced) -> None:
    """One life, to its end at a call or, where it does not come to it, at some moment."""
    call = ground.random.choices(list(POINTS), weights=list(POINTS.values()))[0]
    traced.start(call, "signal=SIGKILL", ground.random.randint(1, POINTS[call]))
    ends_at = time.monotonic() + LIVES_S
    while process.is_running and time.monotonic() < ends_at:
        time.sleep(0.02)
    if process.is_running:
        traced.end()
    ground.tried += 1


def look_at_journal(station: Station, name: str) -> None:
    """An edge is gone: its file by itself."""
    station.note_journal(name)
    file = station.folder / JOURNAL
    try:
        bad_seq = verify(file).bad_seq
    except sqlite3.DatabaseError:
        bad_seq = 0
    station.history.note(Verified(name, int(bad_seq is not None), bad_seq))


def look_at_store(station: Station, name: str) -> None:
    """A centre is gone: its file by itself."""
    station.note_store(name)
    says = _integrity(station.folder / STORE)
    station.history.note(Fact("P1", f"{name}: the store is whole ({says})", says == "ok"))


def _integrity(file: Path) -> str:
    try:
        with closing(sqlite3.connect(file)) as db:
            return str(db.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)


PLAYS = (
    Play(
        3, "edge", "kill -9 the edge at a system call", edge_at_a_call,
        12, 150, a_run=30, smoke_s=40, needs=(cannot_trace,),
    ),
    Play(
        3, "centre", "kill -9 the centre at a system call", centre_at_a_call,
        10, 120, a_run=30, smoke_s=40, needs=(cannot_trace,),
    ),
    Play(3, "any", "kill -9 any of the three at any moment", any_of_three, 8, 100, a_run=25, smoke_s=30),
)  # fmt: skip
