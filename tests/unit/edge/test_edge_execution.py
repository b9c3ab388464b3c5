"""Commands carried out on a real journal: written down first, done once, and never again after a kill."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from contract.ids import EdgeId, PointId
from contract.messages import Action, Command, Mode
from contract.points import PointType
from device_drivers import driver
from device_drivers.driver import Observation, Outcome
from device_drivers.errors import NotOpen, TooLate
from edge.clock import SystemClock
from edge.errors import JournalFull
from edge.execution import MARK, Execution, Hands
from edge.journal import Journal
from edge.orders import Memory
from edge.points import Points
from edge.settings import PointSettings

EDGE = EdgeId("liuxu")
LOCK = PointId("liuxu.cab1.s03.lock")


def command(id_: str = "c1", **changes) -> Command:
    fields = {
        "edge": EDGE, "id": id_, "action": Action.OPEN_SLOT, "point": LOCK, "args": {},
        "session": 1, "beat": 1, "valid_s": 30,
    }  # fmt: skip
    return Command(**{**fields, **changes})


class LeapingClock(SystemClock):
    """Real, but for an hour that passes in no time."""

    passed_ns = 0

    def mono_ns(self) -> int:
        return super().mono_ns() + self.passed_ns

    def sleep_an_hour(self) -> None:
        self.passed_ns = 3_600_000_000_000


class FakeHands:
    """Counts what it carried out, and ends as it is told."""

    def __init__(self) -> None:
        self.types = {LOCK: PointType.LOCK}
        self.before: Callable[[], None] = lambda: None
        self.done: list[str] = []
        self.has_begun = asyncio.Event()
        self.act: Callable[[], Awaitable[tuple[bool, dict]]] = self.acknowledge

    async def acknowledge(self) -> tuple[bool, dict]:
        return True, {}

    async def carry_out(self, command: Command, may_go) -> tuple[bool, dict]:
        self.before()
        if not may_go():
            raise TooLate("over")
        self.done.append(command.id)
        self.has_begun.set()
        return await self.act()


class Station:
    """A journal that outlives its agents."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.clock = LeapingClock()
        self.hands = FakeHands()
        self.session = 0
        self.turns: list[list[Mode]] = []
        self.running: asyncio.Task[None] | None = None
        self.has_row = asyncio.Event()
        journal.listener = lambda _rows, _drafts: self.has_row.set()

    async def start(self) -> Execution:
        self.session += 1
        settings = PointSettings(id=LOCK, type="lock", device="locks1", channel="lock:3")
        self.points = Points([settings], [], {}, is_simulated=False, last_at=0)
        memory = Memory.read(await self.journal.mark(MARK))
        execution = Execution(
            self.session,
            memory,
            hands=self.hands,
            points=self.points,
            journal=self.journal,
            clock=self.clock,
        )
        execution.on_modes = lambda: self.turns.append(execution.modes)
        execution.beat_sent(1)
        self.running = asyncio.create_task(execution.run())
        return execution

    async def kill(self) -> None:
        """The tasks end where they stand; the journal keeps what it has."""
        assert self.running is not None
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def rows(self) -> list[tuple[str, dict]]:
        found = [json.loads(row.raw) for row in await self.journal.rows(1, 100)]
        return [(row["kind"], row["data"]) for row in found]

    async def until(self, kind: str, times: int = 1) -> None:
        async with asyncio.timeout(10):
            while [row for row, _ in await self.rows()].count(kind) < times:
                self.has_row.clear()
                await self.has_row.wait()


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    journal = await Journal.open(tmp_path, EDGE, SystemClock())
    station = Station(journal)
    yield station
    if station.running is not None:
        await station.kill()
    await journal.close()


async def test_a_command_is_durable_before_it_is_carried_out_and_its_result_after(station) -> None:
    execution = await station.start()
    seen: list[list[str]] = []

    async def look() -> tuple[bool, dict]:
        seen.append([kind for kind, _ in await station.rows()])
        return True, {}

    station.hands.act = look
    execution.take(command())
    await station.until("command.done")
    assert seen == [["command.accepted"]]
    assert await station.rows() == [
        ("command.accepted", {"id": "c1", "action": "open_slot"}),
        ("command.done", {"id": "c1"}),
    ]


async def test_a_command_that_came_many_times_is_carried_out_once(station) -> None:
    execution = await station.start()
    for _ in range(5):
        execution.take(command())
    execution.take(command("c2", point="liuxu.nothing.lock"))
    await station.until("command.refused")
    await station.until("command.done")
    assert station.hands.done == ["c1"]
    assert len(await station.rows()) == 3


@pytest.mark.parametrize(
    ("act", "why"),
    [("unknown", "unknown"), ("refused", "refused"), (NotOpen("no line"), "driver.not_open")],
)
async def test_what_did_not_come_about_is_told_as_such(station, act, why: str) -> None:
    async def fail() -> tuple[bool, dict]:
        if isinstance(act, Exception):
            raise act
        return False, {"why": act}

    station.hands.act = fail
    execution = await station.start()
    execution.take(command())
    await station.until("command.failed")
    assert (await station.rows())[-1] == ("command.failed", {"id": "c1", "why": why})


