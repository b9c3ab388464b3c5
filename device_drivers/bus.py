"""A bus owns one line: one request at a time, and no reply is ever taken for the answer to another request.

A device may answer after we have stopped waiting. On a line without transaction numbers that late reply is
indistinguishable from the answer to the next request, so after any exchange that did not end with a sound
reply the bus stays silent and throws input away for `quarantine_s`. Where replies carry a number (Modbus TCP)
the old ones are recognised and skipped, and no silence is needed.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec

from device_drivers.driver import Driver, Observation, Read
from device_drivers.errors import BadFrame, DriverError, LinkDown, NoReply, WrongReply
from device_drivers.reception import Reception
from device_drivers.transport.base import Transport
from device_drivers.transport.serial_port import BITS_PER_CHAR, silent_interval_s

REOPEN_FIRST_S = 0.25
REOPEN_CAP_S = 5.0


class BusSettings(msgspec.Struct, frozen=True):
    """`quarantine_s`: by then, counted from the end of `timeout_s`, the slowest device has answered."""

    timeout_s: float = 0.5
    quarantine_s: float = 1.0
    has_transaction_ids: bool = False
    """Every frame carries the number of its request (MBAP)."""


class BusCounters(msgspec.Struct):
    """Since the bus was made. sent = ok + timeout + bad_frame + wrong_reply + refused + broken."""

    sent: int = 0
    ok: int = 0
    timeout: int = 0
    bad_frame: int = 0
    wrong_reply: int = 0
    refused: int = 0
    """Sound replies that say no, or later."""
    broken: int = 0
    """Cut short by a lost link or a cancelled caller."""
    late: int = 0
    """Silences in which something came after all."""
    unasked: int = 0
    """Whole frames skipped: older replies on Modbus TCP, notices of a lock board."""
    echo: int = 0
    stray: int = 0
    """Bytes skipped before a sound reply."""
    opened: int = 0


class Bus:
    """One line and its manners. Safe to call from many tasks: they take turns in order of arrival."""

    def __init__(
        self, transport: Transport, settings: BusSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.counters = BusCounters()
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._turn = asyncio.Lock()
        self._is_open = False
        self._silent_until_mono = 0.0
        self._reopen_at_mono = 0.0
        self._reopen_wait_s = 0.0

    @property
    def name(self) -> str:
        return self._transport.name

    async def open(self) -> None:
        """Raises LinkDown; reads then open the line by themselves as soon as that is possible."""
        async with self._turn:
            try:
                await self._open()
            except LinkDown as error:
                raise LinkDown(f"{self.name}: {error}") from None

    async def close(self) -> None:
        async with self._turn:
            self._is_open = False
            await self._transport.close()

    async def read(self, driver: Driver, read: Read) -> list[Observation]:
        """One exchange, never repeated here. Raises a DriverError."""
        async with self._turn:
            try:
                await self._make_ready()
            except DriverError as error:
                raise self._named(error, read) from None
            frame = driver.encode(read)
            reception = Reception(driver, read, frame, is_packet=self._settings.has_transaction_ids)
            self.counters.sent += 1
            try:
                await self._transport.exchange(frame, reception.length, self._settings.timeout_s)
            except DriverError as error:
                await self._fail(error)
                raise self._named(error, read) from None
            except BaseException:
                self.counters.broken += 1
                self._fall_silent()
                raise
            return await self._take(reception, read)

    async def _take(self, reception: Reception, read: Read) -> list[Observation]:
        """Count what came; the observations, or the error that the reply is."""
        counters = self.counters
        counters.unasked += reception.unasked
        counters.echo += reception.echo
        counters.stray += reception.stray
        if reception.error is not None:
            await self._fail(reception.error)
            raise self._named(reception.error, read)
        counters.ok += 1
        self._reopen_wait_s = 0.0
        return reception.observations

    async def _fail(self, error: DriverError) -> None:
        """Count the error and restore order on the line."""
        if isinstance(error, LinkDown):
            self.counters.broken += 1
            await self._lose_link()
        elif isinstance(error, NoReply):
            self.counters.timeout += 1
            self._fall_silent()
        elif isinstance(error, BadFrame):
            self.counters.bad_frame += 1
            await self._resynchronise()
        elif isinstance(error, WrongReply):
            self.counters.wrong_reply += 1
            await self._resynchronise()
        else:
            self.counters.refused += 1

    def _named(self, error: DriverError, read: Read) -> DriverError:
        return type(error)(f"{self.name}, unit {read.unit}, {read.name}: {error}")

    async def _make_ready(self) -> None:
        """An open line on which nothing old can come any more."""
        if not self._is_open:
            wait_s = self._reopen_at_mono - self._clock()
            if wait_s > 0:
                raise LinkDown(f"down, next attempt in {wait_s:.1f} s")
            await self._open()
        silence_s = self._silent_until_mono - self._clock()
        if silence_s <= 0:
            return
        try:
            self.counters.late += bool(await self._transport.drain(silence_s))
        except LinkDown:
            await self._lose_link()
            raise
        except DriverError:
            self._fall_silent()
            raise
        self._silent_until_mono = 0.0

    async def _open(self) -> None:
        try:
            await self._transport.open()
        except LinkDown:
            await self._lose_link()
            raise
        self._is_open = True
        self.counters.opened += 1
        self._fall_silent()

    async def _lose_link(self) -> None:
        """Closed; the next attempt at once, then after waits that double up to the cap."""
        self._is_open = False
        await self._transport.close()
        self._reopen_at_mono = self._clock() + self._reopen_wait_s
        self._reopen_wait_s = min(max(REOPEN_FIRST_S, 2 * self._reopen_wait_s), REOPEN_CAP_S)

    async def _resynchronise(self) -> None:
        """After input that makes no sense a packet stream is opened anew, and a line falls silent."""
        if self._settings.has_transaction_ids:
            await self._lose_link()
        else:
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Also after opening: the line may still answer who had it before us."""
        if not self._settings.has_transaction_ids:
            self._silent_until_mono = self._clock() + self._settings.quarantine_s


def wire_time_ms(read: Read, baud: int) -> float:
    """One exchange on a serial line but for the device's own delay: 11 bits a character, twice t3.5."""
    chars = read.request_bytes + read.reply_bytes
    return 1_000 * (chars * BITS_PER_CHAR / baud + 2 * silent_interval_s(baud))
