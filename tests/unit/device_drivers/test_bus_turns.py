"""Whose silence a bus keeps, turns of several exchanges, windows, commands, and what a tap hears."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from device_drivers.bus import Bus, BusSettings, Exchange
from device_drivers.driver import Answer, Command, Observation, Outcome, Read
from device_drivers.errors import (
    BadFrame,
    DeviceRefused,
    DriverError,
    LinkDown,
    NoReply,
    TooLate,
    WrongReply,
    WrongUnit,
)
from device_drivers.transport.memory import FarEnd, MemoryTransport

TIMEOUT_S = 0.03
QUARANTINE_S = 5.0
"""So long that whoever waits for it fails the test's own time-out."""


class Unit:
    """A driver of three-byte frames: unit, what is asked or said, their sum."""

    kind = "unit"
    command_gap_s = 0.0

    def __init__(self, unit: int, steps: int = 1, window_ms: int = 0) -> None:
        self.unit = unit
        self.steps = steps
        self.window_ms = window_ms

    def reads(self) -> tuple[Read, ...]:
        return (self.step("1"),)

    def step(self, name: str) -> Read:
        return Read(name, self.unit, ("di:0",), 3, 3, window_ms=self.window_ms)

    def command(self, command: Command) -> Read:
        if command.action != "open":
            raise DeviceRefused(f"cannot {command.action}")
        return self.step("open")

    def encode(self, read: Read) -> bytes:
        return frame(self.unit, 0x40 if read.name == "open" else int(read.name))

    def reply_length(self, read: Read, received: bytes) -> int | None:
        return None if read.window_ms else 3

    def decode(self, read: Read, reply: bytes) -> Answer:
        unit, said, check = reply[:3]
        if (unit + said) % 256 != check:
            raise BadFrame("sum")
        if unit != self.unit:
            raise WrongUnit(unit)
        if read.name == "open":
            if said == 0x7F:
                raise DeviceRefused("cool-down")
            return Outcome.ACKNOWLEDGED
        if int(read.name) < self.steps:
            return self.step(str(int(read.name) + 1))
        return [Observation(f"di:{n}", active=True) for n in range(len(reply) // 3)]


def frame(unit: int, said: int) -> bytes:
    return bytes([unit, said, (unit + said) % 256])


class Line:
    def __init__(self) -> None:
        wire = MemoryTransport()
        self.far: FarEnd = wire.far
        self.bus = Bus(wire, BusSettings(TIMEOUT_S, QUARANTINE_S))

    def ask(self, driver: Unit) -> "asyncio.Task[list[Observation]]":
        return asyncio.create_task(self.bus.read(driver, driver.reads()[0]))

    async def next_request(self) -> bytes:
        async with asyncio.timeout(2):
            return await self.far.requests.get()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    await line.bus.open()
    line.bus._silent_until_mono = 0.0  # nobody had this line before us
    yield line
    await line.bus.close()


async def test_the_others_are_asked_while_a_silent_unit_is_in_quarantine(line: Line) -> None:
    with pytest.raises(NoReply):
        await line.ask(Unit(1))
    await line.next_request()
    asking = line.ask(Unit(2))
    assert (await line.next_request())[0] == 2
    line.far.send(frame(2, 0x55))
    assert await asking == [Observation("di:0", active=True)]
    assert line.bus.quarantine_s(1) > 0
    assert line.bus.quarantine_s(2) == 0


async def test_a_late_reply_in_the_time_of_another_is_counted_and_the_true_one_awaited(line: Line) -> None:
    with pytest.raises(NoReply):
        await line.ask(Unit(1))
    await line.next_request()
    asking = line.ask(Unit(2))
    await line.next_request()
    line.far.send(frame(1, 0x66))
    line.far.send(frame(2, 0x55))
    assert len(await asking) == 1
    assert line.bus.counters.late == 1


async def test_a_frame_of_a_unit_that_owes_nothing_is_an_error(line: Line) -> None:
    asking = line.ask(Unit(2))
    await line.next_request()
    line.far.send(frame(1, 0x66))
    with pytest.raises(WrongUnit):
        await asking
    assert line.bus.counters.wrong_reply == 1


async def test_a_turn_of_several_exchanges_lets_nobody_between(line: Line) -> None:
    asking, other = line.ask(Unit(1, steps=3)), line.ask(Unit(2))
    order = []
    for _ in range(4):
        request = await line.next_request()
        order.append(request[:2])
        line.far.send(frame(request[0], 0x55))
    await asyncio.gather(asking, other)
    assert order == [b"\x01\x01", b"\x01\x02", b"\x01\x03", b"\x02\x01"]


async def test_a_turn_without_end_is_ended(line: Line) -> None:
    asking = line.ask(Unit(1, steps=200))

    async def answer() -> None:
        while True:
            await line.far.requests.get()
            line.far.send(frame(1, 0x55))

    answering = asyncio.create_task(answer())
    with pytest.raises(WrongReply, match="no end"):
        await asking
    answering.cancel()


async def test_a_window_brings_all_that_came_in_it(line: Line) -> None:
    asking = line.ask(Unit(1, window_ms=40))
    await line.next_request()
    for said in (5, 6, 7):
        line.far.send(frame(1, said))
    assert len(await asking) == 3
    assert line.bus.counters.ok == 1


async def test_a_window_in_which_nothing_came_is_no_reply(line: Line) -> None:
    with pytest.raises(NoReply):
        await line.ask(Unit(1, window_ms=20))


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (frame(1, 0x55), Outcome.ACKNOWLEDGED),
        (frame(1, 0x7F), Outcome.REFUSED),
        (b"\x01\x55\x00", Outcome.UNKNOWN),
        (frame(2, 0x55), Outcome.UNKNOWN),
        (b"", Outcome.UNKNOWN),
    ],
    ids=["said yes", "said no", "garbage", "another unit", "silence"],
)
async def test_a_command_is_on_the_wire_once_whatever_comes_back(
    line: Line, reply: bytes, outcome: Outcome
) -> None:
    driver = Unit(1)
    executing = asyncio.create_task(line.bus.execute(driver, Command("open", "lock:1")))
    await line.next_request()
    line.far.send(reply)
    assert await executing is outcome
    assert line.far.requests.empty()


