"""The far end of an OSDP line: card readers that libosdp plays in a process of its own, on a pty.

A device on its own, no Responder: libosdp keeps its own time and speaks the whole protocol.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from device_drivers.osdp_reader import codec
from simulators.errors import PortBusy, SimulatorError, UnknownAct, UnknownDevice

ACTS = (
    *("card", "tamper", "untamper", "reboot", "busy", "ready", "away", "back"),
    *("wrong key", "no key", "right key"),
)
"""What a hand can do to a reader. `card` may go on with bits and hex; `away`: its cable is off; `no key`:
another reader is in its place, one that speaks in the open.
"""

_ROOT = Path(__file__).parents[1]


class Readers(msgspec.Struct, frozen=True):
    """A line at `path`, a symbolic link, and the key (SCBK) of the reader at each address."""

    path: str
    keys: dict[int, bytes]


class Act(msgspec.Struct, frozen=True):
    address: int
    act: str


class OsdpDevice:
    """All readers of one line. `start` before anything else."""

    def __init__(self, path: Path, keys: Mapping[int, bytes]) -> None:
        self._readers = Readers(str(path), dict(keys))
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Raises PortBusy where the path is taken."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulators.osdp_firmware",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
            start_new_session=True,
        )
        if refusal := await self._say(self._readers):
            await self.stop()
            raise PortBusy(refusal)

    async def stop(self) -> None:
        """The line is gone then."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    @property
    def address(self) -> str:
        return self._readers.path

    async def set_online(self, *, online: bool) -> None:
        """Without power the readers' line is gone. Raises PortBusy."""
        if not online:
            await self.stop()
        elif self._process is None:
            await self.start()

    def acts(self) -> dict[int, tuple[str, ...]]:
        return dict.fromkeys(self._readers.keys, ACTS)

    async def act(self, unit: int, act: str) -> None:
        """Returns when it is done. Raises UnknownDevice, UnknownAct."""
        if unit not in self._readers.keys:
            raise UnknownDevice(f"no reader has the address {unit}")
        if refusal := await self._say(Act(unit, act)):
            raise UnknownAct(refusal)

    def describe(self, frame: bytes) -> str:
        return codec.describe(frame)

    async def _say(self, what: Readers | Act) -> str:
        """What the process answers: nothing where it did it."""
        process = self._process
        if process is None:
            raise SimulatorError("the readers are not running")
        assert process.stdin is not None
        assert process.stdout is not None
        async with self._turn:
            with suppress(ConnectionError):
                process.stdin.write(msgspec.json.encode(what) + b"\n")
                await process.stdin.drain()
            answer = await process.stdout.readline()
        if not answer:
            raise SimulatorError("the readers' process has ended")
        return answer.decode().strip()
