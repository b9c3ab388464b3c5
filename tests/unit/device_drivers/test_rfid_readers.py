"""Readers of dossier tags on a line: windows, bursts, damage, antennas, addresses."""

import functools
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.driver import Driver, Fault, Observation
from device_drivers.errors import (
    BadFrame,
    DeviceBusy,
    DeviceRefused,
    DriverError,
    NoReply,
    WrongReply,
    WrongUnit,
)
from device_drivers.rfid.round import INPUT_MAX_BYTES
from device_drivers.rfid_m100 import codec as m100
from device_drivers.rfid_m100.driver import M100Options, RfidM100
from device_drivers.rfid_uhf18 import codec as uhf18
from device_drivers.rfid_uhf18.driver import RfidUhf18, Uhf18Options
from simulators.plant import Plant
from simulators.rfid_readers import M100Line, TagReader, Uhf18Line
from simulators.wire import Reply
from tests.support.memory_line import Firmware, MemoryLine, echo, intact, spoil

EPCS = [f"E28068940000{n:012X}" for n in range(5)]
GLUED = "E2800000FFFFFFFFFFFFFFFF"
POINTS = [f"linhu.cab{n}.item" for n in range(5)]
WINDOW_MS = 50


class Bench:
    """A driver for the five tags, the reader that hears them, and the line between."""

    def __init__(
        self, driver: Driver, readers: M100Line | Uhf18Line, plant: Plant, *, chunk: int = 0
    ) -> None:
        self.driver = driver
        self.plant = plant
        self.readers = readers
        self.line = MemoryLine(Firmware(readers), chunk=chunk)

    async def poll(self, times: int = 1) -> dict[str, Observation]:
        """The last word on each channel."""
        last = {}
        for _ in range(times):
            for read in self.driver.reads():
                sights = await self.line.bus.read(self.driver, read)
                last |= {seen.channel: seen for seen in sights if isinstance(seen, Observation)}
        return last

    def act(self, act: str) -> None:
        for unit in self.readers.acts():
            self.readers.act(unit, act)

    def take_out(self, n: int) -> None:
        self.plant.change(POINTS[n], "absent", 0, 0)


def m100_bench(*, chunk: int = 0, glued: bool = False) -> Bench:
    plant = Plant(POINTS)
    references = (GLUED,) if glued else ()
    reader = TagReader({1: dict(zip(EPCS, POINTS, strict=True))}, plant, references)
    driver = RfidM100(1, EPCS, M100Options(window_ms=WINDOW_MS, reference_tags=references))
    return Bench(driver, M100Line(reader), plant, chunk=chunk)


def uhf18_bench(*, ports: int = 0, chunk: int = 0) -> Bench:
    plant = Plant(POINTS)
    wired = dict(zip(EPCS, POINTS, strict=True))
    shelves = {1: dict(list(wired.items())[:3]), 2: dict(list(wired.items())[3:])} if ports else {1: wired}
    driver = RfidUhf18(7, EPCS, Uhf18Options(antenna_ports=ports, scan_ms=300))
    return Bench(driver, Uhf18Line({7: TagReader(shelves, plant)}), plant, chunk=chunk)


BENCHES = {
    "m100": m100_bench,
    "uhf18": uhf18_bench,
    "uhf18 with ports": functools.partial(uhf18_bench, ports=2),
}
every_family = pytest.mark.parametrize("make", BENCHES.values(), ids=BENCHES)
Make = Callable[..., Bench]


def present(last: dict[str, Observation]) -> list[int]:
    return [n for n, epc in enumerate(EPCS) if (seen := last.get(f"tag:{epc}")) and seen.active]


def unknown(last: dict[str, Observation]) -> list[int]:
    return [
        n
        for n, epc in enumerate(EPCS)
        if (seen := last.get(f"tag:{epc}")) and seen.fault is Fault.DEVICE_ERROR
    ]


@every_family
async def test_tags_are_there_and_gone_after_three_polls_without_them(make: Make) -> None:
    bench = make()
    async with bench.line:
        assert present(await bench.poll()) == [0, 1, 2, 3, 4]
        bench.take_out(2)
        assert present(await bench.poll(2)) == [0, 1, 2, 3, 4]
        last = await bench.poll()
        assert present(last) == [0, 1, 3, 4]
        assert last[f"tag:{EPCS[2]}"] == Observation(f"tag:{EPCS[2]}", active=False)


@every_family
@pytest.mark.parametrize("chunk", [1, 7, 64])
async def test_frames_in_pieces_are_put_together(make: Make, chunk: int) -> None:
    bench = make(chunk=chunk)
    async with bench.line:
        assert present(await bench.poll()) == [0, 1, 2, 3, 4]


