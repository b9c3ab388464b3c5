"""Telling a lock to open: one pulse on the wire whatever happens, and an outcome that claims no more than
the reply proves.
"""

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.driver import Command, Outcome
from device_drivers.errors import LinkDown
from device_drivers.lock_8a import codec
from tests.support.lock_bench import BOARD, FAMILIES, LOCKS, LockBench, driver_of

ANSWERING = [family for family in FAMILIES if family != "8a short when open"]
OPENED = {"8a": False, "8a short when open": True}
"""Whether the contact is short when the lock is open."""


def twin(short: bool) -> bytes:
    return codec.encode_one(BOARD, 3, is_short=short, head=codec.COMMAND_HEAD)


NOTICE = codec.encode_one(BOARD, 3, is_short=False, head=codec.NOTICE_HEAD)
COMMAND = codec.encode_open(BOARD, 3)
"""Byte for byte `twin(True)`."""


@pytest.mark.parametrize("family", ANSWERING)
async def test_a_board_that_answers_acknowledges_and_its_lock_opens(family: str) -> None:
    async with LockBench(family) as bench:
        assert await bench.tell() is Outcome.ACKNOWLEDGED
        assert await bench.open_channels() == ["lock:3"]
        assert len(bench.pulses()) == 1


async def test_a_reply_that_may_be_an_echo_proves_nothing() -> None:
    async with LockBench("8a short when open") as bench:
        assert await bench.tell() is Outcome.UNKNOWN
        assert bench.bus.counters.timeout == 0, "the board answered, and need not be left alone"
        assert await bench.open_channels() == ["lock:3"]


@pytest.mark.parametrize(
    ("wiring", "replies", "outcome"),
    [
        ("8a", [twin(False)], Outcome.ACKNOWLEDGED),
        ("8a", [twin(True)], Outcome.UNKNOWN),
        ("8a", [COMMAND, twin(False)], Outcome.ACKNOWLEDGED),
        ("8a", [COMMAND, twin(True)], Outcome.UNKNOWN),
        ("8a", [COMMAND + twin(False)], Outcome.ACKNOWLEDGED),
        ("8a", [COMMAND[:2], COMMAND[2:], twin(False)], Outcome.ACKNOWLEDGED),
        ("8a", [NOTICE, twin(False)], Outcome.ACKNOWLEDGED),
        ("8a", [COMMAND, NOTICE, twin(False)], Outcome.ACKNOWLEDGED),
        ("8a", [COMMAND, NOTICE], Outcome.UNKNOWN),
        ("8a", [NOTICE], Outcome.UNKNOWN),
        ("8a", [], Outcome.UNKNOWN),
        ("8a short when open", [twin(True)], Outcome.UNKNOWN),
        ("8a short when open", [twin(False)], Outcome.REFUSED),
        ("8a short when open", [COMMAND, twin(False)], Outcome.REFUSED),
        ("8a short when open", [COMMAND, twin(True)], Outcome.UNKNOWN),
        ("8a", [codec.encode_one(BOARD, 4, is_short=False, head=codec.COMMAND_HEAD)], Outcome.UNKNOWN),
        ("8a", [codec.encode_one(2, 3, is_short=False, head=codec.COMMAND_HEAD)], Outcome.UNKNOWN),
        ("8a", [twin(False)[:-1] + b"\x8b"], Outcome.UNKNOWN),
    ],
)
async def test_what_an_8a_reply_to_open_proves(wiring: str, replies: list[bytes], outcome: Outcome) -> None:
    async with LockBench(wiring) as bench:
        bench.hand = lambda _request, _replies: replies
        assert await bench.tell() is outcome
        assert len(bench.pulses()) == 1


async def test_a_late_8a_reply_to_open_does_not_spoil_the_next_status() -> None:
    async with LockBench("8a") as bench:
        bench.hand = lambda _request, _replies: []
        await bench.tell()
        bench.hand = lambda _request, replies: [twin(False), *replies]
        assert await bench.open_channels() == ["lock:3"]


@pytest.mark.parametrize("family", FAMILIES)
async def test_no_reply_to_a_pulse_is_unknown_and_the_lock_may_be_open(family: str) -> None:
    async with LockBench(family) as bench:
        bench.line.act(BOARD, "answer no pulse")
        assert await bench.tell() is Outcome.UNKNOWN
        assert await bench.open_channels() == ["lock:3"]
        assert len(bench.pulses()) == 1


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_jammed_lock_is_closed_whatever_its_board_says(family: str) -> None:
    async with LockBench(family) as bench:
        bench.line.act(BOARD, "jam lock:3")
        assert await bench.tell() is not Outcome.REFUSED
        assert await bench.open_channels() == []


