"""One play from its seed to its verdict, in a process of its own; what it leaves where a promise broke."""

import os
import shutil
import signal
import tempfile
import time
import traceback
from pathlib import Path

from msgspec import Struct

from tests.chaos.ground import Ground, Play
from tests.chaos.oracle import Violation, judge
from tests.chaos.plays import PLAYS
from tests.support.processes import ROOT

SHM = Path("/dev/shm")
KEPT = Path("var/chaos")


class Order(Struct, frozen=True):
    """What is to be tried, in words that another process understands and a person can type again."""

    play: str
    seed: int
    trials: int
    time_limit_s: int

    @property
    def replay(self) -> str:
        return f"script/chaos --only {self.play} --seed {self.seed} --trials {self.trials}"


class Result(Struct, frozen=True):
    """`broken` is empty where all was kept; `failure`: the trial itself could not be made to its end."""

    order: Order
    tried: int
    seconds: float
    broken: list[Violation]
    unproven: list[str]
    failure: str = ""
    kept_in: str = ""


class _TooLong(Exception):
    pass


def find(name: str) -> Play:
    return next(play for play in PLAYS if play.id == name)


def carry_out(order: Order) -> Result:
    """Run in the main thread of a process that ends afterwards."""
    os.setpgrp()
    os.environ["PYTHONPATH"] = str(ROOT)
    play, started = find(order.play), time.monotonic()
    if lacks := [need() for need in play.needs if need()]:
        return Result(order, 0, 0.0, [], lacks)
    root = SHM if SHM.is_dir() and os.access(SHM, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix=f"casewatch-chaos-{order.play}-", dir=root))
    ground = Ground(folder, order.seed, order.trials)
    failure = _play(play, ground, order.time_limit_s)
    broken = judge(ground.history)
    kept_in = _keep(ground, order, broken, failure) if broken or failure else ""
    shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - started
    return Result(order, ground.tried, seconds, broken, ground.unproven, failure, kept_in)


def _play(play: Play, ground: Ground, limit_s: int) -> str:
    """What kept the trial from its end; empty where nothing did. What was written down by then is judged."""

    def too_long(*_: object) -> None:
        raise _TooLong(f"did not end within {limit_s} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(limit_s)
    failure = ""
    try:
        play.run(ground)
    except Exception:
        failure = traceback.format_exc()
    signal.alarm(60)
    try:
        _copy_logs(ground, is_failed=bool(failure))
        ground.closing.close()
    except Exception:
        failure += traceback.format_exc()
    signal.alarm(0)
    return failure


def _copy_logs(ground: Ground, *, is_failed: bool) -> None:
    """Stores and journals as they stand, before what they lie on is unmounted."""
    for station in ground.stations:
        if is_failed:
            station.note_what_can_be()
        for name in ("edge", "central"):
            target = ground.folder / "kept" / name
            if (station.folder / name).is_dir():
                shutil.copytree(station.folder / name, target, dirs_exist_ok=True)


def _keep(ground: Ground, order: Order, broken: list[Violation], failure: str) -> str:
    """Seed, history, both stores and logs in one folder; returns its path."""
    target = KEPT / f"{order.play}-{order.seed}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    ground.history.save(target / "history.jsonl")
    says = "\n".join(f"{violation.promise} {violation.says}" for violation in broken)
    (target / "verdict.txt").write_text(f"{order.replay}\n\n{says}\n\n{failure}")
    for path in ground.folder.iterdir():
        if path.suffix in {".log", ".toml", ".conf", ".txt"}:
            shutil.copy2(path, target)
    if (kept := ground.folder / "kept").is_dir():
        shutil.copytree(kept, target, dirs_exist_ok=True)
    return str(target)
