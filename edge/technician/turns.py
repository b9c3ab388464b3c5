"""The schedule of a line played without a journal: what the agent would ask, when it would, and what came.

For commands that want to see what the agent sees. Nothing is kept: a turn is gone with whoever looked at it.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec

from device_drivers.bus import Bus, Exchange
from device_drivers.driver import Driver, Sight
from device_drivers.errors import DriverError
from edge.schedule import Poll, Schedule


class Turn(msgspec.Struct, frozen=True):
    """One read of one device: `sights` of a good one, else the `error`; `exchanges` as they went."""

    poll: Poll
    sights: list[Sight] | None
    error: DriverError | None
    exchanges: list[Exchange]
    mono_ns: int
    """When it was over."""

    @property
    def round_trip_ms(self) -> float:
        """Of all exchanges together, without what the line had to be silent for."""
        return sum(exchange.took_ns for exchange in self.exchanges) / 1e6


async def one_turn(bus: Bus, driver: Driver, poll: Poll) -> Turn:
    """Read once, now."""
    exchanges: list[Exchange] = []
    bus.tap = exchanges.append
    try:
        sights: list[Sight] | None = await bus.read(driver, poll.read)
        error = None
    except DriverError as caught:
        sights, error = None, caught
    finally:
        bus.tap = None
    return Turn(poll, sights, error, exchanges, time.monotonic_ns())


async def turns(bus: Bus, drivers: dict[str, Driver], polls: list[Poll]) -> AsyncIterator[Turn]:
    """These polls, each in its time, for ever. Whoever breaks off has to close the bus."""
    schedule = Schedule(polls, time.monotonic_ns())
    while True:
        due = schedule.next(time.monotonic_ns())
        if isinstance(due, int):
            await asyncio.sleep((due - time.monotonic_ns()) / 1e9)
            continue
        turn = await one_turn(bus, drivers[due.device], due)
        schedule.finish(due, turn.mono_ns, is_answered=turn.error is None)
        schedule.leave_alone(due.device, turn.mono_ns + int(bus.quarantine_s(due.read.unit) * 1e9))
        yield turn
