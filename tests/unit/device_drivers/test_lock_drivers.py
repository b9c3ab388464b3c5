"""Drivers of lock boards on a bus, against the far end of their own family with a hand on the line."""

import pytest

from device_drivers import registry
from device_drivers.driver import Command, Fault, Observation
from device_drivers.errors import BadFrame, DeviceRefused, DriverError, NoReply, WrongReply, WrongUnit
from device_drivers.lock_krcu import codec as krcu
from device_drivers.lock_winnsen import codec as winnsen
from device_drivers.lock_wkly import codec as wkly
from device_drivers.site import Site
from tests.support.lock_bench import BOARD, FAMILIES, ITEMS, LOCKS, LockBench, driver_of, line_of


@pytest.mark.parametrize("family", FAMILIES)
async def test_an_open_lock_is_seen_open_and_no_other(family: str) -> None:
    async with LockBench(family) as bench:
        assert await bench.open_channels() == []
        bench.open(LOCKS[4])
        assert await bench.open_channels() == ["lock:5"]


@pytest.mark.parametrize("family", FAMILIES)
async def test_an_echo_is_stripped_once_and_is_no_state(family: str) -> None:
    async with LockBench(family) as bench:
        bench.open(LOCKS[0])
        bench.hand = lambda request, replies: [request, *replies]
        assert (await bench.states())["lock:1"] is True
        bench.hand = lambda request, _replies: [request]
        with pytest.raises(NoReply):
            await bench.states()


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_reply_in_single_bytes_behind_noise_is_put_together(family: str) -> None:
    async with LockBench(family) as bench:
        bench.open(LOCKS[0])
        bench.hand = lambda _request, replies: [bytes([b]) for b in b"\x00\xff" + replies[0]]
        assert (await bench.states())["lock:1"] is True


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_sound_frame_of_another_board_is_never_ours(family: str) -> None:
    async with LockBench(family) as bench:
        other = line_of(family, {BOARD + 1: bench.board})
        ask = driver_of(family, BOARD + 1)
        foreign = other.hear(ask.encode(ask.reads()[0]), 0.0)[0][0].frame
        bench.hand = lambda _request, _replies: [foreign]
        with pytest.raises(WrongUnit) as caught:
            await bench.states()
        assert caught.value.answered == BOARD + 1


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_late_reply_of_another_board_is_passed_over(family: str) -> None:
    async with LockBench(family, quarantine_s=0.3) as bench:
        other = line_of(family, {BOARD + 1: bench.board})
        ask = driver_of(family, BOARD + 1)
        with pytest.raises(NoReply):
            await bench.bus.read(ask, ask.reads()[0])
        late = other.hear(ask.encode(ask.reads()[0]), 0.0)[0][0].frame
        bench.open(LOCKS[0])
        bench.hand = lambda _request, replies: [late, *replies]
        assert (await bench.states())["lock:1"] is True
        assert bench.bus.counters.late >= 1


@pytest.mark.parametrize("family", ["8a", "wkly"])
async def test_a_notice_before_the_reply_is_passed_over(family: str) -> None:
    async with LockBench(family) as bench:
        bench.line.act(BOARD, "tell changes")
        bench.line.act(BOARD, "key lock:2")
        assert await bench.open_channels() == ["lock:2"]
        assert bench.bus.counters.unasked == 1


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_reply_cut_short_or_flipped_is_an_error_and_no_state(family: str) -> None:
    async with LockBench(family) as bench:
        bench.hand = lambda _request, replies: [replies[0][:-1]]
        with pytest.raises(NoReply):
            await bench.states()
        bench.hand = lambda _request, replies: [bytes([*replies[0][:-1], replies[0][-1] ^ 0x10])]
        with pytest.raises(DriverError):
            await bench.states()


@pytest.mark.parametrize("family", FAMILIES)
def test_only_one_lock_can_be_told_to_open_and_nothing_else(family: str) -> None:
    driver = driver_of(family)
    commands = [("open", "lock:0"), ("open", "lock:49"), ("open", "lock:all"), ("open", "lock:01")]
    for action, channel in [*commands, ("open", "item:1"), ("send", "lock:1"), ("close", "lock:1")]:
        with pytest.raises(DeviceRefused):
            driver.command(Command(action, channel))


def test_a_board_of_item_sensors_opens_nothing() -> None:
    items = registry.build("lock_8a", Site(bus_kind="serial", unit=2, channels=("item:3",)))
    with pytest.raises(DeviceRefused):
        items.command(Command("open", "lock:1"))  # type: ignore[attr-defined]


async def test_a_krcu_board_tells_of_its_items_in_the_same_read() -> None:
    async with LockBench("krcu") as bench:
        bench.plant.change(ITEMS[1], "absent", 0, 0)
        seen = await bench.states()
        assert [seen[f"item:{n}"] for n in range(1, 5)] == [True, False, True, True]
        assert len(bench.sent) == 1


