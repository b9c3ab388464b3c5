"""The way from the port to the application: so many connections, so many from one address, and no dawdling.

A connection first has to bring the whole head of a request, within HEAD_WITHIN_S and HEAD_MAX_BYTES; only
then the application hears of it. Whoever opens connections and says nothing, or a byte now and then, costs a
place for seconds and nothing else. What is refused is closed without a word.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable

from prometheus_client import Counter

CONNECTIONS_MAX = 512
CONNECTIONS_OF_ONE_MAX = 64
"""Of one address; this machine's own is not counted so, because a proxy may stand there."""
HEAD_WITHIN_S = 10.0
HEAD_MAX_BYTES = 32 * 1024
_HEAD_END = b"\r\n\r\n"

refused_total = Counter("casewatch_http_connections_refused", "Connections closed unheard.", ["why"])


class FrontDoor:
    """Makes the protocol of each new connection. `serve` makes the application's, `tls` comes before it."""

    def __init__(self, serve: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None) -> None:
        self._serve = serve
        self._tls = tls
        self._open: dict[asyncio.Transport, str] = {}

    def __call__(self) -> asyncio.Protocol:
        return _Arrival(self, self._serve, self._tls)

    def admit(self, transport: asyncio.Transport) -> bool:
        """Whether there is a place for one more, and one more of its address."""
        self._open = {one: address for one, address in self._open.items() if not one.is_closing()}
        address = _address(transport)
        of_one = sum(other == address for other in self._open.values())
        if len(self._open) >= CONNECTIONS_MAX:
            refused_total.labels("all").inc()
        elif address and of_one >= CONNECTIONS_OF_ONE_MAX:
            refused_total.labels("address").inc()
        else:
            self._open[transport] = address
            return True
        return False


class _Arrival(asyncio.Protocol):
    """A connection until its handshake is done and the head of its first request is whole."""

    def __init__(
        self, door: FrontDoor, serve: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None
    ) -> None:
        self._door = door
        self._serve = serve
        self._tls = tls
        self._head = bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if not self._door.admit(transport):
            transport.abort()
            return
        self._deadline = asyncio.get_running_loop().call_later(HEAD_WITHIN_S, self._turn_away, transport)
        if self._tls is None:
            self._transport = transport
        else:
            transport.pause_reading()
            self._handshake = asyncio.create_task(self._shake_hands(transport, self._tls), name="handshake")

    async def _shake_hands(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        try:
            upgraded = await loop.start_tls(transport, self, tls, server_side=True)
        except OSError:  # of which a failed handshake is one
            self._end_wait()
            transport.abort()
            return
        assert isinstance(upgraded, asyncio.Transport)
        self._transport = upgraded
        self._hand_on()

    def data_received(self, data: bytes) -> None:
        self._head += data
        self._hand_on()

    def connection_lost(self, _error: Exception | None) -> None:
        self._end_wait()

    def _hand_on(self) -> None:
        """All that came, once a head is there; whoever sends what can be none is turned away."""
        if self._transport is None:
            return
        if _HEAD_END in self._head:
            self._end_wait()
            application = self._serve()
            self._transport.set_protocol(application)
            application.connection_made(self._transport)
            application.data_received(bytes(self._head))
        elif len(self._head) > HEAD_MAX_BYTES:
            self._turn_away(self._transport)

    def _turn_away(self, transport: asyncio.Transport) -> None:
        refused_total.labels("head").inc()
        self._end_wait()
        transport.abort()

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def _address(transport: asyncio.Transport) -> str:
    """The peer's; empty for this machine's own."""
    peer = transport.get_extra_info("peername")
    address = str(peer[0]) if peer else ""
    return "" if not address or ipaddress.ip_address(address.partition("%")[0]).is_loopback else address
