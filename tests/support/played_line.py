"""A driver of the conformance suite on a line in memory, and a far end that can be told to misbehave."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec

from device_drivers.bus import BusSettings
from device_drivers.driver import Command, Driver, Outcome, Read, Sight
from device_drivers.errors import DriverError, NoReply
from tests.support.driver_cases import Answerer, DriverCase
from tests.support.memory_line import MemoryLine

TIMEOUT_S = 0.5
QUARANTINE_S = 1.0

Spoil = Callable[[bytes, bytes], Iterable[bytes]]
"""Request and sound reply in, the pieces that come instead out; none of them: silence."""


class Exchanged(msgspec.Struct, frozen=True):
    """One request as it went out, the read of ours it belonged to, and the sound reply."""

    at: float
    read: Read | None
    request: bytes
    reply: bytes


class Turn(msgspec.Struct, frozen=True):
    """One sound turn: what went to and fro, and what the bus made of it."""

    read: Read
    exchanges: tuple[Exchanged, ...]
    result: Any


def intact(_: bytes, reply: bytes) -> list[bytes]:
    return [reply]


def silent(_: bytes, __: bytes) -> list[bytes]:
    return []


class Witness:
    """A driver, and what was asked of it."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.encoded: list[Read] = []
        """Every read that a request was made for."""

    def encode(self, read: Read) -> bytes:
        self.encoded.append(read)
        return self._driver.encode(read)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


class PlayedLine(MemoryLine):
    """Answers soundly, but for the `nth` request of a turn, which `spoil` answers in its own way."""

    def __init__(self, case: DriverCase, driver: Driver, answer: Answerer) -> None:
        settings = BusSettings(TIMEOUT_S, QUARANTINE_S, has_transaction_ids=case.is_packet)
        self.answer = answer
        super().__init__(lambda request: [self.answer(request)], settings, clock=self._clock)
        self.hand = self._play_the_nth
        self.clock_step_s = 0.0
        self.driver: Any = Witness(driver)
        self.heard: list[Exchanged] = []
        self._spoil: Spoil = intact
        self._nth = 0
        self._is_spoiled = asyncio.Event()

    async def read(self, read: Read, nth: int = 0, spoil: Spoil = intact) -> list[Sight]:
        """The driver's own read of this name."""
        own = next(one for one in self.driver.reads() if one.name == read.name)
        self._arrange(nth, spoil)
        return await self.bus.read(self.driver, own)

    async def attempt(self, read: Read, nth: int, spoil: Spoil) -> list[Sight] | DriverError:
        """Anything but sights and typed errors goes through."""
        try:
            return await self.read(read, nth, spoil)
        except DriverError as error:
            return error

    async def execute(self, command: Command, nth: int = 0, spoil: Spoil = intact) -> Outcome:
        self._arrange(nth, spoil)
        return await self.bus.execute(self.driver, command)

    async def ask_in_vain(self, neighbour: Driver, name: str) -> None:
        """Ask another device on the line, which does not answer in time."""
        read = next(read for read in neighbour.reads() if read.name == name)
        self._arrange(0, silent)
        with contextlib.suppress(NoReply):
            await self.bus.read(neighbour, read)

    async def up_to(self, read: Read) -> None:
        """Take every turn before this one of a full poll, soundly."""
        for earlier in self.driver.reads():
            if earlier.name == read.name:
                return
            await self.read(earlier)

    async def poll(self) -> dict[str, list[Sight]]:
        """One full, sound poll: what each read saw."""
        return {read.name: await self.read(read) for read in self.driver.reads()}

    def forget(self) -> None:
        """Keep nothing of what was heard."""
        self.heard.clear()
        self.driver.encoded.clear()

    async def cut_short(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin something, and cancel it when the far end has done to it what was arranged."""
        self._is_spoiled.clear()
        task = asyncio.create_task(work)
        await self._is_spoiled.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), "it was not in mid-flight"

    def _arrange(self, nth: int, spoil: Spoil) -> None:
        self._spoil, self._nth = spoil, len(self.heard) + nth
        self._is_spoiled.clear()

    def _play_the_nth(self, request: bytes, replies: list[bytes]) -> list[bytes]:
        reply = b"".join(replies)
        number = len(self.heard)
        at = asyncio.get_running_loop().time()
        read = self.driver.encoded[-1] if self.driver.encoded else None
        self.heard.append(Exchanged(at, read, request, reply))
        if number != self._nth:
            return replies
        self._is_spoiled.set()
        return list(self._spoil(request, reply))

    def _clock(self) -> float:
        return asyncio.get_running_loop().time() + self.clock_step_s


def line(case: DriverCase, *, is_active: bool = True, unit: int | None = None) -> PlayedLine:
    unit = case.site.unit if unit is None else unit
    return PlayedLine(case, case.driver(unit), case.far_end(unit, is_active))


async def sound_turns(case: DriverCase, *, is_active: bool = True, unit: int | None = None) -> list[Turn]:
    """Every turn of one full poll, as a fresh driver takes it."""
    turns = []
    async with line(case, is_active=is_active, unit=unit) as played:
        for read in played.driver.reads():
            before = len(played.heard)
            result = await played.read(read)
            turns.append(Turn(read, tuple(played.heard[before:]), result))
    return turns


async def command_turn(case: DriverCase, command: Command) -> Turn:
    """A command carried out by a fresh driver on a sound line."""
    async with line(case) as played:
        outcome = await played.execute(command)
        return Turn(played.driver.encoded[0], tuple(played.heard), outcome)


async def seen(case: DriverCase, *, is_active: bool) -> dict[str, list[Sight]]:
    """What a fresh driver makes of one sound poll."""
    return {turn.read.name: turn.result for turn in await sound_turns(case, is_active=is_active)}
