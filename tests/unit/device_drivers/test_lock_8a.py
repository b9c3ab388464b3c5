"""8A lock boards: polarity, wiring of item sensors, notices, and a codec that both ends share."""

import functools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.bus import Bus, BusSettings
from device_drivers.driver import Observation
from device_drivers.errors import BadFrame, DriverError, UnaskedFrame, WrongReply
from device_drivers.lock_8a import codec
from device_drivers.lock_8a.driver import Lock8a, Lock8aOptions
from device_drivers.transport.memory import MemoryTransport

BOARDS = st.integers(1, codec.BOARD_MAX)
CONTACTS = st.lists(st.booleans(), min_size=24, max_size=24).map(tuple)


def observed(driver: Lock8a, shorted: tuple[bool, ...]) -> list[Observation]:
    return driver.decode(driver.reads()[0], codec.encode_all(1, shorted))


def actives(observations: list[Observation]) -> list[str]:
    return [o.channel for o in observations if o.active]


@given(BOARDS, CONTACTS)
def test_a_board_and_a_host_agree_on_the_status_of_all(board: int, shorted: tuple[bool, ...]) -> None:
    status = codec.decode_all(codec.encode_all(board, shorted))
    assert (status.board, status.first_lock, status.shorted) == (board, 1, shorted)


@given(BOARDS, st.integers(1, 24), st.booleans())
def test_a_board_and_a_host_agree_on_one_lock(board: int, lock: int, is_short: bool) -> None:
    status = codec.decode_one(codec.encode_one(board, lock, is_short=is_short))
    assert (status.board, status.first_lock, status.shorted) == (board, lock, (is_short,))
    assert not status.is_notice


@given(BOARDS, st.integers(0, 24))
def test_a_board_understands_what_a_host_asks(board: int, lock: int) -> None:
    assert codec.decode_request(codec.encode_read(board, lock)) == codec.Request(board, lock, is_open=False)
    assert codec.decode_request(codec.encode_open(board, lock)) == codec.Request(board, lock, is_open=True)


def test_a_lock_that_is_short_when_locked_is_open_when_its_contact_is() -> None:
    driver = Lock8a(1, Lock8aOptions())
    assert actives(observed(driver, (True,) * 4 + (False,) + (True,) * 19)) == ["lock:5"]


def test_a_lock_that_is_short_when_open_reads_the_other_way() -> None:
    driver = Lock8a(1, Lock8aOptions(short_when_locked=False))
    assert actives(observed(driver, (False,) * 4 + (True,))) == ["lock:5"]


@pytest.mark.parametrize("short_when_locked", [True, False])
def test_an_item_is_present_where_its_sensor_closes_the_contact(short_when_locked: bool) -> None:
    driver = Lock8a(1, Lock8aOptions(short_when_locked=short_when_locked), channel="item")
    assert actives(observed(driver, (False, True, True))) == ["item:2", "item:3"]


def test_a_reply_of_another_board_is_wrong() -> None:
    driver = Lock8a(1, Lock8aOptions())
    with pytest.raises(WrongReply, match="unit 2"):
        driver.decode(driver.reads()[0], codec.encode_all(2, ()))


def test_a_notice_is_to_be_skipped() -> None:
    driver = Lock8a(1, Lock8aOptions())
    notice = codec.encode_one(1, 3, is_short=False, head=codec.NOTICE_HEAD)
    with pytest.raises(UnaskedFrame, match="lock 3"):
        driver.decode(driver.reads()[0], notice)


@pytest.mark.parametrize(
    "frame",
    ["", "80", "80010133", "8001013300", "8001012292", "8a010111 9b 00", "800100000033b3"],
)
def test_no_request_comes_out_of_a_wrong_frame(frame: str) -> None:
    with pytest.raises(BadFrame):
        codec.decode_request(bytes.fromhex(frame))


@given(st.binary(max_size=12))
def test_garbage_raises_driver_errors_only(garbage: bytes) -> None:
    driver = Lock8a(1, Lock8aOptions())
    read = driver.reads()[0]
    attempts = [codec.decode_one, codec.decode_all, codec.decode_request]
    attempts += [lambda data: driver.reply_length(read, data), lambda data: driver.decode(read, data)]
    for attempt in attempts:
        try:
            attempt(garbage)
        except DriverError:
            continue


@given(st.binary(min_size=4, max_size=6))
def test_a_sound_check_around_garbage_raises_driver_errors_only(garbage: bytes) -> None:
    driver = Lock8a(1, Lock8aOptions())
    sealed = garbage + bytes([functools.reduce(operator.xor, garbage)])
    for attempt in (codec.decode_one, codec.decode_all, codec.decode_request):
        try:
            attempt(sealed)
        except DriverError:
            continue
    try:
        driver.decode(driver.reads()[0], sealed)
    except DriverError:
        return


async def answered(*replies: bytes) -> tuple[list[Observation], Bus]:
    """What a bus makes of these replies to "read all" of board 1."""
    wire = MemoryTransport()
    bus = Bus(wire, BusSettings(timeout_s=0.05, quarantine_s=0.0))
    driver = Lock8a(1, Lock8aOptions())
    await bus.open()
    sent = wire.far.requests
    sent_put = sent.put_nowait

    def put_and_answer(frame: bytes) -> None:
        sent_put(frame)
        for reply in replies:
            wire.far.send(reply)

    sent.put_nowait = put_and_answer  # type: ignore[method-assign]
    observations = await bus.read(driver, driver.reads()[0])
    await bus.close()
    return observations, bus


async def test_a_notice_before_the_status_is_passed_over() -> None:
    notice = codec.encode_one(1, 3, is_short=False, head=codec.NOTICE_HEAD)
    observations, bus = await answered(notice + codec.encode_all(1, (False,) + (True,) * 23))
    assert actives(observations) == ["lock:1"]
    assert bus.counters.unasked == 1


async def test_an_echo_is_not_read_as_a_status() -> None:
    observations, bus = await answered(codec.encode_read(1), codec.encode_all(1, (False,) + (True,) * 23))
    assert actives(observations) == ["lock:1"]
    assert bus.counters.echo == 1


async def test_a_status_that_begins_like_an_echo_is_still_a_status() -> None:
    request = codec.encode_read(1)
    bits = int.from_bytes(request[2:5])
    twin = codec.encode_all(1, tuple(bool(bits >> n & 1) for n in range(24)))
    assert twin.startswith(request)
    observations, bus = await answered(twin)
    assert len(actives(observations)) == 24 - bits.bit_count()
    assert bus.counters.echo == 0
