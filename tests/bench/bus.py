"""`script/bench bus`: what a bus carries and what it costs, beside what the wire allows. Printed as JSON.

Modbus TCP: 1, 10 and 50 modules of 16 inputs with counters, each polled every 100 ms through driver, bus,
schedule and points (no journal), CPU of this process alone. RTU: eight units on one pty whose far end takes
the time of 9600 and of 115200 baud and 10 ms to answer, asked as fast as the line allows; the limit is what
`plan` computes for that turn.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from contract.points import PointType
from device_drivers import registry
from device_drivers.bus import Bus, wire_time_ms
from device_drivers.site import Site
from edge.bus_load import DEVICE_DELAY_MS
from edge.clock import SystemClock
from edge.points import Points
from edge.polling import Polling
from edge.proposals import Proposal
from edge.schedule import Poll, PollClass, Schedule
from edge.settings import PointSettings
from tests.integration.test_sick_line import PROFILE, UNITS, sick_line

E1210 = Path(__file__).parents[2] / "config/profiles/moxa-e1210.toml"
MODULE_INPUTS = 16
LINE_INPUTS = 8


class NoJournal:
    """Everything is durable at once."""

    async def keep(self, proposal: Proposal, commit: Callable[[Proposal], None]) -> None:
        commit(proposal)


async def measure(buses: list[tuple[Bus, list[Poll], dict[str, Any]]], seconds: float) -> dict[str, float]:
    """Turns a second that were answered, and CPU, of these buses polled together."""
    clock = SystemClock()
    drivers = {name: driver for _, _, own in buses for name, driver in own.items()}
    points = Points(
        [
            PointSettings(id=f"{name}.{n}.door", type=PointType.DOOR.value, device=name, channel=f"di:{n}")
            for name in drivers
            for n in range(LINE_INPUTS)
        ],
        [],
        {},
        is_simulated=True,
        last_at=0,
    )
    tasks = [
        asyncio.create_task(
            Polling(
                bus,
                own,
                Schedule(polls, clock.mono_ns()),
                points=points,
                journal=NoJournal(),  # type: ignore[arg-type]
                clock=clock,
            ).run()
        )
        for bus, polls, own in buses
    ]
    await asyncio.sleep(1.0)
    before = sum(bus.counters.ok for bus, _, _ in buses)
    cpu_s, started = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    elapsed_s = time.monotonic() - started
    answered = sum(bus.counters.ok for bus, _, _ in buses) - before
    cpu_percent = 100 * (time.process_time() - cpu_s) / elapsed_s
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    counters = [bus.counters for bus, _, _ in buses]
    errors = sum(c.timeout + c.bad_frame + c.wrong_reply + c.refused for c in counters)
    return {"turns_per_s": answered / elapsed_s, "cpu_percent": cpu_percent, "errors": errors}


async def tcp(modules: int, seconds: float) -> dict[str, Any]:
    far = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.bus", "--far-end", str(modules),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert far.stdin is not None
    assert far.stdout is not None
    try:
        buses = []
        for n, port in enumerate(json.loads(await far.stdout.readline())):
            driver = registry.build("modbus_di", Site(bus_kind="modbus_tcp", profile=E1210))
            bus = registry.tcp_bus("modbus_tcp", "127.0.0.1", port, timeout_s=0.1, quarantine_s=1.0)
            poll = Poll(f"io{n}", driver.reads()[0], PollClass.SECURITY, 100_000_000)
            buses.append((bus, [poll], {f"io{n}": driver}))
        found = await measure(buses, seconds)
    finally:
        far.stdin.close()
        await far.wait()
    return row(f"Modbus TCP, {modules} modules, every 100 ms", found, MODULE_INPUTS, modules * 10.0)


async def rtu(baud: int, seconds: float, folder: Path) -> dict[str, Any]:
    profile = folder / "eight.toml"
    profile.write_text(PROFILE)
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(sick_line("--baud", str(baud)))
        bus = registry.serial_bus("modbus_rtu", path, baud, timeout_s=0.5, quarantine_s=0.1)
        drivers = {
            f"io{unit}": registry.build(
                "modbus_di",
                Site(bus_kind="modbus_rtu", unit=unit, baud=baud, profile=profile),
            )
            for unit in UNITS
        }
        reads = {name: driver.reads()[0] for name, driver in drivers.items()}
        polls = [Poll(name, read, PollClass.SECURITY, 20_000_000) for name, read in reads.items()]
        found = await measure([(bus, polls, drivers)], seconds)
    limit = 1_000 / (wire_time_ms(reads["io1"], baud) + DEVICE_DELAY_MS)
    return row(f"RTU, 8 units, {baud} baud, as fast as it goes", found, LINE_INPUTS, limit)


def row(name: str, found: dict[str, float], inputs: int, limit_per_s: float) -> dict[str, Any]:
    """One line of the report; `share` is what was reached of what the wire or the period allows."""
    return {
        "bus": name,
        "points_per_s": round(found["turns_per_s"] * inputs),
        "points_per_s_limit": round(limit_per_s * inputs),
        "share": round(found["turns_per_s"] / limit_per_s, 3),
        "cpu_percent": round(found["cpu_percent"], 1),
        "errors": int(found["errors"]),
    }


async def far_end(modules: int) -> None:
    """Modules that answer any read of 33 words at once: MBAP by hand, none of our code."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(request := await reader.read(12)) == 12:
            writer.write(request[:4] + (69).to_bytes(2) + request[6:8] + bytes([66]) + bytes(66))

    servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(modules)]
    sys.stdout.write(json.dumps([server.sockets[0].getsockname()[1] for server in servers]) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def report(seconds: float) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="casewatch-bench-") as folder:
        rows = [await tcp(modules, seconds) for modules in (1, 10, 50)]
        rows += [await rtu(baud, seconds, Path(folder)) for baud in (9_600, 115_200)]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench bus", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of polling for each row (default 20)")
    parser.add_argument("--far-end", type=int, metavar="N", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.far_end:
        asyncio.run(far_end(options.far_end))
        return
    json.dump(asyncio.run(report(options.seconds)), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
