"""A cable of OSDP card readers, which libosdp plays in a process of its own.

libosdp keeps its own time: what the driver says goes to it as it comes, and what its devices say goes over
this cable, and through its faults, when they say it.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from device_drivers.osdp_reader import codec
from simulators.cable import Cable
from simulators.errors import SimulatorError, UnknownAct, UnknownDevice
from simulators.faults import FaultLayer
from simulators.pty_line import PtyLine
from simulators.wire import Reply

ACTS = (
    *("card", "tamper", "untamper", "reboot", "busy", "nak", "ready", "away", "back"),
    *("wrong key", "no key", "right key"),
)
"""What a hand can do to a reader. `card` may go on with bits and hex; `nak`: it refuses whatever it is told,
as if outside a secure channel; `away`: its cable is off; `no key`: another reader is in its place, one that
speaks in the open. A late answer is a fault of the cable.
"""

_ROOT = Path(__file__).parents[1]


class Readers(msgspec.Struct, frozen=True, tag=True):
    """The key (SCBK) of the reader at each address."""

    keys: dict[int, bytes]


class Act(msgspec.Struct, frozen=True, tag=True):
    address: int
    act: str


class Heard(msgspec.Struct, frozen=True, tag=True):
    """What the driver put on the line."""

    data: bytes


class Done(msgspec.Struct, frozen=True, tag=True):
    """The answer to Readers and to an Act; `refusal` is empty if it was done."""

    refusal: str = ""


class Said(msgspec.Struct, frozen=True, tag=True):
    """What a reader puts on the line."""

    address: int
    data: bytes


class OsdpDevice(Cable):
    """All readers of one line at `path`. `start` before anything else."""

    def __init__(self, path: Path, keys: Mapping[int, bytes], seed: int = 1, baud: int = 0) -> None:
        self._firmware = Firmware(keys, self.take)
        super().__init__(PtyLine(path), self._firmware, FaultLayer(seed, None), baud)

    async def start(self) -> None:
        await self._firmware.start()
        try:
            await super().start()
        except SimulatorError:
            await self._firmware.stop()
            raise

    async def stop(self) -> None:
        await super().stop()
        await self._firmware.stop()

    async def set_online(self, *, online: bool) -> None:
        if online:
            await self._firmware.start()
        else:
            await self._firmware.stop()
        await super().set_online(online=online)

    async def act(self, unit: int, act: str) -> None:
        """Returns when it is done. Raises UnknownDevice, UnknownAct."""
        if unit not in self.acts():
            raise UnknownDevice(f"no reader has the address {unit}")
        if refusal := await self._firmware.do(Act(unit, act)):
            raise UnknownAct(refusal)


class Firmware:
    """The readers' process, as a Responder that never answers at once: `say` gets what they say later."""

    def __init__(self, keys: Mapping[int, bytes], say: Callable[[Reply], None]) -> None:
        self._keys = dict(keys)
        self._say = say
        self._request = b""
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._done: asyncio.Queue[str] = asyncio.Queue()
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        if self._process is not None:
            return
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulators.osdp_firmware",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
            start_new_session=True,
        )
        self._listening = asyncio.create_task(self._listen(self._process), name="OSDP readers")
        await self.do(Readers(self._keys))

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert self._listening is not None
        process.stdin.close()
        await process.wait()
        await self._listening

    async def do(self, what: Readers | Act) -> str:
        """Why it was not done; nothing where it was."""
        async with self._turn:
            self._send(what)
            return await self._done.get()

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        """As Responder; a request's reply comes later."""
        del now_s
        frames, begun = codec.split(received)
        self._request = received[: len(received) - len(begun)]
        if self._request:
            self._send(Heard(self._request))
        unit = frames[0].address if frames else 0
        return [Reply(unit, self._request, b"")] if frames else [], len(self._request)

    def describe(self, frame: bytes) -> str:
        return codec.describe(frame)

    def acts(self) -> dict[int, tuple[str, ...]]:
        return dict.fromkeys(self._keys, ACTS)

    def act(self, unit: int, act: str) -> None:
        """Nobody waits for it to be done; see OsdpDevice."""
        self._send(Act(unit, act))

    def _send(self, what: Readers | Act | Heard) -> None:
        if self._process is None:
            raise SimulatorError("the readers are not running")
        assert self._process.stdin is not None
        with suppress(ConnectionError):
            self._process.stdin.write(msgspec.json.encode(what) + b"\n")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            told = msgspec.json.decode(line, type=Done | Said)
            if isinstance(told, Said):
                self._say(Reply(told.address, self._request, told.data))
            else:
                self._done.put_nowait(told.refusal)
        self._done.put_nowait("the readers' process has ended")
