"""A true bus at one end of a line in memory, a simulated device at the other, and a hand between them.

For everything inside the process; whoever needs an address finds one in `simulated_line`.
"""

import asyncio
from collections.abc import Callable
from typing import Self

from device_drivers.bus import Bus, BusSettings
from device_drivers.transport.memory import MemoryTransport
from simulators.wire import Responder

Answer = Callable[[bytes], list[bytes]]
"""The replies to what the bus put on the line."""
Hand = Callable[[bytes, list[bytes]], list[bytes]]
"""What becomes of the replies to a request on their way: the pieces that come instead."""


def intact(_: bytes, replies: list[bytes]) -> list[bytes]:
    return replies


def echo(request: bytes, replies: list[bytes]) -> list[bytes]:
    """The adapter sends back what it is given."""
    return [request, *replies]


def each(change: Callable[[bytes, bytes], bytes]) -> Hand:
    """Every reply by another, made of the request and itself; an empty one is lost."""
    return lambda request, replies: [said for reply in replies if (said := change(request, reply))]


def spoil(change: Callable[[bytes], bytes]) -> Hand:
    """Every reply by another, made of itself."""
    return each(lambda _, reply: change(reply))


class MemoryLine:
    """`async with MemoryLine(answer) as line`: whatever `line.bus` sends is answered, and is in `sent`.

    `hand` may be changed at any time. `chunk`: replies come in pieces of so many bytes; 0: each at once.
    """

    def __init__(
        self,
        answer: Answer,
        settings: BusSettings | None = None,
        *,
        chunk: int = 0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        wire = MemoryTransport()
        self.far = wire.far
        settings = settings or BusSettings(timeout_s=0.2, quarantine_s=0.01)
        self.bus = Bus(wire, settings) if clock is None else Bus(wire, settings, clock=clock)
        self.hand: Hand = intact
        self.sent: list[bytes] = []
        self._answer = answer
        self._chunk = chunk

    async def __aenter__(self) -> Self:
        self._player = asyncio.create_task(self._play())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._player.done():
            self._player.result()
        self._player.cancel()
        await asyncio.wait([self._player])
        await self.bus.close()

    async def _play(self) -> None:
        while True:
            request = await self.far.requests.get()
            self.sent.append(request)
            pieces = self.hand(request, self._answer(request))
            if not self._chunk:
                for piece in pieces:
                    self.far.send(piece)
                continue
            said = b"".join(pieces)
            for at in range(0, len(said), self._chunk):
                self.far.send(said[at : at + self._chunk])
                await asyncio.sleep(0)


class Firmware:
    """A Responder as an Answer: it keeps what is no whole request yet. `now_s` is the device's clock."""

    def __init__(self, responder: Responder) -> None:
        self.now_s = 0.0
        self._responder = responder
        self._waiting = b""

    def __call__(self, request: bytes) -> list[bytes]:
        self._waiting += request
        replies, used = self._responder.hear(self._waiting, self.now_s)
        self._waiting = self._waiting[used:]
        return [reply.frame for reply in replies if reply.frame]
