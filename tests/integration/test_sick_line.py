"""Eight units on a pty answer late, never, garbled or behind an echo: no wrong value, no deadline lost by it.

The same line with pymodbus's own client is the test of the test: there a late reply becomes a wrong value.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from device_drivers import registry
from device_drivers.bus import Bus
from device_drivers.driver import Driver, Observation, Sight
from device_drivers.errors import DriverError
from device_drivers.site import Site
from edge.clock import SystemClock
from edge.schedule import Poll, PollClass, Schedule

UNITS = range(1, 9)
SICK = ("--late", "2", "--lost", "1", "--corrupted", "1", "--echoed", "1")
PROFILE = """
model = "a level word and eight counters"
inputs = 8
[level]
function = 4
address = 16
[counters]
address = 0
word_order = "high_first"
"""


@asynccontextmanager
async def sick_line(*options: str) -> AsyncIterator[str]:
    """The path of the line's pty."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.sick_line",
        *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


class Master:
    """Polls all units by the edge's own schedule, and holds every value against what it must be."""

    def __init__(self, path: str, folder: Path, *, interval_ms: int, timeout_ms: int) -> None:
        profile = folder / "eight.toml"
        profile.write_text(PROFILE)
        self.bus: Bus = registry.serial_bus(
            "modbus_rtu", path, 115_200, timeout_s=timeout_ms / 1_000, quarantine_s=6 * timeout_ms / 1_000
        )
        self.drivers: dict[str, Driver] = {
            str(unit): registry.build("modbus_di", Site(bus_kind="modbus_rtu", unit=unit, profile=profile))
            for unit in UNITS
        }
        polls = [
            Poll(name, driver.reads()[0], PollClass.SECURITY, interval_ms * 1_000_000)
            for name, driver in self.drivers.items()
        ]
        self.clock = SystemClock()
        self.schedule = Schedule(polls, self.clock.mono_ns())
        self.asked = dict.fromkeys(self.drivers, 0)
        self.wrong: list[str] = []

    async def run(self, requests: int) -> None:
        while sum(self.asked.values()) < requests:
            turn = self.schedule.next(self.clock.mono_ns())
            if isinstance(turn, int):
                await asyncio.sleep((turn - self.clock.mono_ns()) / 1e9)
                continue
            self.asked[turn.device] += 1
            try:
                self._judge(turn.device, await self.bus.read(self.drivers[turn.device], turn.read))
                is_answered = True
            except DriverError:
                is_answered = False
            now = self.clock.mono_ns()
            self.schedule.finish(turn, now, is_answered=is_answered)
            self.schedule.leave_alone(turn.device, now + int(self.bus.quarantine_s(turn.read.unit) * 1e9))
        await self.bus.close()

    def _judge(self, name: str, sights: list[Sight]) -> None:
        expected = [Observation(f"di:{n}", n == int(name) - 1, self.asked[name]) for n in range(8)]
        if sights != expected:
            self.wrong.append(f"unit {name}, request {self.asked[name]}: {sights}")


@pytest.mark.timeout(400)
async def test_ten_thousand_requests_on_a_sick_line_bring_no_wrong_value_and_lose_no_deadline(
    tmp_path: Path,
) -> None:
    async with sick_line(*SICK, "--timeout-ms", "25") as path:
        master = Master(path, tmp_path, interval_ms=60, timeout_ms=25)
        started_ns = master.clock.mono_ns()
        await master.run(10_000)
        periods = 8 * (master.clock.mono_ns() - started_ns) / 60_000_000
    tally = master.schedule.total()
    counters = master.bus.counters
    assert master.wrong == []
    assert counters.late > 0
    assert counters.echo > 0
    assert counters.timeout > 0
    assert counters.bad_frame > 0
    assert tally.missed < 0.01 * (tally.met + tally.missed), (tally, counters)
    assert tally.met > 0.85 * periods, (
        tally,
        periods,
        "what the sick replies cost their own units is no excuse for more",
    )


@pytest.mark.timeout(120)
async def test_the_same_line_deceives_a_client_that_takes_the_next_reply_for_its_own() -> None:
    """pymodbus's client, as it comes but for the time-out: a control that must fail."""
    wrong, asked = 0, dict.fromkeys(UNITS, 0)
    async with sick_line(*SICK, "--timeout-ms", "25") as path:
        client = AsyncModbusSerialClient(path, baudrate=115_200, timeout=0.025, retries=0)
        assert await client.connect()
        for n in range(2_000):
            unit = UNITS[n % 8]
            asked[unit] += 1
            if not client.connected:
                await client.connect()
            try:
                reply = await client.read_input_registers(0, count=17, device_id=unit)
            except ModbusException:
                continue
            if reply.isError():
                continue
            expected = [asked[unit] >> 16, asked[unit] & 0xFFFF] * 8 + [1 << (unit - 1)]
            wrong += reply.registers != expected
            if wrong:
                break
        client.close()
    assert wrong, "the line deceives nobody: the test above proves nothing"


@pytest.mark.timeout(120)
async def test_seven_dead_units_of_eight_cost_the_last_one_no_deadline(tmp_path: Path) -> None:
    async with sick_line("--dead", "1,2,3,4,5,6,7") as path:
        master = Master(path, tmp_path, interval_ms=100, timeout_ms=50)
        await master.run(330)
    tally = master.schedule.tally("8")
    assert master.wrong == []
    assert tally.met > 200
    assert tally.missed < 0.01 * (tally.met + tally.missed), tally
