"""`script/bench detection`: how long until the board says so. A station with keys, each thing done `--times`.

    frozen     the edge stands still, its connection open, as with a pulled cable → station_lost
    doubled    its image runs twice → forked or two_machines
    put_back   yesterday's image in its box → edge_rolled_back or forked
    edited     somebody writes into its journal → journal_touched
    edge, centre, broker    killed and started again at once → the next opening is stored

Seconds, each time; JSON.
"""

import argparse
import json
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tests.support.api import Http
from tests.support.eventually import eventually
from tests.support.processes import CASEWATCH, Process
from tests.support.world import World

PATIENCE_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench detection", description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="each thing (default 3)")
    times = parser.parse_args().times
    took_s: dict[str, list[float]] = {}
    for name, trial in TRIALS.items():
        for _ in range(times):
            sys.stderr.write(f"bench detection: {name}\n")
            took_s.setdefault(name, []).append(round(_in_a_world(trial), 2))
    json.dump({"times": times, "seconds": took_s}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _in_a_world(trial: Callable[[World], float]) -> float:
    with tempfile.TemporaryDirectory(prefix="casewatch-bench-") as folder:
        world = World(Path(folder), secure=True)
        try:
            return trial(world.start())
        finally:
            world.stop()


def frozen(world: World) -> float:
    began = time.monotonic()
    world.edge.signal(signal.SIGSTOP)
    try:
        return _until(world, {"station_lost"}, began)
    finally:
        world.edge.signal(signal.SIGCONT)


def doubled(world: World) -> float:
    other = _copy(world, "twin")
    shutil.copy(world.folder / "edge.toml", other / "edge.toml")
    twin = Process("twin", [*CASEWATCH, "edge", "run", "edge.toml"], other)
    began = time.monotonic()
    twin.start()
    try:
        return _until(world, {"forked", "two_machines"}, began)
    finally:
        twin.kill()


def put_back(world: World) -> float:
    image = _copy(world, "image") / "edge"
    _open_a_door(world)
    world.edge.stop()
    shutil.rmtree(world.folder / "edge")
    shutil.copytree(image, world.folder / "edge")
    began = time.monotonic()
    world.edge.start()
    return _until(world, {"edge_rolled_back", "forked"}, began)


def edited(world: World) -> float:
    began = time.monotonic()
    with closing(sqlite3.connect(world.folder / "edge" / "journal.db", timeout=10)) as journal, journal:
        journal.execute("UPDATE row SET bytes = CAST('{}' AS BLOB) WHERE seq = 1")
    return _until(world, {"journal_touched"}, began)


def edge(world: World) -> float:
    return _back(world, world.edge)


def centre(world: World) -> float:
    return _back(world, world.central)


def broker(world: World) -> float:
    return _back(world, world.broker)


def _back(world: World, process: Process) -> float:
    """Killed, started at once, a door opened: when that opening is stored."""
    process.kill()
    began = time.monotonic()
    process.start()
    _open_a_door(world)
    return time.monotonic() - began


def _copy(world: World, name: str) -> Path:
    """The box's disk at this moment, as a copy of a running machine has it."""
    world.edge.signal(signal.SIGSTOP)
    try:
        shutil.copytree(world.folder / "edge", world.folder / name / "edge")
    finally:
        world.edge.signal(signal.SIGCONT)
    return world.folder / name


def _open_a_door(world: World) -> None:
    world.flip(world.doors[0], "open")

    def is_stored() -> bool:
        with suppress(OSError, AssertionError):
            return any(event["row"]["kind"] == "door.open" for event in world.events())
        return False

    eventually(is_stored, PATIENCE_S, "the opening at the centre")


def _until(world: World, kinds: set[str], began: float) -> float:
    def is_told() -> bool:
        return bool(kinds & {fault["kind"] for fault in _faults(world.centre)})

    eventually(is_told, PATIENCE_S, " or ".join(sorted(kinds)))
    return time.monotonic() - began


def _faults(client: Http) -> list[dict[str, str]]:
    told: list[dict[str, str]] = client.get("/api/v1/faults")["faults"]
    return told


TRIALS = {
    "frozen": frozen,
    "doubled": doubled,
    "put_back": put_back,
    "edited": edited,
    "edge": edge,
    "centre": centre,
    "broker": broker,
}

if __name__ == "__main__":
    main()
