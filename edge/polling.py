"""One task a bus: asks what the schedule says, hands the answer to the points, waits for the journal.

The next poll starts only when the rows of this one are durable, so that a baseline never moves ahead
of the journal. What the disk takes is part of the blind time.
"""

import asyncio
from collections.abc import Callable

import structlog

from contract.ids import PointId
from contract.points import Quality
from device_drivers.bus import Bus
from device_drivers.driver import Command, Commanded, Driver, Outcome
from device_drivers.errors import DeviceRefused, DriverError
from edge.clock import Clock
from edge.journal import Journal
from edge.pace import Pace
from edge.points import Points
from edge.schedule import Poll, Schedule, UnitState

log = structlog.get_logger()


class Polling:
    """The polls of one bus, for ever."""

    def __init__(
        self,
        bus: Bus,
        drivers: dict[str, Driver],
        schedule: Schedule,
        *,
        points: Points,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._drivers = drivers
        self._schedule = schedule
        self._points = points
        self._journal = journal
        self._clock = clock
        self._pace = Pace(clock.mono_ns())
        self._lost: set[str] = set()
        self._rereads: dict[tuple[str, str], list[asyncio.Future[bool]]] = {}
        """By device and channel: who waits for the next reading of it."""

    async def run(self) -> None:
        """Until cancelled. Raises JournalFailed."""
        try:
            while True:
                turn = self._schedule.next(self._clock.mono_ns())
                if isinstance(turn, int):
                    await asyncio.sleep((turn - self._clock.mono_ns()) / 1e9)
                else:
                    await self._poll(turn)
                    self._report_pace()
        finally:
            await self._bus.close()

    @property
    def devices(self) -> frozenset[str]:
        """The ids of the devices on this bus."""
        return frozenset(self._drivers)

    async def reread(self, point: PointId, channel: str) -> bool:
        """Wait for the first reading of this point that begins after this call; False: no answer."""
        reading: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._rereads.setdefault((self._points.device(point), channel), []).append(reading)
        return await reading

    async def execute(
        self, point: PointId, command: Command, may_go: Callable[[], bool] = lambda: True
    ) -> Outcome:
        """Send a command to the device that this point of this bus is on, once. Writes no row.

        What became of a lock, the polls tell. `may_go`: asked when it is about to be sent. Raises a
        DriverError only while nothing has been sent.
        """
        driver = self._drivers[self._points.device(point)]
        if not isinstance(driver, Commanded):
            raise DeviceRefused(f"{driver.kind} takes no commands")
        sent_ns: list[int] = []
        outcome = Outcome.UNKNOWN
        try:
            outcome = await self._bus.execute(
                driver, command, on_sent=lambda: sent_ns.append(self._clock.mono_ns()), may_go=may_go
            )
        finally:
            # The line was ours until this moment: no reading can have shown yet what the command did.
            if sent_ns and outcome is not Outcome.REFUSED:
                self._points.commanded(point, sent_ns[0])
            unit = driver.reads()[0].unit
            self._schedule.leave_alone(self._points.device(point), self._not_before(unit))
        return outcome

    def _not_before(self, unit: int) -> int:
        """Until when the unit is in quarantine, ns."""
        return self._clock.mono_ns() + int(self._bus.quarantine_s(unit) * 1e9)

    async def _poll(self, poll: Poll) -> None:
        waiting = self._who_waits(poll)
        try:
            sights = await self._bus.read(self._drivers[poll.device], poll.read)
        except DriverError as error:
            await self._missed(poll, error)
            _tell(waiting, is_answered=False)
            return
        proposal = self._points.observe(poll.device, sights, self._clock.stamp())
        await self._journal.keep(proposal, self._points.commit)
        _tell(waiting, is_answered=True)
        change = self._schedule.finish(poll, self._clock.mono_ns(), is_answered=True)
        if change is UnitState.UP and poll.device in self._lost:
            self._lost.discard(poll.device)
            log.info("device_answered", device=poll.device)

    def _who_waits(self, poll: Poll) -> list[asyncio.Future[bool]]:
        if not self._rereads:
            return []
        keys = [(poll.device, channel) for channel in poll.read.channels]
        return [reading for key in keys for reading in self._rereads.pop(key, [])]

    def _report_pace(self) -> None:
        change = self._pace.judge(self._schedule.total(), self._clock.mono_ns())
        if change is not None:
            log.warning("bus_fell_behind" if change else "bus_kept_up", bus=self._bus.name)

    async def _missed(self, poll: Poll, error: DriverError) -> None:
        now = self._clock.mono_ns()
        change = self._schedule.finish(poll, now, is_answered=False)
        self._schedule.leave_alone(poll.device, self._not_before(poll.read.unit))
        if change is not UnitState.DOWN:
            return
        self._lost.add(poll.device)
        log.warning("device_lost", device=poll.device, code=error.code, reason=str(error))
        quality = Quality.DEVICE_ERROR if isinstance(error, DeviceRefused) else Quality.COMM_FAIL
        proposal = self._points.fail(poll.device, quality, self._clock.stamp())
        await self._journal.keep(proposal, self._points.commit)


def _tell(waiting: list[asyncio.Future[bool]], *, is_answered: bool) -> None:
    for reading in waiting:
        if not reading.done():
            reading.set_result(is_answered)
