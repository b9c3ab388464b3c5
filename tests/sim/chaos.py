"""Plays schedules by the thousand: `script/chaos --sim`, `script/chaos --sim --seed 4711 --trace`."""

import argparse
import gc
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.sim import plan
from tests.sim.world import Ground, Verdict, World

SCHEDULES = 10_000
SHARE = 25
"""Seeds that a worker takes at a time."""
MEMORY = Path("/dev/shm")


def play(ground: Ground, seed: int, *, is_traced: bool = False) -> Verdict:
    """One schedule. What breaks the world itself is a violation too."""
    made = plan.make(seed)
    try:
        with ground.laid():
            return World(made, ground, is_traced=is_traced).play()
    except (Exception, BaseExceptionGroup):
        return Verdict(seed, [("world", traceback.format_exc(limit=-6))], made.themes, 0, 0.0, 0, [])


def ground_in(folder: str) -> Ground:
    return Ground(Path(folder) / str(os.getpid()))


def _share(work: tuple[str, range]) -> list[Verdict]:
    folder, seeds = work
    global _ground
    if _ground is None:
        _ground = ground_in(folder)
        gc.freeze()
    return [play(_ground, seed) for seed in seeds]


_ground: Ground | None = None


def campaign(first: int, count: int, workers: int) -> Iterator[Verdict]:
    """Verdicts as they come, of seeds `first` and the `count` - 1 after it."""
    folder = tempfile.mkdtemp(prefix="casewatch-sim-", dir=MEMORY if MEMORY.is_dir() else None)
    shares = [
        (folder, range(start, min(start + SHARE, first + count)))
        for start in range(first, first + count, SHARE)
    ]
    try:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for verdicts in pool.imap_unordered(_share, shares):
                yield from verdicts
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replay_line(seed: int) -> str:
    return f"script/chaos --sim --seed {seed} --trace"


def _tell(verdict: Verdict) -> None:
    print(f"seed {verdict.seed} ({', '.join(verdict.themes)}): {replay_line(verdict.seed)}")
    for promise, says in verdict.violations[:6]:
        print(f"    {promise}: {says}")


def _one(seed: int, *, is_traced: bool) -> int:
    with tempfile.TemporaryDirectory(
        prefix="casewatch-sim-", dir=MEMORY if MEMORY.is_dir() else None
    ) as folder:
        verdict = play(ground_in(folder), seed, is_traced=is_traced)
    print("\n".join([*(str(act) for act in plan.make(seed).acts), "", *verdict.trace] if is_traced else []))
    if verdict.violations:
        _tell(verdict)
        return 1
    print(f"seed {seed} ({', '.join(verdict.themes)}): every promise kept in {verdict.virtual_s:.0f} s")
    return 0


def _many(first: int, count: int, workers: int) -> int:
    began = time.perf_counter()
    themes: Counter[str] = Counter()
    done = broken = rows = 0
    virtual_s = 0.0
    for verdict in campaign(first, count, workers):
        done += 1
        rows += verdict.rows
        virtual_s += verdict.virtual_s
        themes.update(verdict.themes)
        if verdict.violations:
            broken += 1
            _tell(verdict)
        if done % 500 == 0:
            print(f"{done} schedules, {broken} broken, {time.perf_counter() - began:.0f} s", flush=True)
    took_s = time.perf_counter() - began
    print(
        f"{done} schedules, seeds {first} to {first + count - 1}: {broken} broken; {rows} rows told, "
        f"{virtual_s / 3600:.1f} h of virtual time in {took_s:.0f} s, {done / took_s:.1f} schedules/s"
    )
    print("themes: " + ", ".join(f"{name} {number}" for name, number in sorted(themes.items())))
    return 1 if broken else 0


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/chaos --sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and no other")
    parser.add_argument("--first", type=int, default=1, help="the first seed of many")
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--trace", action="store_true", help="with --seed: what happened, and when")
    asked = parser.parse_args(words)
    if asked.seed is not None:
        return _one(asked.seed, is_traced=asked.trace)
    return _many(asked.first, asked.schedules, asked.workers)


if __name__ == "__main__":
    sys.exit(main())
