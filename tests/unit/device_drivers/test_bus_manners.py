"""What a bus does when a line misbehaves, played by hand over a null-modem cable in memory."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from device_drivers.bus import Bus, BusSettings, wire_time_ms
from device_drivers.driver import Driver, Observation, Read
from device_drivers.errors import (
    BadFrame,
    DeviceBusy,
    DeviceRefused,
    DriverError,
    LinkDown,
    NoReply,
    WrongReply,
)
from device_drivers.modbus.frame import mbap_frame, rtu_frame
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import Level, Profile
from device_drivers.reception import SKIPPED_LIMIT
from device_drivers.transport.memory import FarEnd, MemoryTransport

TIMEOUT_S = 0.03
QUARANTINE_S = 0.05
EIGHT_INPUTS = Profile(model="eight", inputs=8, level=Level(function=2, address=0))
ALL_CLOSED = b"\x02\x01\x00"
FIRST_OPEN = b"\x02\x01\x01"


class Bench:
    """A bus, the far end of its cable, and one driver on it."""

    def __init__(self, framing: str) -> None:
        wire = MemoryTransport()
        is_mbap = framing == "mbap"
        self.far: FarEnd = wire.far
        self.bus = Bus(wire, BusSettings(TIMEOUT_S, QUARANTINE_S, has_transaction_ids=is_mbap))
        self.driver: Driver = ModbusDi(EIGHT_INPUTS, 1, "mbap" if is_mbap else "rtu")
        self.read: Read = self.driver.reads()[0]

    async def ask(self) -> list[Observation]:
        return await self.bus.read(self.driver, self.read)

    async def answer(self, *replies: bytes) -> list[Observation]:
        """Ask, and let the far end send these as soon as it has the request."""
        asking = asyncio.create_task(self.ask())
        await self.far.requests.get()
        for reply in replies:
            self.far.send(reply)
        return await asking


@pytest.fixture
async def line() -> AsyncIterator[Bench]:
    bench = Bench("rtu")
    yield bench
    await bench.bus.close()


@pytest.fixture
async def stream() -> AsyncIterator[Bench]:
    bench = Bench("mbap")
    yield bench
    await bench.bus.close()


def actives(observations: list[Observation]) -> list[str]:
    return [o.channel for o in observations if o.active]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_sound_reply_becomes_observations(line: Bench) -> None:
    assert actives(await line.answer(rtu_frame(1, FIRST_OPEN))) == ["di:0"]
    assert (line.bus.counters.sent, line.bus.counters.ok) == (1, 1)


async def test_a_reply_in_single_bytes_is_put_together(line: Bench) -> None:
    pieces = [bytes([byte]) for byte in rtu_frame(1, FIRST_OPEN)]
    assert actives(await line.answer(*pieces)) == ["di:0"]


async def test_a_late_reply_on_a_line_is_never_the_answer_to_the_next_request(line: Bench) -> None:
    with pytest.raises(NoReply):
        await line.ask()
    await line.far.requests.get()
    second = asyncio.create_task(line.ask())
    await settle()
    assert line.far.requests.empty(), "the bus spoke inside the quarantine"
    line.far.send(rtu_frame(1, FIRST_OPEN))
    await line.far.requests.get()
    line.far.send(rtu_frame(1, ALL_CLOSED))
    assert actives(await second) == []
    assert line.bus.counters.late == 1


async def test_a_late_reply_spoils_no_other_unit_on_the_same_line(line: Bench) -> None:
    neighbour = ModbusDi(EIGHT_INPUTS, 2, "rtu")
    with pytest.raises(NoReply):
        await line.ask()
    await line.far.requests.get()
    second = asyncio.create_task(line.bus.read(neighbour, neighbour.reads()[0]))
    await settle()
    line.far.send(rtu_frame(1, FIRST_OPEN))
    await line.far.requests.get()
    line.far.send(rtu_frame(2, ALL_CLOSED))
    assert actives(await second) == []


async def test_a_cancelled_reader_leaves_no_answer_behind_for_the_next(line: Bench) -> None:
    first = asyncio.create_task(line.ask())
    await line.far.requests.get()
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(line.ask())
    await settle()
    line.far.send(rtu_frame(1, FIRST_OPEN))
    await line.far.requests.get()
    line.far.send(rtu_frame(1, ALL_CLOSED))
    assert actives(await second) == []


async def test_an_old_transaction_is_skipped_and_the_right_one_awaited(stream: Bench) -> None:
    with pytest.raises(NoReply):
        await stream.ask()
    second = asyncio.create_task(stream.ask())
    await stream.far.requests.get()
    await stream.far.requests.get()
    stream.far.send(mbap_frame(1, 1, ALL_CLOSED))
    stream.far.send(mbap_frame(2, 1, FIRST_OPEN))
    assert actives(await second) == ["di:0"]
    assert stream.bus.counters.unasked == 1


async def test_two_transactions_in_one_segment_are_told_apart(stream: Bench) -> None:
    with pytest.raises(NoReply):
        await stream.ask()
    await stream.far.requests.get()
    segment = mbap_frame(1, 1, ALL_CLOSED) + mbap_frame(2, 1, FIRST_OPEN)
    assert actives(await stream.answer(segment)) == ["di:0"]


@pytest.mark.parametrize(
    ("reply", "error", "counter"),
    [
        (rtu_frame(1, b"\x02\x02\x00\x00"), WrongReply, "wrong_reply"),
        (rtu_frame(2, ALL_CLOSED), WrongReply, "wrong_reply"),
        (rtu_frame(1, b"\x01\x01\x00"), WrongReply, "wrong_reply"),
        (rtu_frame(1, FIRST_OPEN)[:-1] + b"\x00", BadFrame, "bad_frame"),
        (rtu_frame(1, FIRST_OPEN)[:-1], NoReply, "timeout"),
        (b"\x01\x55\x00\x00\x00", BadFrame, "bad_frame"),
        (rtu_frame(1, b"\x82\x06"), DeviceBusy, "refused"),
        (rtu_frame(1, b"\x82\x02"), DeviceRefused, "refused"),
    ],
    ids=["count", "unit", "function", "crc", "partial", "garbage", "busy", "refused"],
)
async def test_a_reply_that_is_not_the_answer_is_refused_and_counted(
    line: Bench, reply: bytes, error: type[DriverError], counter: str
) -> None:
    with pytest.raises(error, match="unit 1"):
        await line.answer(reply)
    assert getattr(line.bus.counters, counter) == 1
    assert line.bus.counters.ok == 0


async def test_a_short_reply_is_not_padded_into_a_good_one() -> None:
    sixteen = Profile(model="sixteen", inputs=16, level=Level(function=2, address=0))
    bench = Bench("rtu")
    bench.driver = ModbusDi(sixteen, 1, "rtu")
    with pytest.raises(WrongReply):
        await bench.answer(rtu_frame(1, FIRST_OPEN))


@pytest.mark.parametrize("reply", [rtu_frame(2, ALL_CLOSED), rtu_frame(1, FIRST_OPEN)[:-1] + b"\x00"])
async def test_the_bus_is_silent_after_a_reply_that_made_no_sense(line: Bench, reply: bytes) -> None:
    with pytest.raises(DriverError):
        await line.answer(reply)
    second = asyncio.create_task(line.ask())
    await settle()
    assert line.far.requests.empty()
    await line.far.requests.get()
    line.far.send(rtu_frame(1, FIRST_OPEN))
    assert actives(await second) == ["di:0"]


@pytest.mark.parametrize("strays", [b"\x00", b"\xff\x00", b"\x00\x00\xff"])
async def test_noise_before_a_reply_is_skipped(line: Bench, strays: bytes) -> None:
    assert actives(await line.answer(strays + rtu_frame(1, FIRST_OPEN))) == ["di:0"]
    assert line.bus.counters.stray == len(strays)


async def test_noise_after_a_reply_does_not_reach_the_next_exchange(line: Bench) -> None:
    await line.answer(rtu_frame(1, ALL_CLOSED) + b"\x55\x55")
    assert actives(await line.answer(rtu_frame(1, FIRST_OPEN))) == ["di:0"]


@pytest.mark.parametrize("cut", [0, 1, 5, 8])
async def test_an_echo_of_the_request_is_stripped_once(line: Bench, cut: int) -> None:
    echo = line.driver.encode(line.read)
    came = echo + rtu_frame(1, FIRST_OPEN)
    assert actives(await line.answer(came[:cut], came[cut:])) == ["di:0"]
    assert line.bus.counters.echo == 1


async def test_an_echo_alone_is_no_reply(line: Bench) -> None:
    with pytest.raises(NoReply):
        await line.answer(line.driver.encode(line.read))


async def test_a_second_echo_is_no_reply_either(line: Bench) -> None:
    echo = line.driver.encode(line.read)
    with pytest.raises(BadFrame):
        await line.answer(echo, echo, rtu_frame(1, FIRST_OPEN))


async def test_what_only_begins_like_an_echo_is_a_bad_frame(line: Bench) -> None:
    echo = line.driver.encode(line.read)
    with pytest.raises(BadFrame):
        await line.answer(echo[:5], b"\x55\x55\x55")


async def test_a_babbling_line_is_a_fault_and_not_waited_for_for_ever(line: Bench) -> None:
    with pytest.raises(BadFrame):
        await line.answer(b"\x55" * 8)

    async def babble() -> None:
        while True:
            line.far.send(b"\x55")
            await asyncio.sleep(QUARANTINE_S / 10)

    babbling = asyncio.create_task(babble())
    with pytest.raises(BadFrame, match="silent"):
        await line.ask()
    babbling.cancel()


async def test_a_lost_link_is_told_at_once_and_opened_again_by_a_later_read(stream: Bench) -> None:
    asking = asyncio.create_task(stream.ask())
    await stream.far.requests.get()
    stream.far.hang_up()
    with pytest.raises(LinkDown):
        await asking
    with pytest.raises(LinkDown):
        await stream.ask()
    stream.far.is_reachable = True
    with pytest.raises(LinkDown, match="next attempt"):
        await stream.ask()
    assert stream.far.opened == 1


async def test_reopening_waits_longer_each_time_up_to_its_cap() -> None:
    now = 0.0
    wire = MemoryTransport()
    wire.far.is_reachable = False
    bus = Bus(wire, BusSettings(TIMEOUT_S, 0.0, has_transaction_ids=True), clock=lambda: now)
    driver = ModbusDi(EIGHT_INPUTS, 1, "mbap")
    attempts = []
    for tick in range(200):
        now = tick / 8
        with pytest.raises(LinkDown) as caught:
            await bus.read(driver, driver.reads()[0])
        if "next attempt" not in str(caught.value):
            attempts.append(now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert gaps[:5] == [0.125, 0.25, 0.5, 1.0, 2.0]
    assert gaps[5:] == [4.0, 5.0, 5.0, 5.0]


async def test_a_stream_out_of_step_is_opened_anew_and_then_read(stream: Bench) -> None:
    with pytest.raises(BadFrame):
        await stream.answer(b"garbage on a TCP stream")
    asking = asyncio.create_task(stream.ask())
    await stream.far.requests.get()
    stream.far.send(mbap_frame(2, 1, FIRST_OPEN))
    assert actives(await asking) == ["di:0"]
    assert stream.bus.counters.opened == 2


async def test_readers_take_turns(line: Bench) -> None:
    first, second = (asyncio.create_task(line.ask()) for _ in range(2))
    await line.far.requests.get()
    await settle()
    assert line.far.requests.empty()
    line.far.send(rtu_frame(1, FIRST_OPEN))
    await line.far.requests.get()
    line.far.send(rtu_frame(1, ALL_CLOSED))
    assert (actives(await first), actives(await second)) == (["di:0"], [])


@pytest.mark.parametrize(
    ("baud", "expected_ms"),
    [(9600, 15 * 11 / 9.6 + 7 * 11 / 9.6), (115200, 15 * 11 / 115.2 + 3.5)],
)
def test_wire_time_is_eleven_bits_a_character_and_twice_the_silent_interval(
    baud: int, expected_ms: float
) -> None:
    read = Read(name="x", unit=1, channels=(), request_bytes=8, reply_bytes=7)
    assert wire_time_ms(read, baud) == pytest.approx(expected_ms)


async def test_dozens_of_old_transactions_are_skipped_but_a_flood_of_them_is_not_waited_out(
    stream: Bench,
) -> None:
    old = mbap_frame(0, 1, ALL_CLOSED)
    assert actives(await stream.answer(old * SKIPPED_LIMIT + mbap_frame(1, 1, FIRST_OPEN))) == ["di:0"]
    with pytest.raises(WrongReply):
        await stream.answer(old * (SKIPPED_LIMIT + 1) + mbap_frame(2, 1, FIRST_OPEN))
