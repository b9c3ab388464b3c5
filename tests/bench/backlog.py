"""`script/bench backlog`: an edge comes home with a long backlog. How fast it drains, whether a door waits.

Real processes. The edge's journal is filled while it is stopped; then it is started, and from its first
moment at the broker doors are flipped a few times a second until the backlog is stored. Before that the
centre's ingest alone takes the same rows, beside bare inserts of them. All is as in service: TLS, each
batch signed and checked; `--insecure` leaves that out. Prints JSON.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from central import logs
from tests.bench.door import spread, usage
from tests.support.backlog import Past, fill_journal
from tests.support.drain import backlog, bare_insert, drain
from tests.support.eventually import eventually
from tests.support.flips import Flips, judge
from tests.support.world import STATION, World

CAMERAS = 8
LOOK_S = 0.02
AFTER_S = 3
"""Of flips when the backlog is through: the rows that ran ahead meet the log."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench backlog", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="of backlog (default 100000)")
    parser.add_argument("--rate-hz", type=float, default=8, help="flips a second meanwhile (default 8)")
    parser.add_argument("--insecure", action="store_true", help="neither TLS nor signatures")
    options = parser.parse_args()
    logs.configure()
    report = {"rows": options.rows, "centre_alone": centre_alone(options.rows)}
    report["whole_way"] = whole_way(options.rows, options.rate_hz, is_secure=not options.insecure)
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


def centre_alone(count: int) -> dict[str, Any]:
    """The ingest in this process, with nobody at the other ends."""
    sys.stderr.write(f"bench backlog: {count} rows into the centre's ingest alone\n")
    with tempfile.TemporaryDirectory(prefix="casewatch-bench-") as folder:
        rows = backlog(Path(folder) / "edge", count)
        inserted_per_s = bare_insert(Path(folder), rows)
        drained = asyncio.run(drain(Path(folder) / "central", rows))
    return {
        "rows_per_s": round(drained.rows_per_s),
        "bare_inserts_per_s": round(inserted_per_s),
        "board_changes": drained.changes,
        "row_bytes": round(statistics.mean(len(row.raw) for row in rows)),
    }


def whole_way(count: int, rate_hz: float, *, is_secure: bool) -> dict[str, Any]:
    """Edge, broker and centre as processes."""
    sys.stderr.write(f"bench backlog: {count} rows from edge to centre\n")
    with tempfile.TemporaryDirectory(prefix="casewatch-bench-") as folder:
        world = World(Path(folder), modules=3, cameras=CAMERAS, secure=is_secure)
        _leave_out_cameras(world)
        pictures = [f"{room}.picture" for room in world.rooms[:CAMERAS]]
        now_ms = time.time_ns() // 1_000_000
        fill_journal(Path(folder) / "edge", STATION, Past(world.doors, pictures, count, now_ms), now_ms)
        try:
            world.start_without_edge()
            return asyncio.run(come_home(world, count, rate_hz))
        finally:
            world.stop()


async def come_home(world: World, count: int, rate_hz: float) -> dict[str, Any]:
    """From the edge's start until the backlog is stored and the flips are too."""
    async with Flips(world, rate_hz, past=count) as flips:
        watch = asyncio.create_task(Watch(world).until(count), name="backlog watch")
        world.edge.start()
        flips.measured_from_ns = await _connected(world)
        before = usage(world)
        while not watch.done():
            await flips.run_for(0.5)
        after, (first_ns, last_ns) = usage(world), await watch
        await flips.run_for(AFTER_S)
    verdict = await asyncio.to_thread(judge, world, flips)
    seconds = (last_ns - first_ns) / 1e9
    return {
        "secure": world.secure,
        "rows_per_s": round(count / seconds),
        "drain_s": round(seconds, 2),
        "connected_to_first_row_s": round((first_ns - flips.measured_from_ns) / 1e9, 2),
        "flips": flips.sent,
        "lost": len(verdict.lost),
        "invented": len(verdict.invented),
        "duplicates": len(verdict.duplicates),
        "out_of_order": len(verdict.out_of_order),
        "flip_to_websocket_while_draining_ms": spread(verdict.latencies_ms(flips.measured_from_ns, last_ns)),
        "cpu_s": {name: round(after[name][0] - before[name][0], 2) for name in after},
        "rss_mb": {name: round(after[name][1], 1) for name in after},
    }


class Watch:
    """Looks into the centre's store, read-only, for how far the log is stored."""

    def __init__(self, world: World) -> None:
        self._path = world.folder / "central" / "casewatch.db"

    async def until(self, count: int) -> tuple[int, int]:
        """Monotonic ns of the first look at a stored row, and of that at row `count`."""
        first_ns = 0
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as conn:
            while True:
                found = conn.execute("SELECT seq FROM edge_cursor").fetchone()
                stored, now_ns = found[0] if found else 0, time.monotonic_ns()
                if stored and not first_ns:
                    first_ns = now_ns
                if stored >= count:
                    return first_ns, now_ns
                await asyncio.sleep(LOOK_S)


async def _connected(world: World) -> int:
    """Monotonic ns at which the edge has said that it is at the broker."""

    def says() -> bool:
        return world.edge.log.exists() and '"broker_connected"' in world.edge.log.read_text()

    await asyncio.to_thread(eventually, says, 30, "the edge at the broker", LOOK_S)
    return time.monotonic_ns()


def _leave_out_cameras(world: World) -> None:
    """The centre's rooms have cameras and the past tells of their pictures; no recorder runs beside us."""
    world.cameras = 0
    world.write_settings("edge.toml", "scenario.toml")


if __name__ == "__main__":
    main()