@every_family
async def test_an_empty_field_is_a_healthy_miss(make: Make) -> None:
    bench = make()
    async with bench.line:
        await bench.poll()
        for n in range(5):
            bench.take_out(n)
        last = await bench.poll(3)
        assert (present(last), unknown(last)) == ([], [])
        assert len([channel for channel in last if channel.startswith("tag:")]) == 5


@every_family
async def test_two_hundred_strangers_hide_nobody(make: Make) -> None:
    bench = make()
    async with bench.line:
        bench.act("burst")
        assert present(await bench.poll()) == [0, 1, 2, 3, 4]


@every_family
async def test_flicker_makes_no_event(make: Make) -> None:
    bench = make()
    async with bench.line:
        await bench.poll()
        bench.act("flicker")
        for _ in range(20):
            last = await bench.poll()
            assert present(last) == [0, 1, 2, 3, 4]


@every_family
async def test_a_reader_that_is_silent_takes_nothing_away(make: Make) -> None:
    bench = make()
    async with bench.line:
        await bench.poll()
        bench.line.hand = spoil(lambda _: b"")
        read = msgspec.structs.replace(bench.driver.reads()[0], window_ms=WINDOW_MS)  # not a whole scan
        for _ in range(4):
            with pytest.raises(NoReply):
                await bench.line.bus.read(bench.driver, read)
        bench.line.hand = intact
        assert present(await bench.poll()) == [0, 1, 2, 3, 4]


@every_family
async def test_garbage_between_frames_costs_no_tag(make: Make) -> None:
    bench = make()
    async with bench.line:
        bench.line.hand = spoil(lambda reply: b"\xbb\x02\x22\x15\x07\x01" + reply)
        assert present(await bench.poll()) == [0, 1, 2, 3, 4]


@every_family
async def test_an_echo_is_no_answer(make: Make) -> None:
    bench = make()
    async with bench.line:
        bench.line.hand = echo
        assert present(await bench.poll()) == [0, 1, 2, 3, 4]


async def test_damaged_frames_of_a_tag_are_no_miss() -> None:
    bench = m100_bench()
    async with bench.line:
        await bench.poll()
        victim = bytes.fromhex(EPCS[2])
        bench.line.hand = spoil(lambda reply: reply.replace(victim, victim[:-1] + b"\xaa"))
        last = await bench.poll(5)
        assert present(last) == [0, 1, 2, 3, 4]
        last = await bench.poll()
        assert (present(last), unknown(last)) == ([0, 1, 3, 4], [2])


@pytest.mark.parametrize(
    ("said", "crc"),
    [("3000E28068940000000000000003", "CA11"), ("2800E28068940000000000000002", "E78D")],
    ids=["another tag's EPC", "ten bytes, it says"],
)
async def test_what_the_module_understood_wrongly_of_a_tag_is_neither_a_tag_nor_a_miss(
    said: str, crc: str
) -> None:
    """The frame's own sum is right."""
    bench = m100_bench()
    async with bench.line:
        await bench.poll()
        bench.take_out(3)
        sound = next(iter(m100.decode(m100.encode_tag(m100.Tag(bytes.fromhex(EPCS[2]), -45))).frames))
        spoilt = m100.encode(msgspec.structs.replace(sound, data=sound.data[:1] + bytes.fromhex(said + crc)))
        bench.line.hand = spoil(lambda reply: spoilt if bytes.fromhex(EPCS[2]) in reply else reply)
        last = await bench.poll(6)
        assert (present(last), unknown(last)) == ([0, 1, 4], [2, 3])


async def test_a_damaged_frame_of_a_uhf18_is_no_miss() -> None:
    bench = uhf18_bench()
    async with bench.line:
        await bench.poll()
        bench.line.hand = spoil(lambda reply: reply.replace(bytes.fromhex(EPCS[2]), bytes(12)))
        assert present(await bench.poll(2)) == [0, 1, 2, 3, 4]
        assert unknown(await bench.poll(4)) == [0, 1, 2, 3, 4], "all five stood in the one frame"


async def test_an_m100_without_its_antenna_says_no_tag_and_the_glued_tag_tells_the_truth() -> None:
    bench = m100_bench(glued=True)
    async with bench.line:
        first = await bench.poll()
        assert (present(first), first["antenna:1"].active) == ([0, 1, 2, 3, 4], False)
        bench.readers.act(1, "antenna off")
        last = await bench.poll(5)
        assert (unknown(last), last["antenna:1"].active) == ([0, 1, 2, 3, 4], True)
        bench.readers.act(1, "antenna on")
        assert present(await bench.poll()) == [0, 1, 2, 3, 4]


