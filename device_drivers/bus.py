"""A bus owns one line: one request at a time, and no reply is ever taken for the answer to another request.

A device may answer after we have stopped waiting. On a line without transaction numbers that late reply is
indistinguishable from the answer to the next request to the same unit, so after any exchange that did not
end with a sound reply that unit is not asked again for `quarantine_s`. The others are: each reply carries its
unit, so a late one that comes in their time is known for what it is and skipped. Where replies carry a number
(Modbus TCP) the old ones are recognised by that, and no quarantine is needed.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec

from device_drivers.driver import Answer, Command, Commanded, Driver, Outcome, Read, Sight
from device_drivers.errors import (
    BadFrame,
    DeviceBusy,
    DeviceRefused,
    DriverError,
    LinkDown,
    NoReply,
    NotOpen,
    TooLate,
    WrongReply,
)
from device_drivers.reception import Reception
from device_drivers.transport.base import Transport
from device_drivers.transport.serial_port import BITS_PER_CHAR, silent_interval_s

REOPEN_FIRST_S = 0.25
REOPEN_CAP_S = 5.0
SETTLE_S = 0.02
"""Quiet that ends a frame we made no sense of. USB adapters hand bytes over in batches of 16 ms."""
TURN_MAX_EXCHANGES = 16
"""A driver that still has something to ask after so many would keep the line for ever."""


class BusSettings(msgspec.Struct, frozen=True):
    """`quarantine_s`: by then, counted from the end of `timeout_s`, the slowest device has answered."""

    timeout_s: float = 0.5
    quarantine_s: float = 1.0
    has_transaction_ids: bool = False
    """Every frame carries the number of its request (MBAP)."""
    baud: int = 0
    """Of a serial line: sending takes its time. 0: as good as none."""


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
    """Late replies recognised, and silences in which something came after all."""
    unasked: int = 0
    """Whole frames skipped: older replies on Modbus TCP, notices of a lock board."""
    echo: int = 0
    stray: int = 0
    """Bytes skipped before a sound reply."""
    opened: int = 0


class Exchange(msgspec.Struct, frozen=True):
    """What went over the line for one request, for whoever taps it. `received`: all of it, noise too."""

    mono_ns: int
    unit: int
    sent: bytes
    received: bytes
    error: str
    """Empty for a sound reply, else the code of what was wrong."""
    took_ns: int = 0
    """From the request's first byte until the reply was whole, or until waiting for it ended."""


