"""Row 4: one system call fails, for the edge's journal or the centre's store. Then all is looked at."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from tests.chaos.ground import Ground, Play
from tests.chaos.history import Ended, Fact
from tests.chaos.kill import look_at_journal, look_at_store
from tests.chaos.station import JOURNAL, STORE, Station
from tests.support.processes import Process
from tests.support.syscalls import Traced, cannot_trace

STORE_FAILED = 74
LIVES_S = 8.0
ENDS_S = 5.0


class Failing(Struct, frozen=True):
    """A call, the error it gives, and how many of it are made before."""

    call: str
    error: str
    most: int
    is_fatal: bool = False
    """What was to be on the disk may not be: nobody may go on as if it were."""


FAILINGS = (
    Failing("fdatasync", "EIO", 20, is_fatal=True),
    Failing("fdatasync", "EIO", 4, is_fatal=True),
    Failing("pwrite64", "EIO", 40),
    Failing("pwrite64", "ENOSPC", 40),
    Failing("pwrite64", "EINTR", 40),
    Failing("pread64", "EIO", 12),
    Failing("fdatasync", "EINTR", 10),
    Failing("fdatasync", "ENOSPC", 10),
    Failing("ftruncate", "EIO", 2),
    Failing("fcntl", "EIO", 30),
)


def at_the_edge(ground: Ground) -> None:
    station = ground.running(30)
    files = [station.folder / (JOURNAL + end) for end in ("", "-wal", "-shm")]
    with station.blind(), station.silent():
        station.edge.stop()
        for failing in _failings(ground):
            _fail(ground, station, station.edge, files, failing=failing)
            look_at_journal(station, f"after {failing.error} at {failing.call}")
        started_ns = time.monotonic_ns()
        station.edge.start()
        station.await_beat(started_ns)
    station.conclude()


def at_the_centre(ground: Ground) -> None:
    station = ground.running(30)
    files = [station.folder / (STORE + end) for end in ("", "-wal", "-shm")]
    station.central.stop()
    for failing in _failings(ground):
        with station.silent(is_noticeable=False):
            _fail(ground, station, station.central, files, failing=failing)
        look_at_store(station, f"after {failing.error} at {failing.call}")
    with station.silent(is_noticeable=False):
        station.central.start()
        station.await_centre()
    station.conclude()


def _failings(ground: Ground) -> list[Failing]:
    ground.not_proven("a short write: strace can only pretend one, the bytes it claims are not there")
    each = [FAILINGS[n % len(FAILINGS)] for n in range(ground.trials)]
    ground.random.shuffle(each)
    return each


def _fail(
    ground: Ground, station: Station, process: Process, files: Sequence[Path], *, failing: Failing
) -> None:
    """One life with one failing call, ended in order where it does not end itself."""
    traced = Traced(process, ground.folder)
    when = ground.random.randint(1, failing.most)
    name = f"{process.name} after {failing.error} at {failing.call} {when}"
    traced.start(failing.call, f"error={failing.error}", when, files)
    _until(lambda: traced.is_struck or not process.is_running, LIVES_S)
    is_struck = traced.is_struck
    _until(lambda: not process.is_running, ENDS_S if is_struck and failing.is_fatal else 1.0)
    if process.is_running:
        if is_struck and failing.is_fatal:
            station.history.note(Fact("P1", f"{name} stops, as after any failed fsync", False))
        traced.end()
    else:
        code = process.wait(1)
        station.history.note(Ended(name, code, [0, STORE_FAILED]))
    ground.tried += is_struck


def _until(is_so: Callable[[], bool], within_s: float) -> None:
    ends_at = time.monotonic() + within_s
    while not is_so() and time.monotonic() < ends_at:
        time.sleep(0.05)


PLAYS = (
    Play(
        4, "edge", "a failing system call under the journal", at_the_edge,
        10, 80, a_run=20, smoke_s=50, needs=(cannot_trace,),
    ),
    Play(
        4, "centre", "a failing system call under the store", at_the_centre,
        10, 80, a_run=20, smoke_s=60, needs=(cannot_trace,),
    ),
)  # fmt: skip