async def test_a_port_without_its_antenna_makes_its_own_tags_unknown() -> None:
    bench = uhf18_bench(ports=2)
    async with bench.line:
        await bench.poll()
        bench.readers.act(7, "antenna off antenna:2")
        last = await bench.poll(5)
        assert (present(last), unknown(last)) == ([0, 1, 2], [3, 4])
        assert [last[f"antenna:{n}"].active for n in (1, 2)] == [False, True]


async def test_a_tag_that_two_ports_hear_is_told_by_the_nearer() -> None:
    bench = uhf18_bench(ports=2)
    async with bench.line:
        bench.readers.act(7, "duplicate")
        await bench.poll()
        first, second = [await bench.line.bus.read(bench.driver, read) for read in bench.driver.reads()]
        assert [seen.channel for seen in first] == [*(f"tag:{epc}" for epc in EPCS[:3]), "antenna:1"]
        assert [seen.channel for seen in second] == [*(f"tag:{epc}" for epc in EPCS[3:]), "antenna:2"]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (m100.encode_error(0x20), DeviceBusy),
        (m100.encode_error(0x17), DeviceRefused),
        (m100.encode_error(0x09), WrongReply),
        (m100.encode(m100.Frame(m100.REPLY, 0xB6, b"\0")), WrongReply),
        (b"\x01\x02\x03", BadFrame),
    ],
)
def test_an_m100_that_answers_otherwise_is_judged(frame: bytes, error: type[DriverError]) -> None:
    driver = RfidM100(1, EPCS, M100Options())
    with pytest.raises(error):
        driver.decode(driver.reads()[0], frame)


@pytest.mark.parametrize(
    ("status", "error"),
    [(0xFD, DeviceRefused), (0xFE, DeviceRefused), (0x05, DeviceRefused), (0x03, BadFrame)],
)
def test_a_uhf18_that_answers_otherwise_is_judged(status: int, error: type[DriverError]) -> None:
    driver = RfidUhf18(0, EPCS, Uhf18Options())
    data = uhf18.encode_tags(()) if status == 3 else b""
    with pytest.raises(error):
        driver.decode(driver.reads()[0], uhf18.encode_reply(uhf18.Reply(0, 1, status, data)))


def test_a_reply_of_another_reader_is_known_for_what_it_is() -> None:
    driver = RfidUhf18(7, EPCS, Uhf18Options())
    with pytest.raises(WrongUnit, match="unit 8") as caught:
        driver.decode(driver.reads()[0], uhf18.encode_reply(uhf18.Reply(8, 1, uhf18.NO_TAG)))
    assert caught.value.answered == 8


def test_a_reader_with_ports_read_as_one_without_is_told_of_at_once() -> None:
    driver = RfidUhf18(7, EPCS, Uhf18Options())
    data = uhf18.encode_tags([uhf18.Tag(bytes.fromhex(EPCS[0]), 0x60)], port=1)
    with pytest.raises(WrongReply):
        driver.decode(driver.reads()[0], uhf18.encode_reply(uhf18.Reply(7, 1, uhf18.COMPLETE, data)))


async def test_readers_share_a_line() -> None:
    plant = Plant(POINTS)
    near = TagReader({1: {EPCS[0]: POINTS[0]}}, plant)
    far = TagReader({1: {EPCS[1]: POINTS[1]}}, plant)
    drivers = [RfidUhf18(unit, EPCS, Uhf18Options(scan_ms=300)) for unit in (7, 8)]
    async with MemoryLine(Firmware(Uhf18Line({7: near, 8: far}))) as line:
        heard = [await line.bus.read(driver, driver.reads()[0]) for driver in drivers]
    assert [[seen.channel for seen in sights] for sights in heard] == [[f"tag:{EPCS[0]}"], [f"tag:{EPCS[1]}"]]


async def test_an_inventory_that_ran_out_of_time_is_no_miss() -> None:
    driver = RfidUhf18(7, EPCS, Uhf18Options(scan_ms=300))

    class OutOfTime(Uhf18Line):
        def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
            del now_s
            frame = uhf18.encode_reply(uhf18.Reply(7, 1, uhf18.OUT_OF_TIME, uhf18.encode_tags(())))
            return [Reply(7, received, frame)], len(received)

    async with MemoryLine(Firmware(OutOfTime({}))) as line:
        said = [await line.bus.read(driver, driver.reads()[0]) for _ in range(8)]
    assert said[:5] == [[]] * 5
    assert all(seen.fault is Fault.DEVICE_ERROR for seen in said[5])


EPC = st.integers(0, 31).flatmap(lambda words: st.binary(min_size=2 * words, max_size=2 * words))
M100_TAGS = st.builds(m100.Tag, EPC, st.integers(-128, 127))


