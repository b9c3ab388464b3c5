"""Row 19: an edge's image is put back, runs twice, or is swapped for an empty one."""

import shutil
import signal
import time

from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.history import Demand, Silence
from tests.chaos.station import Station
from tests.chaos.stolen import clone, until_fault

SEEN_S = 30.0


def put_back(ground: Ground) -> None:
    """Yesterday's image in today's box."""
    station = ground.running(20, secure=True)
    ground.wait(1, 3)
    image = ground.folder / "image"
    station.edge.signal(signal.SIGSTOP)
    shutil.copytree(station.folder / "edge", image)
    station.edge.signal(signal.SIGCONT)
    ground.wait(2, 3)
    _at_rest(station)
    shutil.rmtree(station.folder / "edge")
    shutil.copytree(image, station.folder / "edge")
    started_ns = time.monotonic_ns()
    station.edge.start()
    kinds = ["edge_rolled_back", "forked"]
    station.history.note(Demand("P6", kinds, started_ns, SEEN_S, "yesterday's image began to speak"))
    until_fault(station, kinds, SEEN_S)
    _look(ground, station)


def twice(ground: Ground) -> None:
    """The image in two boxes at one time, both on the same cables."""
    station = ground.running(20, secure=True)
    ground.wait(1, 3)
    station.history.note(Silence(STATION, time.monotonic_ns(), None))
    twin = clone(ground, station)
    started_ns = time.monotonic_ns()
    twin.start()
    kinds = ["two_machines", "forked"]
    station.history.note(Demand("P6", kinds, started_ns, SEEN_S, "two boxes speak as one edge"))
    until_fault(station, kinds, SEEN_S)
    twin.kill()
    _look(ground, station)


def emptied(ground: Ground) -> None:
    """Another flash, its journal empty: a new epoch, which a person lets in; then nothing is lost."""
    station = ground.running(20)
    ground.wait(1, 3)
    assert station.load is not None
    station.load.pause()
    time.sleep(0.5)
    with station.silent(), station.blind():
        station.edge.stop()
        station.settle()
        for file in (station.folder / "edge").glob("journal.db*"):
            file.unlink()
        started_ns = time.monotonic_ns()
        station.edge.start()
        station.history.note(Demand("P6", ["epoch_unknown"], started_ns, SEEN_S, "a journal began anew"))
        until_fault(station, ["epoch_unknown"], SEEN_S)
        epoch = station.tap.beats(STATION, started_ns)[-1][1].epoch
        why = ("--reason", "its journal was deleted")
        station.run("central", "readmit", STATION, "--epoch", str(epoch), *why, "--config", "central.toml")
    station.load.resume()
    ground.wait(2, 3)
    ground.tried += 1
    station.load.stop()
    station.settle()
    station.note_store("the store after the edge was let in again")
    station.note_board()


def _at_rest(station: Station) -> None:
    station.history.note(Silence(STATION, time.monotonic_ns(), None))
    station.edge.stop()


def _look(ground: Ground, station: Station) -> None:
    """What came of it, where no faults end and nothing can be complete."""
    ground.tried += 1
    assert station.load is not None
    station.load.stop()
    station.note_store("the store at the end")
    station.note_board()
    station.history.note(*station.tap.records())


PLAYS = (
    Play(19, "back", "an older image of an edge", put_back, 1, 6, a_run=1, smoke_s=35),
    Play(19, "twice", "one image in two boxes", twice, 1, 6, a_run=1, smoke_s=40),
    Play(19, "empty", "another, empty flash", emptied, 1, 6, a_run=1, smoke_s=30),
)