async def test_a_command_that_could_not_be_sent_says_so(line: Line) -> None:
    await line.bus.close()
    line.far.hang_up()
    with pytest.raises(DriverError):
        await line.bus.execute(Unit(1), Command("open", "lock:1"))
    assert line.far.requests.empty()


async def test_a_device_that_cannot_be_told_so_refuses_before_the_wire(line: Line) -> None:
    with pytest.raises(DeviceRefused):
        await line.bus.execute(Unit(1), Command("dance", "lock:1"))
    assert line.far.requests.empty()


async def test_two_commands_to_one_unit_keep_their_distance_and_the_others_have_the_line(line: Line) -> None:
    driver = Unit(1)
    driver.command_gap_s = 0.3
    first = asyncio.create_task(line.bus.execute(driver, Command("open", "lock:1")))
    await line.next_request()
    line.far.send(frame(1, 0x55))
    await first
    second = asyncio.create_task(line.bus.execute(driver, Command("open", "lock:1")))
    order = []
    for _ in range(3):
        asking = line.ask(Unit(2))
        order.append((await line.next_request())[0])
        line.far.send(frame(2, 0x55))
        await asking
    assert not second.done()
    order.append((await line.next_request())[0])
    line.far.send(frame(1, 0x55))
    await second
    assert order == [2, 2, 2, 1]


async def test_a_command_to_a_unit_in_quarantine_waits_and_keeps_nobody(line: Line) -> None:
    with pytest.raises(NoReply):
        await line.ask(Unit(1))
    await line.next_request()
    waiting = asyncio.create_task(line.bus.execute(Unit(1), Command("open", "lock:1")))
    asking = line.ask(Unit(2))
    assert (await line.next_request())[0] == 2
    line.far.send(frame(2, 0x55))
    await asking
    assert line.far.requests.empty()
    waiting.cancel()


