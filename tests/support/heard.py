"""What a listener tells: in order as it comes, or as the rows that an edge makes of it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Self

from contract.ids import EdgeId
from contract.rows import Row, decode_row
from device_drivers.driver import Listener, Sight
from device_drivers.errors import DriverError
from edge.clock import SystemClock
from edge.journal import Journal
from edge.listening import Listening
from edge.points import Points
from edge.settings import PointSettings

Told = Sight | DriverError


class Heard:
    """Takes what a listener tells; each device's words are looked at once and in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Told]] = []
        self._looked_at: dict[str, int] = defaultdict(int)
        self._came = asyncio.Condition()

    async def tell(self, device: str, heard: list[Sight] | DriverError) -> None:
        async with self._came:
            self.told += [(device, sight) for sight in (heard if isinstance(heard, list) else [heard])]
            self._came.notify_all()

    async def until(self, device: str, is_it: Callable[[Told], bool], within_s: float = 20.0) -> Told:
        """The next sight of a device of which it is true."""
        async with asyncio.timeout(within_s), self._came:
            while True:
                while self._looked_at[device] < len(self.told):
                    told_of, sight = self.told[self._looked_at[device]]
                    self._looked_at[device] += 1
                    if told_of == device and is_it(sight):
                        return sight
                await self._came.wait()

    async def sees(self, device: str, sight: Sight, within_s: float = 20.0) -> None:
        await self.until(device, lambda seen: seen == sight, within_s)


class Station:
    """One line of an edge in this process: a listener, its points, a real journal."""

    def __init__(self, folder: Path, listener: Listener, points: list[PointSettings]) -> None:
        self._folder = folder
        self._listener = listener
        self._points = points

    async def __aenter__(self) -> Self:
        clock = SystemClock()
        self._journal = await Journal.open(self._folder, EdgeId("liuxu"), clock)
        points = Points(self._points, [], {}, is_simulated=False, last_at=clock.wall_ms())
        listening = Listening(
            self._listener, points=points, journal=self._journal, clock=clock, jitter=lambda: 0.1
        )
        self._task = asyncio.create_task(listening.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._journal.close()

    async def rows(self, point: str) -> list[Row]:
        """Every row of a point, from the disk."""
        rows = [decode_row(kept.raw) for kept in await self._journal.rows(1, 10_000)]
        return [row for row in rows if row.point == point]

    async def until(self, point: str, kind: str, within_s: float = 20.0, **data: object) -> Row:
        """The first row of a kind at a point that says all this."""
        async with asyncio.timeout(within_s):
            while True:
                assert not self._task.done(), self._task
                for row in await self.rows(point):
                    if row.kind == kind and row.data.items() >= data.items():
                        return row
                await asyncio.sleep(0.05)
