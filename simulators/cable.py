"""A cable: a line at one end, devices at the other, the fault layer between, and a record of its frames."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulators.errors import BadValue
from simulators.faults import Emission, Fault, FaultKind, FaultLayer
from simulators.frame_log import FrameLog, WireFrame
from simulators.wire import Reply, Responder

BITS_PER_CHAR = 11
DEVICE_DELAY_S = 0.01
"""What a device takes to answer on a cable whose speed is emulated."""
NOISE_EVERY_S = 0.02
WAITING_MAX_BYTES = 4096


class LineEnd(Protocol):
    """Where a driver finds the cable: a pty, or a TCP port."""

    is_network: bool
    """A TCP port: it has connections, and goes with the power. A serial line stays, nobody answers on it."""

    @property
    def address(self) -> str: ...
    @property
    def driver_baud(self) -> int:
        """The speed that the driver chose, 0 where there is none."""

    async def open(self, heard: Callable[[bytes, Callable[[bytes], None]], int]) -> None:
        """`heard` gets what waits and a way to answer; it says how many bytes it is done with."""

    async def close(self) -> None: ...
    def send(self, data: bytes) -> None:
        """To whoever listens, without having been asked."""

    def drop(self) -> None:
        """Cut every connection; the line stays."""


class Cable:
    """The devices of `responder` behind `end`. `baud` 0: as fast as the machine is."""

    def __init__(self, end: LineEnd, responder: Responder, faults: FaultLayer, baud: int = 0) -> None:
        self.responder = responder
        self.faults = faults
        self._end = end
        self._baud = baud
        self._frames = FrameLog(responder.describe)
        self._is_online = False
        self._is_open = False
        self._noise: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        return self._end.address

    async def start(self) -> None:
        """Raises PortBusy."""
        await self._open()
        self._is_online = True

    async def stop(self) -> None:
        if self._noise is not None:
            self._noise.cancel()
        self._is_open = False
        await self._end.close()

    async def set_online(self, *, online: bool) -> None:
        """Without power a TCP module has no socket; units on a serial line say nothing. Raises PortBusy."""
        self._is_online = online
        if online:
            await self._apply()
        elif self._end.is_network and self._is_open:
            self._is_open = False
            await self._end.close()

    async def inject(self, fault: Fault) -> int:
        """Its number. Raises BadValue for what cannot strike this cable, PortBusy."""
        if fault.unit is not None and fault.unit not in self.responder.acts():
            raise BadValue(f"unit {fault.unit}: not on this cable")
        number = self.faults.inject(fault)
        await self._apply()
        if fault.kind is FaultKind.DROPPED:
            self._end.drop()
            self.faults.heal(number)
        return number

    def fitting_faults(self) -> list[FaultKind]:
        """The faults that this cable can have."""
        return [kind for kind in FaultKind if not self.faults.why_not(Fault(kind))]

    async def heal(self, number: int | None = None) -> None:
        self.faults.heal(number)
        await self._apply()

    def take(self, reply: Reply) -> None:
        """A reply whose time the device keeps itself."""
        if self._is_online and not self.faults.has(FaultKind.HALF_OPEN):
            self._answer(Reply(reply.unit, b"", reply.frame), self._wire_s(reply), self._end.send)

    def acts(self) -> dict[int, tuple[str, ...]]:
        return self.responder.acts()

    async def act(self, unit: int, act: str) -> None:
        """Raises UnknownAct."""
        self.responder.act(unit, act)

    def frames(self, after: int) -> list[WireFrame]:
        return self._frames.after(after)

    async def _open(self) -> None:
        await self._end.open(self._heard)
        self._is_open = True

    async def _apply(self) -> None:
        """Let the faults of the line have their effect, or end it."""
        is_unplugged = self.faults.has(FaultKind.UNPLUGGED)
        if is_unplugged and self._is_open:
            self._is_open = False
            await self._end.close()
        elif not is_unplugged and not self._is_open and self._is_online:
            await self._open()
        if self._noise is None and self._noise_now():
            self._make_noise()

    def _heard(self, received: bytes, answer: Callable[[bytes], None]) -> int:
        if not self._is_online or self.faults.has(FaultKind.HALF_OPEN):
            return len(received)
        replies, used = self.responder.hear(received, asyncio.get_running_loop().time())
        if not replies and used:
            replies = [Reply(0, received[:used], b"")]
        heard = b""
        wire_s = 0.0
        for reply in replies:
            # A notice and the answer after it come for one request: it is heard, and echoed, once.
            own = Reply(reply.unit, b"", reply.frame) if reply.request is heard else reply
            heard = reply.request
            if own.request:
                self._keep(own.request, own.unit, from_host=True)
            wire_s += self._wire_s(own)
            self._answer(own, wire_s, answer)
        return min(max(used, len(received) - WAITING_MAX_BYTES), len(received))

    def _wire_s(self, reply: Reply) -> float:
        """What request and reply take at the speed of this cable."""
        if not self._baud or not reply.frame:
            return 0.0
        return (len(reply.request) + len(reply.frame)) * BITS_PER_CHAR / self._baud + DEVICE_DELAY_S

    def _answer(self, reply: Reply, wire_s: float, answer: Callable[[bytes], None]) -> None:
        emissions, struck = self.faults.transmit(reply)
        if emissions and (noise := self._noise_now()):
            emissions = [Emission(0.0, noise)]  # nobody is heard above it
        elif self._baud and reply.frame and self._end.driver_baud not in {0, self._baud}:
            emissions, struck = [Emission(0.0, self.faults.babble())], [*struck, FaultKind.GARBAGE.value]
        if struck and not emissions:
            self._keep(b"", reply.unit, from_host=False, faults=struck)
        for emission in emissions:
            if delay_s := emission.delay_s + wire_s:
                loop = asyncio.get_running_loop()
                loop.call_later(delay_s, self._send, emission.data, reply.unit, struck, answer)
            else:
                self._send(emission.data, reply.unit, struck, answer)

    def _send(self, data: bytes, unit: int, struck: list[str], answer: Callable[[bytes], None]) -> None:
        if self._is_open:
            answer(data)
            self._keep(data, unit, from_host=False, faults=struck)

    def _keep(self, data: bytes, unit: int, *, from_host: bool, faults: list[str] | None = None) -> None:
        self._frames.keep(data, unit, from_host=from_host, faults=faults)

    def _noise_now(self) -> bytes:
        if self.faults.has(FaultKind.STUCK_LOW):
            return bytes(8)
        if self.faults.has(FaultKind.STUCK_HIGH):
            return b"\xff" * 8
        return self.faults.babble() if self.faults.has(FaultKind.BABBLE) else b""

    def _make_noise(self) -> None:
        """A line that is stuck, or a unit that babbles, until the fault is healed."""
        noise = self._noise_now()
        if not noise:
            self._noise = None
            return
        if self._is_open:
            self._end.send(noise)
        self._noise = asyncio.get_running_loop().call_later(NOISE_EVERY_S, self._make_noise)