@pytest.mark.parametrize("family", ["winnsen", "wkly", "8a short when open"])
@pytest.mark.parametrize("act", ["fail lock:3", "cool down"])
async def test_a_board_that_says_no_has_refused(family: str, act: str) -> None:
    async with LockBench(family) as bench:
        bench.line.act(BOARD, act)
        assert await bench.tell() is Outcome.REFUSED
        assert await bench.open_channels() == []


@pytest.mark.parametrize("family", ["winnsen", "wkly", "krcu", "cu48"])
async def test_an_echo_of_the_pulse_alone_proves_nothing(family: str) -> None:
    async with LockBench(family) as bench:
        bench.hand = lambda request, replies: [request, *replies]
        assert await bench.tell() is Outcome.ACKNOWLEDGED
    async with LockBench(family) as bench:
        bench.hand = lambda request, _replies: [request]
        assert await bench.tell() is Outcome.UNKNOWN


async def test_two_pulses_of_one_board_keep_their_distance() -> None:
    async with LockBench("krcu") as bench:
        started = time.monotonic()
        await asyncio.gather(bench.tell("lock:1"), bench.tell("lock:2"))
        assert time.monotonic() - started >= 0.5
        assert [bench.line.decode_request(frame).lock for frame in bench.pulses()] == [1, 2]


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_board_that_hangs_after_a_pulse_is_read_again_later(family: str) -> None:
    async with LockBench(family) as bench:
        bench.line.act(BOARD, "hang after pulses")
        await bench.tell()
        with pytest.raises(Exception, match="nothing came"):
            await bench.states()
        assert await bench.open_channels() == ["lock:3"]


async def test_a_lost_line_before_the_pulse_is_said_and_nothing_is_sent() -> None:
    async with LockBench("krcu") as bench:
        bench.far.hang_up()
        with pytest.raises(LinkDown):
            await bench.bus.read(bench.driver, bench.driver.reads()[0])
        with pytest.raises(LinkDown):
            await bench.tell()
        assert bench.pulses() == []


def pieces(family: str) -> st.SearchStrategy[list[bytes]]:
    """What may come back: the truth, echoes, foreign frames, halves and noise, in any order."""
    driver, other = driver_of(family), driver_of(family, BOARD + 1)
    order = Command("open", "lock:3")
    frames = [d.encode(d.command(order)) for d in (driver, other)] + [driver.encode(driver.reads()[0])]
    if family.startswith("8a"):
        frames += [twin(False), NOTICE, codec.encode_all(BOARD, ()), codec.encode_all(BOARD + 1, ())]
    return st.lists(
        st.one_of(
            st.just(b"true"),
            st.sampled_from(frames),
            st.sampled_from(frames).map(lambda frame: frame[:3]),
            st.binary(min_size=1, max_size=12),
        ),
        max_size=4,
    )


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), is_lost=st.booleans())
def test_a_pulse_is_on_the_wire_exactly_once_whatever_comes_back(family: str, data, is_lost: bool) -> None:
    came = data.draw(pieces(family))

    async def play() -> list[bytes]:
        async with LockBench(family) as bench:

            def hand(_request: bytes, replies: list[bytes]) -> list[bytes]:
                if is_lost:
                    bench.far.hang_up()
                return [b"".join(replies) if piece == b"true" else piece for piece in came]

            bench.hand = hand
            assert await bench.tell() in Outcome
            await asyncio.sleep(0)
            assert bench.plant.value(LOCKS[2]) == "open"
            return bench.pulses()

    assert len(asyncio.run(play())) == 1


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_pulse_whose_caller_went_away_was_sent_once(family: str) -> None:
    async with LockBench(family) as bench:
        heard = asyncio.Event()

        def silent(_request: bytes, _replies: list[bytes]) -> list[bytes]:
            heard.set()
            return []

        bench.hand = silent
        telling = asyncio.create_task(bench.tell())
        await heard.wait()
        telling.cancel()
        await asyncio.wait([telling])
        bench.hand = lambda _request, replies: replies
        assert await bench.open_channels() == ["lock:3"]
        assert len(bench.pulses()) == 1
