"""Bytes over TCP: a Modbus TCP module, or a gateway with a serial line behind it."""

import asyncio
import socket

from device_drivers.errors import LinkDown, NotOpen
from device_drivers.transport.base import ReplyLength
from device_drivers.transport.inbox import Inbox

CONNECT_TIMEOUT_S = 2.0
SILENT_PEER_S = 10
"""A peer that acknowledges nothing for so long is gone, though nobody told us (half-open connection)."""


class TcpTransport:
    """One connection to `host`:`port`."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._wire: asyncio.Transport | None = None
        self._inbox = Inbox()

    @property
    def name(self) -> str:
        return f"tcp {self._host}:{self._port}"

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        inbox = Inbox()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                wire, _ = await loop.create_connection(lambda: _Receiver(inbox), self._host, self._port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that DNS cannot carry
            raise LinkDown(str(error) or "no answer") from error
        _watch_silence(wire.get_extra_info("socket"))
        self._wire, self._inbox = wire, inbox

    async def close(self) -> None:
        if self._wire is not None:
            self._wire.abort()
            self._wire = None
            self._inbox.lose("closed")

    async def exchange(self, frame: bytes, reply_length: ReplyLength, timeout_s: float) -> bytes:
        if self._wire is None:
            raise NotOpen("not open")
        self._inbox.expect(reply_length)
        self._wire.write(frame)
        return await self._inbox.reply(timeout_s)

    async def drain(self, quiet_s: float) -> int:
        return await self._inbox.drain(quiet_s)


class _Receiver(asyncio.Protocol):
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def data_received(self, data: bytes) -> None:
        self._inbox.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inbox.lose(str(exc) if exc else "closed by the peer")


def _watch_silence(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_PEER_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_PEER_S * 1_000)
