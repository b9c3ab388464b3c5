"""One task a line whose devices speak by themselves: hears it, tells the points, waits for the journal.

A listener is told that its words were taken only when their rows are durable, so that nothing it saw can
be lost on the way. A line that is lost costs all of its devices their quality and is tried again, after
a wait that nothing on the line can foresee. A device that says no is left alone for far longer, because a
camera may lock an account after a few wrong passwords; but one that was heard since it was last tried may
only have restarted, and is tried like a lost line.
"""

import asyncio
import random
from collections.abc import Callable

import structlog

from contract.points import Quality
from device_drivers.driver import Listener, Sight
from device_drivers.errors import DeviceRefused, DriverError
from edge.clock import Clock
from edge.journal import Journal
from edge.points import Points

RETRY_FIRST_S = 1.0
RETRY_CAP_S = 30.0
REFUSED_S = 600.0
"""At least so long after an error that asking again does not mend."""

log = structlog.get_logger()


class Listening:
    """One listener, run again for ever. `jitter` gives 0 to 1, even chance."""

    def __init__(
        self,
        listener: Listener,
        *,
        points: Points,
        journal: Journal,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._listener = listener
        self._points = points
        self._journal = journal
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._is_heard = False
        """Since the line was last tried."""
        self._lost: set[str] = set()

    async def run(self) -> None:
        """Until cancelled. Raises JournalFailed."""
        while True:
            least_s, self._is_heard = 0.0, False
            try:
                await self._listener.run(self._tell)
            except DriverError as error:
                for device in self._listener.channels:
                    await self._missed(device, error)
                least_s = 0.0 if error.retryable or self._is_heard else REFUSED_S
            wait_s = min(RETRY_FIRST_S * 2.0 ** min(self._failures, 10), RETRY_CAP_S)
            self._failures += 1
            await asyncio.sleep(least_s + wait_s * self._jitter())

    async def _tell(self, device: str, heard: list[Sight] | DriverError) -> None:
        if isinstance(heard, DriverError):
            await self._missed(device, heard)
            return
        self._failures, self._is_heard = 0, True
        proposal = self._points.observe(device, heard, self._clock.stamp())
        await self._journal.keep(proposal, self._points.commit)
        if device in self._lost:
            self._lost.discard(device)
            log.info("device_answered", device=device)

    async def _missed(self, device: str, error: DriverError) -> None:
        if device not in self._lost:
            self._lost.add(device)
            log.warning("device_lost", device=device, code=error.code, reason=str(error))
        quality = Quality.DEVICE_ERROR if isinstance(error, DeviceRefused) else Quality.COMM_FAIL
        proposal = self._points.fail(device, quality, self._clock.stamp())
        await self._journal.keep(proposal, self._points.commit)
