"""A bare cable between a simulated Modbus far end and a peer: a TCP port, or one end of a socat pair."""

import asyncio
import os
import shutil
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators.wire import Responder

needs_socat = pytest.mark.skipif(
    shutil.which("socat") is None, reason="socat is missing: no peer on a serial line was tried"
)


class Talk(asyncio.Protocol):
    """Hands what comes to the far end, and its replies back."""

    def __init__(self, units: Responder, connections: set[asyncio.Transport]) -> None:
        self._units = units
        self._connections = connections
        self._kept = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._kept += data
        replies, used = self._units.hear(self._kept, asyncio.get_running_loop().time())
        self._kept = self._kept[used:]
        self._transport.write(b"".join(reply.frame for reply in replies))


@asynccontextmanager
async def tcp_units(units: Responder) -> AsyncIterator[int]:
    """The far end behind a TCP port, whose number this gives."""
    connections: set[asyncio.Transport] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Talk(units, connections), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in list(connections):
            connection.abort()
        await server.wait_closed()
        await asyncio.sleep(0)


@asynccontextmanager
async def cable(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Two ptys joined by socat."""
    ends = (str(folder / "ours"), str(folder / "theirs"))
    socat = await asyncio.create_subprocess_exec("socat", *(f"pty,raw,echo=0,link={end}" for end in ends))
    try:
        async with asyncio.timeout(5):
            while not all(Path(e).exists() for e in ends):  # noqa: ASYNC110, ASYNC240 - socat tells nobody
                await asyncio.sleep(0.01)
        yield ends
    finally:
        socat.terminate()
        await socat.wait()


@asynccontextmanager
async def serial_units(units: Responder, end: str) -> AsyncIterator[None]:
    """The far end on one end of a pair."""
    line = os.open(end, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(line)
    loop = asyncio.get_running_loop()
    kept = b""

    def hear() -> None:
        nonlocal kept
        kept += os.read(line, 512)
        replies, used = units.hear(kept, loop.time())
        kept = kept[used:]
        for reply in replies:
            os.write(line, reply.frame)

    loop.add_reader(line, hear)
    try:
        yield
    finally:
        loop.remove_reader(line)
        os.close(line)