class Bus:
    """One line and its manners. Safe to call from many tasks: they take turns in order of arrival."""

    def __init__(
        self, transport: Transport, settings: BusSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.counters = BusCounters()
        self.tap: Callable[[Exchange], None] | None = None
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._turn = asyncio.Lock()
        self._is_open = False
        self._silent_until_mono = 0.0
        self._quarantine_mono: dict[int, float] = {}
        self._commanded_mono: dict[int, float] = {}
        self._is_settled = True
        self._asked_mono = 0.0
        self._owed_until_mono = 0.0
        self._reopen_at_mono = 0.0
        self._reopen_wait_s = 0.0

    @property
    def name(self) -> str:
        return self._transport.name

    def quarantine_s(self, unit: int) -> float:
        """For how long this unit had better not be asked; a read before that waits, and the line with it."""
        return max(0.0, self._quarantine_mono.get(unit, 0.0) - self._clock())

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

    async def read(self, driver: Driver, read: Read) -> list[Sight]:
        """One turn, never repeated here. Raises a DriverError."""
        async with self._turn:
            await self._make_ready(read)
            answer = await self._take_turn(driver, read)
        assert isinstance(answer, list), f"{driver.kind} answers the read {read.name} with {answer!r}"
        return answer

    async def execute(
        self,
        driver: Commanded,
        command: Command,
        on_sent: Callable[[], None] = lambda: None,
        may_go: Callable[[], bool] = lambda: True,
    ) -> Outcome:
        """Send a command, once and never again. `on_sent` is called when it has gone out, before anybody
        else has the line; `may_go` is asked when it is about to, and where it says no nothing is sent.

        Until its time has come (the gap after the last one, the unit's quarantine) the others have the line.
        Raises a DriverError only while it has not been sent: TooLate where it may not go any more.
        """
        first = driver.command(command)
        while True:
            await asyncio.sleep(self._command_wait_s(first.unit, driver.command_gap_s))
            async with self._turn:
                if self._command_wait_s(first.unit, driver.command_gap_s) <= 0:
                    await self._make_ready(first)
                    if not may_go():
                        raise TooLate(f"{self.name}: {command.action} {command.channel}")
                    return await self._send(driver, first, command, on_sent)

    def _command_wait_s(self, unit: int, gap_s: float) -> float:
        due_mono = self._commanded_mono.get(unit, -gap_s) + gap_s
        return max(due_mono - self._clock(), self.quarantine_s(unit))

    async def _send(
        self, driver: Commanded, first: Read, command: Command, on_sent: Callable[[], None]
    ) -> Outcome:
        is_sent = True
        try:
            answer = await self._take_turn(driver, first)
        except NotOpen:
            is_sent = False
            raise
        except (DeviceRefused, DeviceBusy):
            return Outcome.REFUSED
        except DriverError:
            return Outcome.UNKNOWN
        finally:
            if is_sent:
                self._commanded_mono[first.unit] = self._clock()
                on_sent()
        assert isinstance(answer, Outcome), f"{driver.kind} answers {command.action} with {answer!r}"
        return answer

    async def _take_turn(self, driver: Driver, read: Read) -> Answer:
        """A request and its reply, and those that the driver lets follow."""
        answer: Answer = read
        for _ in range(TURN_MAX_EXCHANGES):
            if not isinstance(answer, Read):
                return answer
            answer = await self._exchange(driver, answer)
        raise self._named(WrongReply(f"no end after {TURN_MAX_EXCHANGES} exchanges"), read)

    async def _exchange(self, driver: Driver, read: Read) -> Answer:
        frame = driver.encode(read)
        late = [unit for unit in self._quarantine_mono if self.quarantine_s(unit)]
        is_packet = self._settings.has_transaction_ids
        reception = Reception(driver, read, frame, late, is_packet=is_packet)
        timeout_s = read.window_ms / 1_000 if read.window_ms else self._settings.timeout_s
        self.counters.sent += 1
        self._asked_mono = self._clock()
        sending_s = len(frame) * BITS_PER_CHAR / self._settings.baud if self._settings.baud else 0.0
        self._owed_until_mono = self._asked_mono + sending_s + timeout_s
        try:
            await self._transport.exchange(frame, reception.length, timeout_s)
        except NoReply as error:
            if not (read.window_ms and error.received):
                await self._fail(error, read, reception)
            reception.take(error.received)
        except DriverError as error:
            await self._fail(error, read, reception)
        except BaseException:
            self.counters.broken += 1
            self._quarantine(read.unit)
            self._is_settled = False
            raise
        return await self._count(reception, read)

    async def _count(self, reception: Reception, read: Read) -> Answer:
        """Count what came; the answer, or the error that the reply is."""
        if reception.error is not None or reception.answer is None:
            await self._fail(reception.error or NoReply("no whole frame"), read, reception)
        assert reception.answer is not None
        self._report(reception, read)
        self.counters.ok += 1
        self._reopen_wait_s = 0.0
        return reception.answer

    async def _fail(self, error: DriverError, read: Read, reception: Reception) -> None:
        """Count the error, restore order on the line, and raise the error with its place."""
        self._report(reception, read, error)
        if isinstance(error, LinkDown):
            self.counters.broken += 1
            await self._lose_link()
        elif isinstance(error, DeviceBusy | DeviceRefused):
            self.counters.refused += 1
        elif isinstance(error, NoReply):
            self.counters.timeout += 1
            self._quarantine(read.unit)
            self._is_settled = not error.received
        elif self._settings.has_transaction_ids:
            self._count_unsound(error)
            await self._lose_link()  # a packet stream that makes no sense is opened anew
        else:
            self._count_unsound(error)
            self._quarantine(read.unit)
            self._is_settled = False
        raise self._named(error, read) from None

    def _count_unsound(self, error: DriverError) -> None:
        if isinstance(error, BadFrame):
            self.counters.bad_frame += 1
        else:
            self.counters.wrong_reply += 1

    def _report(self, reception: Reception, read: Read, error: DriverError | None = None) -> None:
        counters = self.counters
        counters.unasked += reception.unasked
        counters.late += reception.late
        counters.echo += reception.echo
        counters.stray += reception.stray
        if self.tap is not None:
            code = error.code if error else ""
            now_mono = self._clock()
            took_ns = int((now_mono - self._asked_mono) * 1e9)
            sent, received = _masked(reception.frame, read), _masked(reception.received, read)
            self.tap(Exchange(int(now_mono * 1e9), read.unit, sent, received, code, took_ns))

    def _named(self, error: DriverError, read: Read) -> DriverError:
        error.args = (f"{self.name}, unit {read.unit}, {read.name}: {error}",)
        return error

    async def _make_ready(self, read: Read) -> None:
        """An open line on which nothing old can come any more for this unit. Raises LinkDown, BadFrame."""
        try:
            if not self._is_open:
                await self._reopen()
            silence_s = max(self._silent_until_mono - self._clock(), self.quarantine_s(read.unit))
            if not self._is_settled:
                silence_s = max(silence_s, SETTLE_S)
            if silence_s > 0:
                self.counters.late += bool(await self._drain(silence_s))
        except DriverError as error:
            raise self._named(error, read) from None
        self._is_settled = True
        self._silent_until_mono = 0.0
        self._quarantine_mono.pop(read.unit, None)

    async def _drain(self, silence_s: float) -> int:
        try:
            return await self._transport.drain(silence_s)
        except LinkDown:
            await self._lose_link()
            raise

    async def _reopen(self) -> None:
        wait_s = self._reopen_at_mono - self._clock()
        if wait_s > 0:
            raise LinkDown(f"down, next attempt in {wait_s:.1f} s")
        await self._open()

    async def _open(self) -> None:
        try:
            await self._transport.open()
        except LinkDown:
            await self._lose_link()
            raise
        self._is_open = True
        self.counters.opened += 1
        if not self._settings.has_transaction_ids:
            # The line may still answer who had it before us.
            self._silent_until_mono = self._clock() + self._settings.quarantine_s

    async def _lose_link(self) -> None:
        """Closed; the next attempt at once, then after waits that double up to the cap."""
        self._is_open = False
        await self._transport.close()
        self._reopen_at_mono = self._clock() + self._reopen_wait_s
        self._reopen_wait_s = min(max(REOPEN_FIRST_S, 2 * self._reopen_wait_s), REOPEN_CAP_S)

    def _quarantine(self, unit: int) -> None:
        """From the end of the time in which it may answer, also where the exchange was over before."""
        if not self._settings.has_transaction_ids:
            from_mono = max(self._clock(), self._owed_until_mono)
            self._quarantine_mono[unit] = from_mono + self._settings.quarantine_s


def _masked(content: bytes, read: Read) -> bytes:
    """What goes to a tap: the request, or what came with its echo."""
    return content.replace(read.secret, b"*" * len(read.secret)) if read.secret else content


def wire_time_ms(read: Read, baud: int) -> float:
    """One turn on a serial line but for the device's delay: 11 bits a character, twice t3.5 an exchange."""
    wire_s = (read.request_bytes + read.reply_bytes) * BITS_PER_CHAR / baud
    silence_s = 2 * read.exchanges * silent_interval_s(baud)
    return 1_000 * (wire_s + silence_s) + read.window_ms
