"""A bus at one end of a cable in memory and a simulated device at the other."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from device_drivers.bus import Bus, BusSettings, Exchange
from device_drivers.transport.memory import MemoryTransport
from simulators.wire import Reply, Responder


class Cable:
    """`async with Cable(responder) as cable`: whatever `cable.bus` sends is heard, and answered.

    `chunk`: replies come in pieces of so many bytes; 0: all replies to a request at once. `spoil` may change
    or drop each reply; `echoes`: the adapter sends back what it is given.
    """

    def __init__(self, responder: Responder, *, chunk: int = 0, timeout_s: float = 0.2) -> None:
        self.responder = responder
        self.chunk = chunk
        self.now_s = 0.0
        self.echoes = False
        self.spoil: Callable[[Reply], bytes] = lambda reply: reply.frame
        self.exchanges: list[Exchange] = []
        self._wire = MemoryTransport()
        self.bus = Bus(self._wire, BusSettings(timeout_s=timeout_s, quarantine_s=0.01))
        self.bus.tap = self.exchanges.append

    async def __aenter__(self) -> Self:
        self._pump = asyncio.create_task(self._carry())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pump.cancel()
        with suppress(asyncio.CancelledError):
            await self._pump
        await self.bus.close()

    async def _carry(self) -> None:
        waiting = b""
        while True:
            request = await self._wire.far.requests.get()
            waiting += request
            replies, used = self.responder.hear(waiting, self.now_s)
            waiting = waiting[used:]
            said = b"".join([request * self.echoes, *map(self.spoil, replies)])
            for at in range(0, len(said), self.chunk or max(1, len(said))):
                self._wire.far.send(said[at : at + self.chunk] if self.chunk else said)
                await asyncio.sleep(0)
