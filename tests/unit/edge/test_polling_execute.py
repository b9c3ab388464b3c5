"""Commands through a bus's polling, in virtual time: sent once, noted for the watch, without a row."""

import asyncio

import pytest

from contract.ids import PointId
from contract.points import Clock
from device_drivers.driver import Command, Observation, Outcome, Read
from device_drivers.errors import DeviceRefused, DriverError, LinkDown, NoReply
from edge.clock import Stamp
from edge.points import Points
from edge.polling import Polling
from edge.schedule import Poll, PollClass, Schedule
from edge.settings import PointSettings

LOCK = PointId("liuxu.cab1.s03.lock")
OPEN = Command("open", "lock:3")
READ = Read("locks", 1, ("lock:3",), 5, 7)
STEP_NS = 500_000_000
LOOK_NS = 1_000_000


class FakeBoard:
    kind = "fake_board"
    command_gap_s = 0.5

    def reads(self) -> tuple[Read, ...]:
        return (READ,)

    def encode(self, read: Read) -> bytes: ...

    def reply_length(self, read: Read, received: bytes) -> int | None: ...

    def decode(self, read: Read, reply: bytes): ...

    def command(self, command: Command) -> Read: ...


class FakeModule:
    kind = "fake_module"

    def reads(self) -> tuple[Read, ...]:
        return (READ,)


class Ended(Exception):
    """The script is over."""


class Cabinet:
    """A bus, a journal and a clock in one. A poll takes half a second, a look at the clock a millisecond."""

    boot = "b0"
    state = Clock.FREE

    def __init__(self, driver=None) -> None:
        self.now = 0
        self.rows: list[tuple[str, dict]] = []
        self.sent: list[Command] = []
        self.answer: Outcome | BaseException = Outcome.ACKNOWLEDGED
        self.is_open = False
        self.is_silent = False
        self.polls_left = 0
        self.quarantined_s = 0.0
        lock = PointSettings(id=LOCK, type="lock", device="locks1", channel="lock:3")
        points = Points([lock], [], {}, is_simulated=False, last_at=0)
        schedule = Schedule([Poll("locks1", READ, PollClass.CABINET, LOOK_NS)], 0)
        self.polling = Polling(
            self, {"locks1": driver or FakeBoard()}, schedule, points=points, journal=self, clock=self
        )

    async def poll(self, times: int) -> list[tuple[str, dict]]:
        """So many polls, and the rows they brought."""
        self.polls_left = times
        with pytest.raises(Ended):
            await self.polling.run()
        rows, self.rows = self.rows, []
        return [row for row in rows if row[0] != "point.baseline"]

    # a bus
    async def read(self, _driver, _read: Read) -> list[Observation]:
        if self.polls_left == 0:
            raise Ended
        self.polls_left -= 1
        self.now += STEP_NS
        if self.is_silent:
            raise NoReply("nothing")
        return [Observation("lock:3", self.is_open)]

    async def execute(self, _driver, command: Command, on_sent, may_go) -> Outcome:
        if isinstance(self.answer, DriverError):
            raise self.answer
        on_sent()
        self.sent.append(command)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def quarantine_s(self, _unit: int) -> float:
        return self.quarantined_s

    async def close(self) -> None: ...

    # a journal
    async def keep(self, proposal, commit) -> None:
        self.rows += [(draft.kind, draft.data) for draft in proposal.drafts]
        commit(proposal)

    # a clock
    def mono_ns(self) -> int:
        self.now += LOOK_NS
        return self.now

    def stamp(self) -> Stamp:
        return Stamp(self.now // 1_000_000, self.now, self.boot, self.state)


@pytest.mark.parametrize("outcome", [Outcome.ACKNOWLEDGED, Outcome.UNKNOWN])
async def test_a_lock_that_was_told_to_open_is_not_forced(outcome) -> None:
    cabinet = Cabinet()
    await cabinet.poll(1)
    cabinet.answer = outcome
    assert await cabinet.polling.execute(LOCK, OPEN) is outcome
    assert cabinet.sent == [OPEN]
    assert cabinet.rows == [], "a command writes no row by itself"
    cabinet.is_open = True
    assert await cabinet.poll(1) == [("lock.open", {"was": "closed"})]


async def test_a_command_that_the_board_refused_explains_nothing_and_jams_nothing() -> None:
    cabinet = Cabinet()
    await cabinet.poll(1)
    cabinet.answer = Outcome.REFUSED
    await cabinet.polling.execute(LOCK, OPEN)
    assert await cabinet.poll(10) == []
    cabinet.is_open = True
    assert await cabinet.poll(1) == [("lock.open", {"was": "closed", "forced": True})]


async def test_a_board_that_said_nothing_to_a_command_is_not_polled_in_its_quarantine() -> None:
    cabinet = Cabinet()
    await cabinet.poll(1)
    cabinet.answer = Outcome.UNKNOWN
    cabinet.quarantined_s = 2.0
    await cabinet.polling.execute(LOCK, OPEN)
    until = cabinet.now + 2_000_000_000
    turn = cabinet.polling._schedule.next(cabinet.now)
    assert isinstance(turn, int)
    assert turn >= until - 1_000_000


async def test_a_lock_that_stays_closed_after_its_command_is_jammed() -> None:
    cabinet = Cabinet()
    await cabinet.poll(1)
    await cabinet.polling.execute(LOCK, OPEN)
    assert await cabinet.poll(5) == []
    assert await cabinet.poll(10) == [("lock.jammed", {"wait_s": 3})]
    assert cabinet.sent == [OPEN]


async def test_a_command_that_was_never_sent_explains_nothing_and_jams_nothing() -> None:
    cabinet = Cabinet()
    await cabinet.poll(1)
    cabinet.answer = LinkDown("no line")
    with pytest.raises(LinkDown):
        await cabinet.polling.execute(LOCK, OPEN)
    assert await cabinet.poll(10) == []
    cabinet.is_open = True
    assert await cabinet.poll(1) == [("lock.open", {"was": "closed", "forced": True})]


async def test_a_command_whose_caller_went_away_after_it_was_sent_counts() -> None:
    cabinet = Cabinet()
    await cabinet.poll(1)
    cabinet.answer = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await cabinet.polling.execute(LOCK, OPEN)
    cabinet.is_open = True
    assert await cabinet.poll(1) == [("lock.open", {"was": "closed"})]


async def test_an_opening_long_after_its_command_is_forced() -> None:
    cabinet = Cabinet()
    await cabinet.poll(1)
    await cabinet.polling.execute(LOCK, OPEN)
    await cabinet.poll(12)
    cabinet.is_open = True
    assert await cabinet.poll(1) == [("lock.open", {"was": "closed", "forced": True})]


async def test_a_device_that_takes_no_commands_is_sent_none() -> None:
    cabinet = Cabinet(FakeModule())
    with pytest.raises(DeviceRefused):
        await cabinet.polling.execute(LOCK, OPEN)
    assert cabinet.sent == []


async def test_a_reread_is_answered_by_the_next_reading_that_begins_after_it() -> None:
    cabinet = Cabinet()
    asked = asyncio.ensure_future(cabinet.polling.reread(LOCK, "lock:3"))
    await asyncio.sleep(0)
    assert not asked.done()
    await cabinet.poll(1)
    assert await asked is True


async def test_a_reread_of_a_device_that_is_silent_says_so() -> None:
    cabinet = Cabinet()
    asked = asyncio.ensure_future(cabinet.polling.reread(LOCK, "lock:3"))
    await asyncio.sleep(0)
    cabinet.is_silent = True
    await cabinet.poll(1)
    assert await asked is False
