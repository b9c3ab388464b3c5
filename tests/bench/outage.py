"""`script/bench outage`: the broker is killed and comes back empty. What it costs, beside the peers' figures.

Ten modules, 20 flips a second for 55 s: mosquitto gets SIGKILL after 15 s and is started again 20 s later;
then quiet until all has come. It counts what the simulators did and what the centre has. `--kill-edge` kills
the edge too, 10 s into the outage, and starts it again at once. Prints JSON.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from tests.bench.door import spread
from tests.support.flips import Flips, Made, Verdict, judge
from tests.support.mosquitto import await_listener
from tests.support.world import World

MODULES, RATE_HZ = 10, 20
BEFORE_S, OUTAGE_S, AFTER_S = 15, 20, 20
WARM_UP_S = 3
SETTLED_AFTER_S = 5
"""So long after the broker is back the latency counts as that of a quiet part again."""


class Instants(msgspec.Struct):
    """Of the monotonic clock, ns; `back_ms` is the same instant as `back_ns` by the wall clock."""

    started_ns: int
    killed_ns: int = 0
    back_ns: int = 0
    back_ms: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench outage", description=__doc__)
    parser.add_argument("--kill-edge", action="store_true", help="SIGKILL for the edge too, in the outage")
    parser.add_argument("--insecure", action="store_true", help="neither TLS nor signatures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="casewatch-bench-") as folder:
        world = World(Path(folder), modules=MODULES, secure=not options.insecure)
        try:
            world.start()
            report = asyncio.run(trial(world, is_edge_killed=options.kill_edge))
        finally:
            world.stop()
    head = {"modules": MODULES, "flips_per_s": RATE_HZ, "secure": not options.insecure}
    json.dump(head | report, sys.stdout, indent=2)
    sys.stdout.write("\n")


async def trial(world: World, *, is_edge_killed: bool) -> dict[str, Any]:
    """The flips, the outage, the quiet, and what is to be said of them."""
    async with Flips(world, RATE_HZ) as flips:
        instants = Instants(time.monotonic_ns())
        await flips.run_for(BEFORE_S)
        world.broker.kill()
        instants.killed_ns = time.monotonic_ns()
        await flips.run_for(OUTAGE_S / 2)
        if is_edge_killed:
            world.edge.kill()
            world.edge.start()
        await flips.run_for(OUTAGE_S / 2)
        world.broker.start()
        await asyncio.to_thread(await_listener, world.broker_port)
        instants.back_ns, instants.back_ms = time.monotonic_ns(), time.time_ns() // 1_000_000
        await flips.run_for(AFTER_S)
    verdict = await asyncio.to_thread(judge, world, flips)
    return counts(verdict, instants) | times(verdict, flips, instants)


def counts(verdict: Verdict, instants: Instants) -> dict[str, Any]:
    """Flips and what was lost of them, by the part in which they were made."""
    parts = {
        "before": (0, instants.killed_ns),
        "in_outage": (instants.killed_ns, instants.back_ns),
        "after": (instants.back_ns, sys.maxsize),
    }
    made = {name: _between(verdict, *span) for name, span in parts.items()}
    lost = {name: sum(one.received_ms is None for one in some) for name, some in made.items()}
    return {
        "flips": {name: len(some) for name, some in made.items()},
        "lost_before": lost["before"],
        "lost_in_outage": lost["in_outage"],
        "lost_after_broker_back": lost["after"],
        "lost_in_all": sum(lost.values()),
        "surplus": len(verdict.duplicates) + len(verdict.invented),
        "out_of_order": len(verdict.out_of_order),
    }


def times(verdict: Verdict, flips: Flips, instants: Instants) -> dict[str, Any]:
    """When it came after the broker was back, whether it kept its own time, and how long a flip takes."""
    backlog = [made.received_ms for made in _between(verdict, instants.killed_ns, instants.back_ns)]
    last_ms = max((received_ms for received_ms in backlog if received_ms is not None), default=0)
    warm_ns = instants.started_ns + WARM_UP_S * 1_000_000_000
    settled_ns = instants.back_ns + SETTLED_AFTER_S * 1_000_000_000
    return {
        "first_event_after_broker_back_s": round(flips.first_after_s(instants.back_ns), 2),
        "backlog_delivered_after_broker_back_s": round((last_ms - instants.back_ms) / 1_000, 2),
        "worst_time_error_ms": verdict.worst_time_error_ms,
        "flip_to_websocket_before_ms": spread(verdict.latencies_ms(warm_ns, instants.killed_ns)),
        "flip_to_websocket_after_ms": spread(verdict.latencies_ms(settled_ns)),
    }


def _between(verdict: Verdict, since_ns: int, until_ns: int) -> list[Made]:
    return [made for made in verdict.made if since_ns <= made.made_ns < until_ns]


if __name__ == "__main__":
    main()