async def test_a_kill_while_it_is_carried_out_abandons_it_and_nothing_does_it_again(station) -> None:
    async def for_ever() -> tuple[bool, dict]:
        await asyncio.Event().wait()
        raise AssertionError

    station.hands.act = for_ever
    execution = await station.start()
    execution.take(command())
    async with asyncio.timeout(10):
        await station.hands.has_begun.wait()
    await station.kill()
    execution = await station.start()
    await station.until("command.abandoned")
    execution.take(command())
    execution.take(command("c2"))
    await station.until("command.refused")
    assert station.hands.done == ["c1"]
    assert (await station.rows())[1:] == [
        ("command.abandoned", {"id": "c1"}),
        ("command.refused", {"id": "c2", "why": "session"}),
    ]
    await station.kill()
    await station.start()
    assert [kind for kind, _ in await station.rows()].count("command.abandoned") == 1


async def test_a_command_that_waited_too_long_for_its_line_is_not_sent(station) -> None:
    execution = await station.start()
    station.hands.before = station.clock.sleep_an_hour
    execution.take(command())
    await station.until("command.failed")
    assert (await station.rows())[-1] == ("command.failed", {"id": "c1", "why": "driver.too_late"})
    assert station.hands.done == []


async def test_maintenance_marks_every_row_of_a_point_and_ends_by_itself(station) -> None:
    execution = await station.start()
    execution.take(command("m1", action=Action.MAINTAIN, point=None, args={"permission": "7", "for_s": 2}))
    await station.until("maintenance.began")
    assert execution.modes == [Mode.MAINTENANCE]
    seen = station.points.observe("locks1", [Observation("lock:3", active=False)], station.clock.stamp())
    assert [draft.data for draft in seen.drafts] == [{"value": "closed", "maintenance": True}]
    await station.until("maintenance.ended")
    assert (await station.rows())[-1] == ("maintenance.ended", {"permission": "7", "why": "over"})
    seen = station.points.observe("locks1", [Observation("lock:3", active=False)], station.clock.stamp())
    assert [draft.data for draft in seen.drafts] == [{"value": "closed"}]
    assert station.turns == [[Mode.MAINTENANCE], []]


async def test_maintenance_that_ended_while_the_box_slept_is_over_when_it_wakes(station, monkeypatch) -> None:
    monkeypatch.setattr("edge.execution.LOOK_S", 0.02)
    execution = await station.start()
    args = {"permission": "7", "for_s": 1_800}
    execution.take(command("m1", action=Action.MAINTAIN, point=None, args=args))
    await station.until("maintenance.began")
    station.clock.sleep_an_hour()
    await station.until("maintenance.ended")
    assert execution.modes == []


async def test_maintenance_ends_however_many_commands_keep_coming(station) -> None:
    execution = await station.start()
    execution.take(command("m1", action=Action.MAINTAIN, point=None, args={"permission": "7", "for_s": 60}))
    await station.until("maintenance.began")
    station.clock.sleep_an_hour()
    execution.take(command("c2"))
    await station.until("command.refused")
    assert [kind for kind, _ in await station.rows()][-2:] == ["maintenance.ended", "command.refused"]


class FakeBus:
    """A bus's polling that remembers what it was told."""

    devices = frozenset({"locks1", "modem1"})

    def __init__(self) -> None:
        self.told: list[tuple[PointId, driver.Command]] = []
        self.outcome = Outcome.ACKNOWLEDGED

    async def execute(self, point: PointId, order: driver.Command, may_go) -> Outcome:
        assert may_go()
        self.told.append((point, order))
        return self.outcome


MODEM = PointId("liuxu.modem")
MESSAGE = {"action": Action.SEND_MESSAGE, "point": MODEM, "args": {"to": "10000000001", "text": "试"}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, (LOCK, driver.Command("open", "lock:3"))),
        (MESSAGE, (MODEM, driver.Command("send", "modem", {"to": "10000000001", "text": "试"}))),
    ],
    ids=["open", "send"],
)
async def test_a_command_is_told_to_the_device_of_its_point(changes: dict, told) -> None:
    settings = [
        PointSettings(id=LOCK, type="lock", device="locks1", channel="lock:3"),
        PointSettings(id=MODEM, type="modem", device="modem1", channel="modem"),
        PointSettings(id="liuxu.reader", type="reader", device="cards", channel="card"),
    ]
    bus = FakeBus()
    hands = Hands(settings, [bus], Points(settings, [], {}, is_simulated=False, last_at=0))
    assert hands.types == {LOCK: PointType.LOCK, MODEM: PointType.MODEM}, "what speaks by itself is not told"
    assert await hands.carry_out(command(**changes), lambda: True) == (True, {})
    assert bus.told == [told]
    bus.outcome = Outcome.UNKNOWN
    assert await hands.carry_out(command(**changes), lambda: True) == (False, {"why": "unknown"})


async def test_a_command_whose_row_finds_no_room_waits_and_is_not_carried_out_too_late(
    station, monkeypatch
) -> None:
    monkeypatch.setattr("edge.execution.BLOCKED_RETRY_S", 0.01)
    execution = await station.start()
    append, tries = station.journal.append, asyncio.Semaphore(0)

    async def full(*_args, **_options) -> None:
        tries.release()
        raise JournalFull("no room")

    monkeypatch.setattr(station.journal, "append", full)
    execution.take(command())
    for _ in range(3):
        await asyncio.wait_for(tries.acquire(), 10)
    assert station.hands.done == []
    station.clock.sleep_an_hour()
    monkeypatch.setattr(station.journal, "append", append)
    await station.until("command.failed")
    assert station.hands.done == []