@given(st.lists(M100_TAGS, max_size=5), st.binary(max_size=20))
def test_an_m100_and_a_host_agree_whatever_stands_before_a_tag(tags: list[m100.Tag], noise: bytes) -> None:
    heard = m100.decode(b"".join(m100.encode_tag(tag) for tag in tags))
    assert heard.is_whole
    assert [m100.decode_tag(frame) for frame in heard.frames] == tags
    noisy = m100.decode(noise.replace(b"\xbb", b"") + b"".join(m100.encode_tag(tag) for tag in tags))
    assert [m100.decode_tag(frame) for frame in noisy.frames] == tags


@given(st.binary(min_size=1, max_size=30))
def test_an_m100_that_is_heard_after_any_garbage_is_understood_within_two_frames(garbage: bytes) -> None:
    frame = m100.encode_tag(m100.Tag(bytes(12), -50))
    found = [f for f in m100.decode(garbage + frame * 2).frames if f == m100.decode(frame).frames[0]]
    assert found


UHF18_TAGS = st.lists(st.builds(uhf18.Tag, EPC, st.integers(0, 255)), max_size=3)


@given(st.integers(0, uhf18.ADDRESS_MAX), UHF18_TAGS, st.integers(1, 4))
def test_a_uhf18_reader_and_a_host_agree(address: int, tags: list[uhf18.Tag], port: int) -> None:
    for at in (0, port):
        told = tags if at else [uhf18.Tag(tag.epc) for tag in tags]
        raw = uhf18.encode_reply(uhf18.Reply(address, 1, uhf18.COMPLETE, uhf18.encode_tags(told, at)))
        (reply,) = uhf18.decode(raw).replies
        assert (reply.address, uhf18.decode_tags(reply.data, has_ports=at > 0)) == (address, told)


@given(st.integers(0, uhf18.ADDRESS_MAX), st.integers(0, 4), st.integers(3, 255), st.binary(max_size=4))
def test_a_uhf18_reader_understands_what_a_host_asks(
    address: int, port: int, scan: int, noise: bytes
) -> None:
    request = uhf18.encode_inventory(address, port, scan * 100)
    commands, used = uhf18.split_commands(request)
    assert commands == [uhf18.Command(address, port, scan * 100 if port else 0)]
    assert used == len(request)
    assert uhf18.split_commands(noise + request)[0][-1:] == commands


@given(st.binary(max_size=80))
def test_garbage_raises_driver_errors_only(garbage: bytes) -> None:
    drivers = [
        RfidM100(1, EPCS, M100Options()),
        RfidUhf18(0, EPCS, Uhf18Options()),
        RfidUhf18(0, EPCS, Uhf18Options(antenna_ports=4)),
    ]
    for driver in drivers:
        for read in driver.reads():
            driver.encode(read)
            try:
                driver.reply_length(read, garbage)
                driver.decode(read, garbage)
            except DriverError:
                continue


@given(st.integers(0, 255), st.binary(max_size=60))
def test_a_sound_check_around_garbage_raises_driver_errors_only(status: int, garbage: bytes) -> None:
    for ports in (0, 2):
        driver = RfidUhf18(0, EPCS, Uhf18Options(antenna_ports=ports))
        raw = uhf18.encode_reply(uhf18.Reply(0, 1, status, garbage))
        try:
            driver.decode(driver.reads()[0], raw)
        except DriverError:
            continue


@given(st.binary(max_size=80))
def test_a_line_of_readers_survives_garbage(garbage: bytes) -> None:
    reader = TagReader({1: {}}, Plant(()))
    for line in (M100Line(reader), Uhf18Line({0: reader})):
        _, used = line.hear(garbage, 0.0)
        assert 0 <= used <= len(garbage)
        assert line.describe(garbage)


def test_frames_are_described_in_a_technicians_words() -> None:
    plant = Plant(POINTS)
    line = M100Line(TagReader({1: {EPCS[0]: POINTS[0]}}, plant))
    assert line.describe(m100.encode_inventory()) == "inventory"
    (reply,), _ = line.hear(m100.encode_inventory(), 0.0)
    assert line.describe(reply.frame) == f"tag {EPCS[0]}, -45 dBm"
    assert line.describe(m100.encode_error(0x15)) == "error 15, no tag"
    readers = Uhf18Line({7: TagReader({1: {}}, plant)})
    assert readers.describe(uhf18.encode_inventory(7, 2, 300)) == "reader 7: inventory at port 2"
    assert readers.describe(uhf18.encode_reply(uhf18.Reply(7, 1, 0xF8))) == "reader 7: antenna off"


def test_a_bus_window_has_room_for_two_hundred_tags() -> None:
    """The bound of a read's input; at 115200 baud they take 420 ms."""
    assert M100Options().window_ms / 1000 > 200 * m100.TAG_BYTES * 11 / 115_200
    assert INPUT_MAX_BYTES > 2 * 200 * m100.TAG_BYTES