async def test_who_commands_is_told_when_it_has_gone_out_and_not_before(line: Line) -> None:
    sent: list[str] = []
    reading = line.ask(Unit(2))
    await line.next_request()
    command = Command("open", "lock:1")
    executing = asyncio.create_task(line.bus.execute(Unit(1), command, on_sent=lambda: sent.append("sent")))
    await asyncio.sleep(0)
    assert sent == []
    line.far.send(frame(2, 0x55))
    await reading
    await line.next_request()
    line.far.send(frame(1, 0x55))
    await executing
    assert sent == ["sent"]


async def test_a_command_for_which_the_link_was_gone_already_was_not_sent(line: Line) -> None:
    sent: list[str] = []
    line.far.drop("the gateway closed an idle connection")
    with pytest.raises(LinkDown):
        await line.bus.execute(Unit(1), Command("open", "lock:1"), on_sent=lambda: sent.append("sent"))
    assert sent == []


QUICK = BusSettings(timeout_s=0.2, quarantine_s=0.2)


@pytest.mark.parametrize("ends_by", ["garbage", "cancel"])
async def test_a_quarantine_counts_from_the_end_of_the_time_to_answer(
    ends_by: str,
) -> None:
    wire = MemoryTransport()
    bus = Bus(wire, QUICK)
    await bus.open()
    bus._silent_until_mono = 0.0
    asked = asyncio.get_running_loop().time()
    asking = asyncio.create_task(bus.read(Unit(1), Unit(1).reads()[0]))
    await wire.far.requests.get()
    if ends_by == "garbage":
        wire.far.send(b"\x01\x55\x00")
        with pytest.raises(BadFrame):
            await asking
    else:
        asking.cancel()
        await asyncio.wait([asking])
    again = asyncio.create_task(bus.read(Unit(1), Unit(1).reads()[0]))
    async with asyncio.timeout(5):
        await wire.far.requests.get()
    assert asyncio.get_running_loop().time() - asked >= QUICK.timeout_s + QUICK.quarantine_s
    wire.far.send(frame(1, 0x55))
    await again
    await bus.close()


async def test_a_reply_behind_an_echo_is_found_however_long_the_echo_would_be_as_a_reply(line: Line) -> None:
    class Long(Unit):
        def reply_length(self, read: Read, received: bytes) -> int | None:
            return 40 if received[1:2] == b"\x01" else 3

    asking = line.ask(Long(1))
    echo = await line.next_request()
    line.far.send(echo)
    line.far.send(frame(1, 0x55))
    assert len(await asking) == 1
    assert line.bus.counters.echo == 1


async def test_a_tap_hears_every_exchange_with_its_noise_and_its_end(line: Line) -> None:
    heard: list[Exchange] = []
    line.bus.tap = heard.append
    asking = line.ask(Unit(1))
    await line.next_request()
    line.far.send(b"\x00" + frame(1, 0x55))
    await asking
    with pytest.raises(NoReply):
        await line.ask(Unit(2))
    assert [(e.unit, e.sent, e.received, e.error) for e in heard] == [
        (1, frame(1, 1), b"\x00" + frame(1, 0x55), ""),
        (2, frame(2, 1), b"", "driver.no_reply"),
    ]


async def test_a_command_that_may_not_go_any_more_is_not_sent_and_costs_no_quarantine(line: Line) -> None:
    sent: list[str] = []
    told = line.bus.execute(
        Unit(1), Command("open", "lock:1"), on_sent=lambda: sent.append("sent"), may_go=lambda: False
    )
    with pytest.raises(TooLate):
        await told
    assert sent == []
    assert line.far.requests.empty()
    assert line.bus.quarantine_s(1) == 0
