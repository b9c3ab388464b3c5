"""The receiving half of a transport that lives on the event loop."""

import asyncio

from device_drivers.errors import BadFrame, DriverError, LinkDown, NoReply, NotOpen
from device_drivers.transport.base import DRAIN_LIMIT, INPUT_LIMIT_BYTES, ReplyLength, no_reply_text


class Inbox:
    """Collects bytes and wakes the one waiter when its reply is whole. Fed by whoever owns the wire."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._waiter: asyncio.Future[bytes] | None = None
        self._reply_length: ReplyLength | None = None
        self._lost: str | None = None

    def feed(self, data: bytes) -> None:
        """Bytes came. Past the limit all are dropped, and who waits is told that the line babbles."""
        if len(self._received) + len(data) > INPUT_LIMIT_BYTES:
            self._received.clear()
            self._fail(BadFrame(f"more than {INPUT_LIMIT_BYTES} bytes and no reply among them"))
            return
        self._received += data
        if self._waiter is None or self._waiter.done() or self._reply_length is None:
            return
        received = bytes(self._received)
        length = self._reply_length(received)
        if length is not None and len(received) >= length:
            del self._received[:length]
            self._waiter.set_result(received[:length])

    def lose(self, reason: str) -> None:
        """The wire is gone; whoever waits learns it at once."""
        if self._lost is None:
            self._lost = reason
        self._fail(LinkDown(reason))

    def expect(self, reply_length: ReplyLength) -> None:
        """Forget all input; what comes from now on belongs to the request that is sent next."""
        if self._lost is not None:
            raise NotOpen(self._lost)
        self._received.clear()
        self._reply_length = reply_length
        self._waiter = asyncio.get_running_loop().create_future()

    async def reply(self, timeout_s: float) -> bytes:
        """The expected reply. Raises NoReply, BadFrame, LinkDown."""
        assert self._waiter is not None
        try:
            async with asyncio.timeout(timeout_s):
                return await self._waiter
        except TimeoutError:
            received = bytes(self._received)
            raise NoReply(no_reply_text(received, timeout_s), received) from None
        finally:
            self._waiter = None

    async def drain(self, quiet_s: float) -> int:
        """As Transport.drain."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + DRAIN_LIMIT * quiet_s
        thrown_away = 0
        while loop.time() <= give_up_at:
            thrown_away += len(self._received)
            self.expect(lambda received: len(received) or None)
            try:
                thrown_away += len(await self.reply(quiet_s))
            except NoReply:
                return thrown_away
        raise BadFrame(f"the line does not fall silent: {thrown_away} bytes thrown away")

    def _fail(self, error: DriverError) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
