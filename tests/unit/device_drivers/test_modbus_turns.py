"""A turn of several exchanges: a counter fits its level, a latch is told once and lost never."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.bus import Bus, BusSettings
from device_drivers.driver import Observation, Read
from device_drivers.errors import DeviceRefused, DriverError, NoReply, WrongReply
from device_drivers.modbus.frame import mbap_frame, rtu_content, rtu_frame
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import Clear, Counters, Latches, Level, Profile
from device_drivers.transport.memory import MemoryTransport

COUNTING = Profile(
    model="counting",
    inputs=2,
    level=Level(function=1, address=0),
    counters=Counters(address=0, function=3, bits=16),
)
LATCHING = Profile(
    model="latching",
    inputs=3,
    level=Level(function=1, address=0),
    latches=Latches(function=1, address=35, stride=4, clear=Clear(function=5, address=35, stride=4, value=0)),
)


class Module:
    """Plays a module of either profile exchange by exchange; `before_each` may move its contacts."""

    def __init__(self, profile: Profile) -> None:
        self.driver = ModbusDi(profile, 1, "rtu")
        self.level = [False] * profile.inputs
        self.counts = [0] * profile.inputs
        self.latches = [False] * profile.inputs
        self.asked: list[str] = []
        self.before_each: Callable[[int], None] = lambda _: None

    def pulse(self, n: int) -> None:
        self.counts[n] += 1
        self.latches[n] = True

    def answer(self, request: bytes) -> bytes:
        _, pdu = rtu_content(request)
        function, address, count = pdu[0], int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        if function == 3:
            words = self.counts[address : address + count]
            return rtu_frame(1, bytes([3, 2 * count]) + b"".join(n.to_bytes(2) for n in words))
        if function == 5:
            self.latches[(address - 35) // 4] = False
            return request
        bits = self.level[address : address + count]
        if address == 35:
            bits = [n % 4 == 0 and self.latches[n // 4] for n in range(count)]
        packed = sum(on << n for n, on in enumerate(bits)).to_bytes((count + 7) // 8, "little")
        return rtu_frame(1, bytes([1, len(packed)]) + packed)

    def turn(self, *, lost_at: int = -1) -> list[Observation]:
        """One whole turn; `lost_at` breaks it off at the reply to that exchange of it."""
        answer = self.driver.reads()[0]
        exchange = 0
        while isinstance(answer, Read):
            self.before_each(exchange)
            request = self.driver.encode(answer)
            self.asked.append(request[1:-2].hex())
            reply = self.answer(request)
            if exchange == lost_at:
                raise NoReply("lost")
            answer = self.driver.decode(answer, reply)
            exchange += 1
        assert isinstance(answer, list)
        return answer


def test_a_level_that_held_still_has_its_count_after_three_exchanges() -> None:
    module = Module(COUNTING)
    module.counts = [7, 0xFFFF]
    module.level = [False, True]
    assert module.turn() == [Observation("di:0", False, 7, 16), Observation("di:1", True, 0xFFFF, 16)]
    assert len(module.asked) == 3


def test_a_level_that_changed_beside_its_count_is_read_again_with_it() -> None:
    module = Module(COUNTING)

    def open_after_the_counts(exchange: int) -> None:
        if exchange == 2:
            module.level[0], module.counts[0] = True, 1

    module.before_each = open_after_the_counts
    assert module.turn() == [Observation("di:0", True, 1, 16), Observation("di:1", False, 0, 16)]
    assert len(module.asked) == 5


def test_a_level_that_never_holds_still_is_told_without_a_count_and_the_turn_ends() -> None:
    module = Module(COUNTING)

    def chatter(exchange: int) -> None:
        if exchange % 2 == 0:
            module.level[0] = not module.level[0]

    module.before_each = chatter
    assert module.turn() == [Observation("di:0", False, None, 16), Observation("di:1", False, 0, 16)]
    assert len(module.asked) == 7


def test_a_turn_that_was_cut_short_leaves_nothing_behind_for_the_next() -> None:
    module = Module(COUNTING)
    module.level[0] = True
    with pytest.raises(NoReply):
        module.turn(lost_at=1)
    module.level[0], module.counts[0] = False, 5
    assert module.turn()[0] == Observation("di:0", False, 5, 16)


def test_a_latch_is_told_and_cleared_in_the_same_turn() -> None:
    module = Module(LATCHING)
    module.pulse(1)
    assert [o.latched for o in module.turn()] == [False, True, False]
    assert module.asked[2] == "0500270000"
    assert module.latches == [False] * 3
    assert [o.latched for o in module.turn()] == [False] * 3


@pytest.mark.parametrize("lost_at", [2, 3], ids=["its clearing", "the level after it"])
def test_a_latch_is_not_lost_with_the_reply_to(lost_at: int) -> None:
    module = Module(LATCHING)
    module.pulse(1)
    with pytest.raises(NoReply):
        module.turn(lost_at=lost_at)
    assert module.latches == [False] * 3, "the module has cleared it"
    assert [o.latched for o in module.turn()] == [False, True, False]
    assert [o.latched for o in module.turn()] == [False] * 3


def test_a_latch_of_an_input_that_is_on_stays_until_it_is_off_and_cleared_once() -> None:
    module = Module(LATCHING)
    module.pulse(0)
    module.level[0] = True
    assert module.turn()[0] == Observation("di:0", True)
    assert len(module.asked) == 3
    module.level[0] = False
    assert module.turn()[0].latched, "the points know that this opening has been told"
    assert not module.turn()[0].latched


def test_a_latch_of_falling_edges_tells_of_an_input_that_was_off_for_a_moment() -> None:
    falling = msgspec.structs.replace(LATCHING.latches, edge="falling")
    module = Module(msgspec.structs.replace(LATCHING, latches=falling))
    module.level = [True, True, False]
    for n in range(3):
        module.pulse(n)
    module.latches[1] = False
    assert module.turn() == [
        Observation("di:0", True, latched=True),
        Observation("di:1", True),
        Observation("di:2", False),
    ]
    assert module.latches == [False, False, True], "the opening that goes on is told by its level"


def test_a_latch_whose_input_goes_on_in_the_same_turn_is_told_by_its_level() -> None:
    module = Module(LATCHING)
    module.pulse(0)

    def go_on(exchange: int) -> None:
        module.level[0] = exchange == 3

    module.before_each = go_on
    assert module.turn()[0] == Observation("di:0", True)


def test_many_latches_at_once_stay_within_the_exchanges_of_a_turn() -> None:
    wide = Profile(
        model="wide",
        inputs=20,
        level=Level(function=1, address=0),
        latches=Latches(function=1, address=35, stride=4, clear=LATCHING.latches.clear),
    )
    module = Module(wide)
    for n in range(20):
        module.pulse(n)
    told = [o.channel for o in module.turn() if o.latched]
    assert len(module.asked) <= 16
    told += [o.channel for o in module.turn() if o.latched]
    assert told == [f"di:{n}" for n in range(20)]


def test_a_module_that_refuses_to_clear_is_told_of() -> None:
    module = Module(LATCHING)
    module.pulse(2)
    read = module.driver.reads()[0]
    for _ in range(2):
        read = module.driver.decode(read, module.answer(module.driver.encode(read)))
    module.driver.encode(read)
    with pytest.raises(DeviceRefused):
        module.driver.decode(read, rtu_frame(1, b"\x85\x02"))


def test_the_reply_to_another_write_is_no_reply() -> None:
    module = Module(LATCHING)
    module.pulse(2)
    read = module.driver.reads()[0]
    for _ in range(2):
        read = module.driver.decode(read, module.answer(module.driver.encode(read)))
    module.driver.encode(read)
    with pytest.raises(WrongReply):
        module.driver.decode(read, rtu_frame(1, bytes.fromhex("0500230000")))


@given(st.lists(st.binary(max_size=60), max_size=8), st.booleans(), st.sampled_from([COUNTING, LATCHING]))
def test_garbage_at_any_exchange_raises_driver_errors_only(
    replies: list[bytes], is_sound: bool, profile: Profile
) -> None:
    driver = ModbusDi(profile, 1, "rtu")
    answer = driver.reads()[0]
    for content in replies:
        driver.encode(answer)
        try:
            got = driver.decode(answer, rtu_frame(1, content or b"\x01") if is_sound else content)
        except DriverError:
            answer = driver.reads()[0]
        else:
            answer = got if isinstance(got, Read) else driver.reads()[0]


async def on_a_bus(module: Module, *, echoes: bool) -> tuple[list[Observation], Bus]:
    """One turn over a line in memory, whose adapter may send back what it hears."""
    wire = MemoryTransport()
    bus = Bus(wire, BusSettings(timeout_s=0.5, quarantine_s=0.02))

    async def play() -> None:
        while True:
            request = await wire.far.requests.get()
            if echoes:
                wire.far.send(request)
            await asyncio.sleep(0)
            wire.far.send(module.answer(request))

    far = asyncio.create_task(play())
    try:
        return await bus.read(module.driver, module.driver.reads()[0]), bus
    finally:
        far.cancel()
        await bus.close()


async def test_the_reply_to_a_write_is_not_taken_for_an_echo() -> None:
    module = Module(LATCHING)
    module.pulse(0)
    module.pulse(2)
    observed, bus = await on_a_bus(module, echoes=False)
    assert [o.latched for o in observed] == [True, False, True]
    assert (bus.counters.echo, bus.counters.ok) == (0, 5)


async def test_on_a_line_with_an_echo_the_late_replies_to_writes_are_skipped() -> None:
    module = Module(LATCHING)
    module.pulse(0)
    module.pulse(2)
    observed, bus = await on_a_bus(module, echoes=True)
    assert [o.latched for o in observed] == [True, False, True]
    assert module.latches == [False] * 3
    assert (bus.counters.echo, bus.counters.unasked) == (3, 2)


async def test_frames_of_an_auto_upload_are_skipped_until_the_reply_comes() -> None:
    konnad = Profile(model="konnad", inputs=8, level=Level(function=2, address=200))
    driver = ModbusDi(konnad, 255, "mbap")
    wire = MemoryTransport()
    bus = Bus(wire, BusSettings(timeout_s=1.0, quarantine_s=0.0, has_transaction_ids=True))
    reading = asyncio.create_task(bus.read(driver, driver.reads()[0]))
    await wire.far.requests.get()
    for number in (0, 0x1234):
        wire.far.send(mbap_frame(number, 255, b"\x02\x01\xff"))
    wire.far.send(mbap_frame(1, 255, b"\x02\x01\x04"))
    assert [o.channel for o in await reading if o.active] == ["di:2"]
    assert bus.counters.unasked == 2
    await bus.close()
