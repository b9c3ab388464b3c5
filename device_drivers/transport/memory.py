"""A null-modem cable in memory: the near end is a transport, the far end plays the device by hand."""

import asyncio

from device_drivers.errors import LinkDown, NotOpen
from device_drivers.transport.base import ReplyLength
from device_drivers.transport.inbox import Inbox


class MemoryTransport:
    """The near end. Opening it fails while the far end has hung up."""

    def __init__(self) -> None:
        self.far = FarEnd()

    @property
    def name(self) -> str:
        return "memory"

    async def open(self) -> None:
        self.far.accept()

    async def close(self) -> None:
        self.far.drop("closed")

    async def exchange(self, frame: bytes, reply_length: ReplyLength, timeout_s: float) -> bytes:
        inbox = self.far.wire()
        inbox.expect(reply_length)
        self.far.requests.put_nowait(frame)
        return await inbox.reply(timeout_s)

    async def drain(self, quiet_s: float) -> int:
        return await self.far.wire().drain(quiet_s)


class FarEnd:
    """The device's end: take `requests`, `send` bytes at any time, or hang up and come back."""

    def __init__(self) -> None:
        self.requests: asyncio.Queue[bytes] = asyncio.Queue(maxsize=16)
        self.is_reachable = True
        self.opened = 0
        self._inbox: Inbox | None = None

    def send(self, data: bytes) -> None:
        """Bytes towards the near end; lost if nobody is connected, as on a real wire."""
        if self._inbox is not None:
            self._inbox.feed(data)

    def hang_up(self) -> None:
        self.is_reachable = False
        self.drop("far end hung up")

    def accept(self) -> None:
        if not self.is_reachable:
            raise LinkDown("nobody at the far end")
        self.opened += 1
        self._inbox = Inbox()

    def drop(self, reason: str) -> None:
        if self._inbox is not None:
            self._inbox.lose(reason)
            self._inbox = None

    def wire(self) -> Inbox:
        if self._inbox is None:
            raise NotOpen("not open")
        return self._inbox
