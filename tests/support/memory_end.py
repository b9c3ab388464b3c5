"""An end of a simulated cable in memory: the cable on one side, a bus on the other."""

import asyncio
from collections.abc import Callable

from device_drivers.transport.memory import MemoryTransport


class MemoryEnd:
    """`transport` goes to the bus. A pull of the cable hangs up."""

    is_network = True
    driver_baud = 0
    address = "memory"

    def __init__(self) -> None:
        self.transport = MemoryTransport()
        self._pump: asyncio.Task[None] | None = None

    async def open(self, heard: Callable[[bytes, Callable[[bytes], None]], int]) -> None:
        self.transport.far.is_reachable = True
        self._pump = asyncio.create_task(self._carry(heard))

    async def close(self) -> None:
        self.transport.far.hang_up()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    def send(self, data: bytes) -> None:
        self.transport.far.send(data)

    def drop(self) -> None:
        self.transport.far.drop("dropped")

    async def _carry(self, heard: Callable[[bytes, Callable[[bytes], None]], int]) -> None:
        waiting = b""
        while True:
            waiting += await self.transport.far.requests.get()
            waiting = waiting[heard(waiting, self.send) :]
