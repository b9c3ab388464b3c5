"""A cable that ends in a TCP port: Modbus TCP modules, or a gateway that passes a serial line's bytes."""

import asyncio
import os
from collections.abc import Callable

from simulators.errors import PortBusy

Heard = Callable[[bytes, Callable[[bytes], None]], int]


class TcpEnd:
    """Listens at host:port. Port 0 takes a free one; once open, `address` tells which."""

    is_network = True
    driver_baud = 0

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    async def open(self, heard: Heard) -> None:
        """Raises PortBusy."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Connection(heard, self._connections), self._host, self._port
            )
        except OSError as fault:
            raise PortBusy(f"port {self.address} cannot be used: {os.strerror(fault.errno or 0)}") from fault
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        self.drop()
        await server.wait_closed()

    def send(self, data: bytes) -> None:
        for connection in self._connections:
            connection.write(data)

    def drop(self) -> None:
        for connection in list(self._connections):
            connection.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, heard: Heard, connections: set[asyncio.Transport]) -> None:
        self._heard = heard
        self._connections = connections
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        self._waiting = self._waiting[self._heard(self._waiting, self._answer) :]

    def _answer(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
