"""One bus in virtual time: replies into rows, lost devices said once, baselines behind the journal."""

import asyncio

import pytest

from contract.ids import PointId
from contract.points import Clock
from device_drivers.driver import Observation, Read
from device_drivers.errors import DeviceRefused, NoReply
from edge.clock import Stamp
from edge.errors import JournalFailed
from edge.points import Points
from edge.polling import Polling
from edge.schedule import Poll, PollClass, Schedule
from edge.settings import PointSettings

DOOR = PointId("liuxu.int1.door")
READ = Read("inputs", 1, ("di:0",), 12, 11)


class Ended(Exception):
    """The script of the fake bus is over."""


class FakeDriver:
    kind = "fake"

    def reads(self) -> tuple[Read, ...]:
        return (READ,)


class FakeBus:
    """Plays a script of levels and errors, one a read."""

    def __init__(self, script: list[bool | Exception]) -> None:
        self._script = iter(script)
        self.is_closed = False

    async def read(self, _driver: FakeDriver, _read: Read) -> list[Observation]:
        step = next(self._script, Ended())
        if isinstance(step, Exception):
            raise step
        return [Observation("di:0", step)]

    def quarantine_s(self, _unit: int) -> float:
        return 0.0

    async def close(self) -> None:
        self.is_closed = True


class FakeJournal:
    def __init__(self) -> None:
        self.rows: list[str] = []
        self.fails = False

    async def keep(self, proposal, commit) -> None:
        if not proposal:
            return
        if self.fails:
            raise JournalFailed("disk")
        self.rows += [draft.kind for draft in proposal.drafts]
        commit(proposal)


class FakeClock:
    """Each look at it is 2 s later, so that every poll and every probe is due."""

    boot = "b0"
    state = Clock.FREE

    def __init__(self) -> None:
        self.now = 0

    def mono_ns(self) -> int:
        self.now += 2_000_000_000
        return self.now

    def stamp(self) -> Stamp:
        return Stamp(self.now // 1_000_000, self.now, self.boot, self.state)


class Station:
    """One door on one device on the fake bus."""

    def __init__(self, script: list[bool | Exception]) -> None:
        door = PointSettings(id=DOOR, type="door", device="io1", channel="di:0")
        self.points = Points([door], [], {}, is_simulated=False, last_at=0)
        self.bus = FakeBus(script)
        self.journal = FakeJournal()
        schedule = Schedule([Poll("io1", READ, PollClass.SECURITY, 100_000_000)], 0)
        self._polling = Polling(
            self.bus,
            {"io1": FakeDriver()},
            schedule,
            points=self.points,
            journal=self.journal,
            clock=FakeClock(),
        )

    async def play(self) -> list[str]:
        with pytest.raises(Ended):
            await asyncio.wait_for(self._polling.run(), 5)
        return self.journal.rows

    async def fail(self) -> None:
        with pytest.raises(JournalFailed):
            await asyncio.wait_for(self._polling.run(), 5)


async def test_replies_become_rows() -> None:
    assert await Station([False, False, True, True, False]).play() == [
        "point.baseline",
        "door.open",
        "door.closed",
    ]


async def test_two_misses_are_no_event() -> None:
    assert await Station([False, NoReply("1"), NoReply("2"), False]).play() == ["point.baseline"]


async def test_lost_device_is_said_once_and_so_is_its_return() -> None:
    lost = [NoReply(str(n)) for n in range(3)]
    station = Station([False, *lost])
    assert await station.play() == ["point.baseline", "point.quality"]
    assert station.points.states()[0].quality == "comm_fail"


async def test_refusing_device_is_a_device_error_and_not_a_lost_one() -> None:
    station = Station([DeviceRefused("exception 2")] * 3)
    await station.play()
    assert station.points.states()[0].quality == "device_error"


async def test_baseline_stays_where_it_was_when_the_journal_fails() -> None:
    station = Station([False])
    station.journal.fails = True
    await station.fail()
    assert station.points.states()[0].value == ""


async def test_bus_is_closed_when_polling_ends() -> None:
    station = Station([])
    await station.play()
    assert station.bus.is_closed
