"""Modbus ends of an input module: a TCP listener, and a unit on a serial line.

Framing and messages are pymodbus's, the answers are InputModule's. The drivers have framing of their own, so
an error on one side does not cancel itself out on the other.
"""

import asyncio
import os
from pathlib import Path

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU

from simulators.errors import PortBusy
from simulators.input_module import InputModule
from simulators.pty_line import PtyLine

RECEIVED_MAX_BYTES = 512
"""More than one request waiting in pieces; beyond it the peer speaks no Modbus."""


class TcpModule:
    """A module at host:port. Port 0 takes a free one; once started, `address` tells which."""

    def __init__(self, module: InputModule, host: str, port: int, unit: int) -> None:
        self._module = module
        self._host = host
        self._port = port
        self._unit = unit
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises PortBusy."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._accept, self._host, self._port)
        except OSError as fault:
            raise PortBusy(f"port {self.address} cannot be used: {os.strerror(fault.errno or 0)}") from fault
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and cut every connection."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for connection in list(self._connections):
            connection.abort()
        await server.wait_closed()

    async def set_online(self, *, online: bool) -> None:
        """A module without power has no sockets. Raises PortBusy."""
        if not online:
            await self.stop()
        elif self._server is None:
            await self.start()

    def _accept(self) -> asyncio.Protocol:
        return _TcpConnection(self._module, self._unit, self._connections)


class _TcpConnection(asyncio.Protocol):
    def __init__(self, module: InputModule, unit: int, connections: set[asyncio.Transport]) -> None:
        self._module = module
        self._unit = unit
        self._connections = connections
        self._framer = FramerSocket(DecodePDU(is_server=True))
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            used, request = _next_request(self._framer, self._received)
            self._received = self._received[used:]
            if request is None:
                break
            self._transport.write(self._framer.buildFrame(self._answer(request)))
        if len(self._received) > RECEIVED_MAX_BYTES:
            self._transport.abort()

    def _answer(self, request: ModbusPDU) -> ModbusPDU:
        if request.dev_id == self._unit:
            return self._module.answer(request)
        return ExceptionResponse(
            request.function_code, ExcCodes.GATEWAY_NO_RESPONSE, request.dev_id, request.transaction_id
        )


class RtuModule:
    """A module alone on a pty. Offline it says nothing; the line stays, as a cable does."""

    def __init__(self, module: InputModule, path: Path, unit: int) -> None:
        self._module = module
        self._unit = unit
        self._framer = FramerRTU(DecodePDU(is_server=True))
        self._line = PtyLine(path, self._take)
        self.address = str(path)
        self._is_online = False

    async def start(self) -> None:
        """Open the line. Raises PortBusy."""
        self._line.open()
        self._is_online = True

    async def stop(self) -> None:
        self._line.close()

    async def set_online(self, *, online: bool) -> None:
        self._is_online = online

    def _take(self, received: bytes) -> int:
        used, request = _next_request(self._framer, received)
        if request and self._is_online and request.dev_id == self._unit:
            self._line.send(self._framer.buildFrame(self._module.answer(request)))
        return used


def _next_request(framer: FramerBase, received: bytes) -> tuple[int, ModbusPDU | None]:
    """The bytes taken and the request they held. One that cannot be decoded is its own refusal."""
    used, unit, transaction, body = framer.decode(received)
    if not body:
        return used, None
    request = framer.decoder.decode(body)
    if request is None:
        known = body[0] in DecodePDU.pdu_table
        request = ExceptionResponse(body[0], ExcCodes.ILLEGAL_VALUE if known else ExcCodes.ILLEGAL_FUNCTION)
    request.dev_id, request.transaction_id = unit, transaction
    return used, request
