"""`script/bench door`: from a contact to the board, measured on real processes, printed as JSON.

For each number of modules: flips at 20 a second with every contact in turn, the time from the flip (the
simulators' stamp) to the frame at a WebSocket client (ours), what was lost or doubled, and each process's
CPU seconds and memory over the run. `--outage` adds the trial with a killed broker and a killed centre.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.flips import Flips, judge, run_through_outages
from tests.support.processes import Process
from tests.support.world import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench door", description=__doc__)
    parser.add_argument("--modules", type=int, nargs="+", default=[1, 10, 50], metavar="N")
    parser.add_argument("--seconds", type=float, default=30, help="of flips for each N (default 30)")
    parser.add_argument("--interval-ms", type=int, default=100, help="poll period (default 100)")
    parser.add_argument("--outage", action="store_true", help="add the trial of killed broker and centre")
    options = parser.parse_args()
    report: dict[str, Any] = {"interval_ms": options.interval_ms, "runs": []}
    for modules in options.modules:
        report["runs"].append(run(modules, options.seconds, options.interval_ms, is_outage=False))
    if options.outage:
        report["outage"] = run(3, 60, options.interval_ms, is_outage=True)
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


def run(modules: int, seconds: float, interval_ms: int, *, is_outage: bool) -> dict[str, Any]:
    """One county from start to stop."""
    sys.stderr.write(f"bench door: {modules} modules, {seconds:.0f} s{', outage' if is_outage else ''}\n")
    with tempfile.TemporaryDirectory(prefix="casewatch-bench-") as folder:
        world = World(Path(folder), modules=modules, interval_ms=interval_ms)
        try:
            world.start()
            trial = outage(world) if is_outage else steady(world, seconds)
            return {"modules": modules} | asyncio.run(trial)
        finally:
            world.stop()


async def steady(world: World, seconds: float) -> dict[str, Any]:
    """Nothing goes wrong."""
    async with Flips(world, rate_hz=20) as flips:
        await flips.run_for(3)
        flips.measured_from_ns = time.monotonic_ns()
        before = usage(world)
        started = time.monotonic()
        await flips.run_for(seconds)
        measured_s = time.monotonic() - started
        after = usage(world)
    return report(world, flips) | {
        "seconds": round(measured_s, 1),
        "processes": {
            name: {
                "cpu_percent_of_a_core": round(100 * (after[name][0] - before[name][0]) / measured_s, 1),
                "cpu_s": round(after[name][0] - before[name][0], 2),
                "rss_mb": round(after[name][1], 1),
            }
            for name in after
        },
    }


async def outage(world: World) -> dict[str, Any]:
    """What `test_no_loss` runs, with its figures."""
    async with Flips(world, rate_hz=20) as flips:
        back_ns = await run_through_outages(flips)
    verify = world.journal("verify")
    return report(world, flips) | {
        "first_event_after_broker_back_s": round(flips.first_after_s(back_ns), 2),
        "journal_verify": "clean" if verify.returncode == 0 else verify.stdout + verify.stderr,
    }


def report(world: World, flips: Flips) -> dict[str, Any]:
    """What was lost, and the times of the flips after the warm-up."""
    verdict = judge(world, flips)
    return {
        "flips": flips.sent,
        "lost": len(verdict.lost),
        "duplicates": len(verdict.duplicates),
        "invented": len(verdict.invented),
        "out_of_order": len(verdict.out_of_order),
        "sessions_missing": len(verdict.sessions_missing),
        "worst_time_error_ms": verdict.worst_time_error_ms,
        "flip_to_websocket_ms": spread(verdict.latencies_ms(flips.measured_from_ns)),
    }


def spread(latencies_ms: list[float]) -> dict[str, float]:
    """Of latencies in ascending order."""
    cuts = statistics.quantiles(latencies_ms, n=100, method="inclusive")
    return {
        "count": len(latencies_ms),
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "max": round(latencies_ms[-1], 1),
    }


def usage(world: World) -> dict[str, tuple[float, float]]:
    """CPU seconds and memory in MB of each process."""
    processes: list[Process] = [world.edge, world.central, world.broker, world.sim]
    return {process.name: (process.cpu_s(), process.rss_mb()) for process in processes}


if __name__ == "__main__":
    main()
