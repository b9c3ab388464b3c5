"""The simulators' own cable around a responder, at a path or a port: for whatever comes from outside."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from simulators.cable import Cable, LineEnd
from simulators.faults import FaultLayer
from simulators.pty_line import PtyLine
from simulators.tcp_end import TcpEnd
from simulators.wire import Responder


class TappedPty(PtyLine):
    """`heard`: every byte that came, a request or not."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.heard = b""

    def take(self, data: bytes) -> None:
        self.heard += data
        super().take(data)


@asynccontextmanager
async def tcp_units(units: Responder) -> AsyncIterator[int]:
    """The units behind a TCP port, whose number this gives."""
    cable = Cable(TcpEnd("127.0.0.1", 0), units, FaultLayer(1, None))
    await cable.start()
    try:
        yield _port(cable)
    finally:
        await cable.stop()


@asynccontextmanager
async def serial_units(units: Responder, path: Path) -> AsyncIterator[str]:
    """The units on a serial line at `path`."""
    cable = Cable(PtyLine(path), units, FaultLayer(1, None))
    await cable.start()
    try:
        yield cable.address
    finally:
        await cable.stop()


@contextmanager
def tcp_units_apart(units: Responder) -> Iterator[int]:
    """As tcp_units, in a thread: for commands that run a loop of their own."""
    with _apart(TcpEnd("127.0.0.1", 0), units) as cable:
        yield _port(cable)


@contextmanager
def serial_units_apart(units: Responder, path: Path) -> Iterator[TappedPty]:
    """As serial_units, in a thread."""
    end = TappedPty(path)
    with _apart(end, units):
        yield end


@contextmanager
def _apart(end: LineEnd, units: Responder) -> Iterator[Cable]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(5)

    cable = Cable(end, units, FaultLayer(1, None))
    try:
        wait(cable.start())
        yield cable
        wait(cable.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def _port(cable: Cable) -> int:
    return int(cable.address.rpartition(":")[2])
