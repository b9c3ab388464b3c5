"""Row 18: the centre goes on from yesterday's store: put back by its own command, or by hand."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.chaos.ground import Ground, Play
from tests.chaos.history import Demand
from tests.chaos.station import STORE, Station
from tests.chaos.stolen import until_fault
from tests.support.processes import CASEWATCH, ENVIRONMENT

SEEN_S = 30.0
"""The start of the centre, and the edges' births."""

CONFIG = ("--config", "central.toml")


def by_hand(ground: Ground) -> None:
    """Somebody copied the file and copies it back."""

    def keep(station: Station, to: Path) -> None:
        with closing(sqlite3.connect(station.folder / STORE)) as db, closing(sqlite3.connect(to)) as copy:
            db.backup(copy)

    def put_back(station: Station, kept: Path) -> None:
        for end in ("", "-wal", "-shm"):
            (station.folder / (STORE + end)).unlink(missing_ok=True)
        shutil.copy2(kept, station.folder / STORE)

    _yesterday(ground, keep, put_back)


def by_command(ground: Ground) -> None:
    """`central backup` beside the running centre, `central restore` while it is stopped."""

    def keep(station: Station, to: Path) -> None:
        station.run("central", "backup", str(to), *CONFIG)

    def put_back(station: Station, kept: Path) -> None:
        station.run("central", "restore", str(kept), *CONFIG)

    _yesterday(ground, keep, put_back)


def _yesterday(
    ground: Ground, keep: Callable[[Station, Path], None], put_back: Callable[[Station, Path], None]
) -> None:
    station = ground.running(20, secure=True)
    for number in range(ground.trials):
        ground.wait(1, 2)
        kept = ground.folder / f"kept-{number}.db"
        keep(station, kept)
        ground.wait(3, 4)
        with station.silent(is_noticeable=False):
            station.central.stop()
            put_back(station, kept)
            started_ns = time.monotonic_ns()
            station.central.start()
            station.await_centre()
        station.sign_in_again()
        kinds = ["store_rolled_back"]
        station.history.note(Demand("P6", kinds, started_ns, SEEN_S, "the centre began on an older store"))
        until_fault(station, kinds, SEEN_S)
        station.settle()
        ground.tried += 1
    station.conclude()


def no_command() -> str:
    done = subprocess.run(
        [*CASEWATCH, "central", "backup", "--help"], env=ENVIRONMENT, capture_output=True, check=False
    )
    return (
        ""
        if done.returncode == 0
        else "no `central backup` in this checkout: copies by hand alone were tried"
    )


PLAYS = (
    Play(18, "hand", "an older store put back by hand", by_hand, 1, 6, a_run=2, smoke_s=35),
    Play(
        18, "command", "an older store put back by restore", by_command,
        1, 6, a_run=2, smoke_s=35, needs=(no_command,),
    ),
)  # fmt: skip
