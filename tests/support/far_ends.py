"""Far ends of cables for commands that run a loop of their own: each lives in a thread."""

import asyncio
import os
import threading
import tty
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from device_drivers.errors import BadFrame
from device_drivers.lock_8a import codec
from simulators.cable import Cable
from simulators.faults import FaultLayer
from simulators.input_module import InputModule
from simulators.modbus_units import ModbusTcpUnits
from simulators.tcp_end import TcpEnd


@contextmanager
def tcp_module(module: InputModule, unit: int = 1) -> Iterator[int]:
    """The module listens on a free loopback port, which is given back."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(5)

    cable = Cable(TcpEnd("127.0.0.1", 0), ModbusTcpUnits({unit: module}), FaultLayer(1, None))
    try:
        wait(cable.start())
        yield int(cable.address.rpartition(":")[2])
        wait(cable.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


class LockBoards:
    """Boards of the 8A family on one pty: `shorted` by board number. `heard` is all that came."""

    def __init__(self, shorted: dict[int, tuple[bool, ...]]) -> None:
        self.shorted = shorted
        self.heard = b""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = Path(os.ttyname(self._slave))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._slave)
        self._thread.join(5)
        os.close(self._master)

    def _serve(self) -> None:
        waiting = b""
        with suppress(OSError):  # the last one to hold the line has hung up
            while data := os.read(self._master, 256):
                self.heard += data
                waiting = (waiting + data)[-codec.ONE_LOCK_BYTES :]
                with suppress(BadFrame):
                    request = codec.decode_request(waiting)
                    waiting = b""
                    if request.board in self.shorted:
                        os.write(self._master, self._answer(request))

    def _answer(self, request: codec.Request) -> bytes:
        """A lock takes its pulse and shows it by an open contact."""
        shorted = self.shorted[request.board]
        if not request.is_open:
            return codec.encode_all(request.board, shorted)
        self.shorted[request.board] = tuple(s and n != request.lock for n, s in enumerate(shorted, 1))
        return codec.encode_one(request.board, request.lock, is_short=False, head=codec.COMMAND_HEAD)
