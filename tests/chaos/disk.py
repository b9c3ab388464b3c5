"""Row 6: the disk is full, at the edge or at the centre, and then there is room again."""

import os
import subprocess
import time
from pathlib import Path

from tests.chaos.ground import Ground, Play
from tests.chaos.history import Fact, Figure

SIZE_MB = 8
CENTRE_MB = 24
FULL_S = 8.0
LAG_S = 3.0
BACK_S = 20.0


def cannot_fill() -> str:
    return "" if os.geteuid() == 0 else "disk full: needs root to mount a small tmpfs"


def at_the_edge(ground: Ground) -> None:
    """Doors go on being told from the reserve."""
    station = ground.station()
    ballast = _small(ground, station.folder / "edge", SIZE_MB)
    station.start()
    station.flip_at(20, ground.seed)
    for number in range(ground.trials):
        time.sleep(3)
        _fill(ballast)
        from_ns = time.monotonic_ns()
        time.sleep(FULL_S)
        until_ns = time.monotonic_ns()
        is_alive = station.edge.is_running
        station.history.note(Fact("P12", f"the edge runs on a full disk ({number + 1})", is_alive))
        ballast.unlink()
        if not is_alive:
            with station.blind(), station.silent():
                station.edge.start()
                station.await_beat(until_ns)
        station.settle()
        station.note_lag("P9", "door to centre while the edge's disk is full", from_ns, until_ns, LAG_S)
        ground.tried += 1
    station.conclude()


def at_the_centre(ground: Ground) -> None:
    """Nothing is receipted that is not stored; when there is room all is caught up."""
    station = ground.station()
    ballast = _small(ground, station.folder / "central", CENTRE_MB)
    station.start()
    station.flip_at(20, ground.seed)
    for number in range(ground.trials):
        time.sleep(2)
        with station.silent(is_noticeable=False):
            _fill(ballast)
            time.sleep(FULL_S)
            is_alive = station.central.is_running
            station.history.note(Fact("P12", f"the centre runs on a full disk ({number + 1})", is_alive))
            had = station.cursor()
            ballast.unlink()
            freed = time.monotonic()
            if not is_alive:
                station.central.start()
                station.await_centre()
            while station.cursor() <= had and time.monotonic() < freed + 60:
                time.sleep(0.05)
        back_s = time.monotonic() - freed
        station.history.note(Figure("P12", "seconds from room on the disk to a stored row", back_s, BACK_S))
        ground.tried += 1
    station.conclude()


def without_inodes(ground: Ground) -> None:
    """No new file can be made; what is open may grow."""
    station = ground.station()
    folder = station.folder / "edge"
    _small(ground, folder, SIZE_MB, "nr_inodes=12")
    station.start()
    station.flip_at(20, ground.seed)
    made: list[Path] = []
    for _ in range(ground.trials):
        try:
            while True:
                made.append(folder / f"ballast-{len(made)}")
                made[-1].touch()
        except OSError:
            made.pop()
        time.sleep(FULL_S)
        station.history.note(Fact("P12", "the edge runs without a free inode", station.edge.is_running))
        while made:
            made.pop().unlink()
        ground.tried += 1
    station.conclude()


def _small(ground: Ground, folder: Path, megabytes: int, more: str = "") -> Path:
    """A file system of that size at the folder; returns the file that may fill it."""
    folder.mkdir(parents=True)
    options = f"size={megabytes}m" + (f",{more}" if more else "")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)

    def unmount() -> None:
        for station in ground.stations:
            station.stop()
        subprocess.run(["umount", str(folder)], check=True)

    ground.closing.callback(unmount)
    return folder / "ballast"


def _fill(ballast: Path) -> None:
    """Until nothing more fits, down to single bytes."""
    with ballast.open("ab", buffering=0) as file:
        for size in (2**16, 2**12, 1):
            try:
                while True:
                    if file.write(b"x" * size) < size:
                        break
            except OSError:
                continue


PLAYS = (
    Play(6, "edge", "disk full at the edge", at_the_edge, 1, 8, a_run=4, smoke_s=30, needs=(cannot_fill,)),
    Play(
        6, "centre", "disk full at the centre", at_the_centre, 1, 8, a_run=4, smoke_s=30, needs=(cannot_fill,)
    ),
    Play(6, "inodes", "no inode left at the edge", without_inodes, 1, 4, smoke_s=25, needs=(cannot_fill,)),
)
