"""Rows 1 and 2: the power fails at the edge, or at the centre, in the middle of its work.

Each cut stops the process, keeps what its disk holds, and looks: what anybody had been told by then must be
there. Every fourth cut is a real one: the process dies and goes on from what the disk holds.
"""

import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from edge.journal_verify import verify
from tests.chaos.ground import Ground, Play
from tests.chaos.history import Figure, Verified
from tests.chaos.station import Station
from tests.support.power_cut import Copy, Disk, cannot_cut
from tests.support.processes import Process

REAL_EACH = 4
BACK_S = 10.0
ARRIVED_S = 0.15
"""What a stopped process had sent is at the tap by then; all is on loopback."""


def at_the_edge(ground: Ground) -> None:
    station = ground.station(secure=True)
    disk = _disk(ground, station.folder / "edge")
    station.start()
    station.flip_at(50, ground.seed)

    def look(name: str, folder: Path, stopped_ns: int) -> None:
        station.note_journal(name, folder, stopped_ns)
        try:
            bad_seq = verify(folder / "journal.db").bad_seq
        except sqlite3.DatabaseError:
            bad_seq = 0
        station.history.note(Verified(name, int(bad_seq is not None), bad_seq))

    for number in range(1, ground.trials + 1):
        ground.wait(0.2, 1.5)
        with station.blind():
            if number % REAL_EACH:
                _cut(ground, station, station.edge, disk, look, f"cut {number}")
            else:
                with station.silent():
                    _cut(ground, station, station.edge, disk, look, f"cut {number}", is_real=True)
                    _back(station, station.edge)
        ground.tried += 1
    station.conclude()


def at_the_centre(ground: Ground) -> None:
    station = ground.station()
    disk = _disk(ground, station.folder / "central")
    station.start()
    station.flip_at(50, ground.seed)

    def look(name: str, folder: Path, stopped_ns: int) -> None:
        station.note_store(name, folder / "casewatch.db", stopped_ns)

    for number in range(1, ground.trials + 1):
        ground.wait(0.2, 1.5)
        if number % REAL_EACH:
            _cut(ground, station, station.central, disk, look, f"cut {number}")
        else:
            with station.silent(is_noticeable=False):
                _cut(ground, station, station.central, disk, look, f"cut {number}", is_real=True)
                _back(station, station.central)
        ground.tried += 1
    station.conclude()


def _disk(ground: Ground, folder: Path) -> Disk:
    ground.not_proven("power cut: a disk that lies about its flush, or turns unflushed writes round")
    disk = Disk(folder, ground.folder / "disk.img")
    ground.closing.push(_ending(ground, disk))
    disk.attach()
    return disk


def _ending(ground: Ground, disk: Disk) -> Callable[..., None]:
    """Before the disk goes its users must: the station was entered first, so it would end last."""

    def end(*_: object) -> None:
        for station in ground.stations:
            station.stop()
        disk.detach()

    return end


def _cut(
    ground: Ground,
    station: Station,
    process: Process,
    disk: Disk,
    look: Callable[[str, Path, int], None],
    name: str,
    *,
    is_real: bool = False,
) -> None:
    process.signal(signal.SIGSTOP)
    left = ground.folder / "left.img"
    disk.leave(left)
    time.sleep(ARRIVED_S)
    stopped_ns = time.monotonic_ns()
    if not is_real:
        process.signal(signal.SIGCONT)
    with Copy(left, ground.folder / "left") as folder:
        look(name, folder, stopped_ns)
    if is_real:
        process.kill()
        disk.leave(left)
        disk.go_back(left)
    left.unlink(missing_ok=True)


def _back(station: Station, process: Process) -> None:
    """In service again, without hands."""
    started_ns = time.monotonic_ns()
    process.start()
    if process is station.central:
        station.await_centre()
        back_s = (time.monotonic_ns() - started_ns) / 1e9
    else:
        back_s = station.await_beat(started_ns)
    station.history.note(Figure("P12", f"seconds until {process.name} is back", back_s, BACK_S))


PLAYS = (
    Play(1, "edge", "power cut at the edge", at_the_edge, 12, 200, a_run=20, smoke_s=35, needs=(cannot_cut,)),
    Play(
        2,
        "centre",
        "power cut at the centre",
        at_the_centre,
        8,
        120,
        a_run=20,
        smoke_s=30,
        needs=(cannot_cut,),
    ),
)