def test_infrared_sensors_can_be_of_the_other_kind() -> None:
    driver = registry.build("lock_krcu", Site("serial", options={"item_when_set": False, "board": "cu12"}))
    read = driver.reads()[0]
    frame = krcu.encode_state(krcu.State(1, (True,) * 12, (True, False)))
    seen = driver.decode(read, frame)
    assert Observation("item:1", active=False) in seen
    assert Observation("item:2", active=True) in seen
    assert read.channels[-1] == "item:12"


def test_winnsen_asks_only_for_the_locks_that_points_use() -> None:
    used = registry.build("lock_winnsen", Site("serial", unit=1, channels=("lock:2", "lock:9")))
    assert [read.channels for read in used.reads()] == [("lock:2",), ("lock:9",)]
    assert len(registry.build("lock_winnsen", Site("serial", unit=1)).reads()) == 16


async def test_one_flipped_bit_opens_no_winnsen_lock() -> None:
    """The family has no check: only a second answer can tell."""
    async with LockBench("winnsen") as bench:
        await bench.states()
        flips = iter([winnsen.encode_state(winnsen.State(1, 1, is_open=True))])
        bench.hand = lambda _request, replies: [next(flips, replies[0])]
        assert await bench.open_channels() == []
        bench.open(LOCKS[0])
        assert await bench.open_channels() == ["lock:1"]


async def test_the_very_first_winnsen_state_has_to_be_said_twice_running() -> None:
    async with LockBench("winnsen") as bench:
        wrong = winnsen.encode_state(winnsen.State(1, 1, is_open=True))
        said = iter([b"", wrong])
        bench.hand = lambda _request, replies: [next(said, b"") or replies[0]]
        assert await bench.open_channels() == []


async def test_a_winnsen_state_that_is_not_new_costs_one_exchange() -> None:
    async with LockBench("winnsen") as bench:
        await bench.states()
        bench.sent.clear()
        await bench.states()
        assert len(bench.sent) == len(bench.driver.reads())


@pytest.mark.parametrize(
    "reply",
    [
        winnsen.encode_state(winnsen.State(1, 2, is_open=True)),
        winnsen.encode_opened(winnsen.Opened(1, 1, winnsen.Result.DONE)),
    ],
    ids=["another lock", "another question"],
)
async def test_a_winnsen_reply_to_something_else_is_wrong(reply: bytes) -> None:
    async with LockBench("winnsen") as bench:
        bench.hand = lambda _request, _replies: [reply]
        with pytest.raises(WrongReply):
            await bench.states()


def test_a_wkly_lock_that_its_board_cannot_tell_is_a_fault_and_not_closed() -> None:
    driver = registry.build("lock_wkly", Site("serial", unit=BOARD))
    frame = wkly.encode_reply(wkly.States(BOARD, (wkly.CLOSED, 0xFF)))
    seen = driver.decode(driver.reads()[0], frame)
    assert seen == [Observation("lock:1", False), Observation("lock:2", False, fault=Fault.DEVICE_ERROR)]


def test_a_wkly_board_with_fewer_locks_than_points_is_refused() -> None:
    driver = registry.build("lock_wkly", Site("serial", unit=1, channels=("lock:13",)))
    with pytest.raises(DeviceRefused, match="lock:13"):
        driver.decode(driver.reads()[0], wkly.encode_reply(wkly.States(1, (1,) * 12)))


def test_a_wkly_board_that_cannot_tell_its_state_says_nothing_of_its_locks() -> None:
    driver = driver_of("wkly")
    with pytest.raises(DeviceRefused):
        driver.decode(driver.reads()[0], wkly.encode_reply(wkly.States(BOARD, (1,) * 12, is_done=False)))


@pytest.mark.parametrize("length", [0, 7, 35, 255])
def test_a_wkly_frame_of_no_possible_length_is_not_waited_for(length: int) -> None:
    driver = driver_of("wkly")
    with pytest.raises(BadFrame):
        driver.reply_length(driver.reads()[0], wkly.MAGIC + bytes([length]))


@pytest.mark.parametrize(
    ("kind", "settings", "key"),
    [
        ("lock_krcu", {"unit": 10}, "unit"),
        ("lock_krcu", {"options": {"board": "scu"}}, "options"),
        ("lock_krcu", {"options": {"polarity": 1}}, "options"),
        ("lock_winnsen", {"unit": 32}, "unit"),
        ("lock_winnsen", {"options": {"x": 1}}, "options"),
        ("lock_wkly", {"unit": 32}, "unit"),
        ("lock_wkly", {"bus_kind": "modbus_rtu"}, "bus"),
    ],
)
def test_a_lock_board_that_cannot_be_made_is_refused_by_its_key(kind: str, settings: dict, key: str) -> None:
    with pytest.raises(registry.ProfileFault, match=f"^{key}:"):
        registry.build(kind, Site(**{"bus_kind": "serial", **settings}))
