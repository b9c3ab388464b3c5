"""A serial cable made of a pseudo terminal: the simulator holds the master, a driver opens the path.

One slave descriptor stays open here: without it the master reads EIO as soon as the last driver closes. A pty
carries no timing or parity, but the speed that the driver chose can be read back; clients use parity N.
"""

import asyncio
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from simulators.errors import PortBusy

READ_BYTES = 4096
FRAME_GAP_S = 0.1
"""Silence after which the beginning of a request is given up."""
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400)
}
_OUTPUT_SPEED = 5

Heard = Callable[[bytes, Callable[[bytes], None]], int]


class PtyLine:
    """A line at `path`, a symbolic link."""

    is_network = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._heard: Heard | None = None
        self._waiting = b""
        self._heard_mono = 0.0
        self._master = -1
        self._slave = -1
        self._last_node = ""

    @property
    def address(self) -> str:
        return str(self._path)

    @property
    def driver_baud(self) -> int:
        if self._master < 0:
            return 0
        return _SPEEDS.get(termios.tcgetattr(self._master)[_OUTPUT_SPEED], 0)

    async def open(self, heard: Heard) -> None:
        """Make the terminal and its link. A link left by an earlier run is replaced; raises PortBusy else."""
        if self._path.exists() and not self._path.is_symlink():
            raise PortBusy(f"{self._path} exists and is not a simulated port")
        self._heard = heard
        self._master, self._slave = self._new_terminal()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _new_terminal(self) -> tuple[int, int]:
        """Under another node than the last time, as an adapter that was plugged in again."""
        master, slave = os.openpty()
        if os.ttyname(slave) == self._last_node:
            taken = master, slave
            master, slave = os.openpty()
            for descriptor in taken:
                os.close(descriptor)
        self._last_node = os.ttyname(slave)
        return master, slave

    async def close(self) -> None:
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        if self._path.is_symlink() and str(self._path.readlink()) == os.ttyname(self._slave):
            self._path.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def send(self, data: bytes) -> None:
        """Put bytes on the line. What a full terminal buffer does not take is lost, as on a wire."""
        if self._master < 0:
            return
        try:
            os.write(self._master, data)
        except BlockingIOError:
            return

    def drop(self) -> None:
        """A serial line has no connection to cut."""

    def _read(self) -> None:
        try:
            self.take(os.read(self._master, READ_BYTES))
        except BlockingIOError:
            return

    def take(self, data: bytes) -> None:
        """What a driver put on the line."""
        now_mono = asyncio.get_running_loop().time()
        if now_mono - self._heard_mono > FRAME_GAP_S:
            self._waiting = b""
        self._heard_mono = now_mono
        self._waiting += data
        assert self._heard is not None
        self._waiting = self._waiting[self._heard(self._waiting, self.send) :]
