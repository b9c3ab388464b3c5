"""Codecs of the Kerong, Winnsen and WKLY boards: both ends agree, and only a frame is taken for one."""

import functools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.driver import Command
from device_drivers.errors import BadFrame, DriverError
from device_drivers.lock_board import Request
from device_drivers.lock_krcu import codec as krcu
from device_drivers.lock_krcu import cu48_codec as cu48
from device_drivers.lock_winnsen import codec as winnsen
from device_drivers.lock_wkly import codec as wkly
from tests.support.lock_bench import FAMILIES, driver_of

CODECS = [(krcu, 9, 16), (cu48, 255, 48), (winnsen, 31, 16), (wkly, 31, 24)]
SIXTEEN = st.lists(st.booleans(), min_size=16, max_size=16).map(tuple)
FORTY_EIGHT = st.lists(st.booleans(), min_size=48, max_size=48).map(tuple)


@given(st.sampled_from(CODECS), st.data())
def test_a_board_understands_which_lock_a_host_opens(codec, data: st.DataObject) -> None:
    module, board_max, locks = codec
    board, lock = data.draw(st.integers(0, board_max)), data.draw(st.integers(1, locks))
    frame = module.encode_open(board, lock)
    assert module.decode_request(frame) == Request(board, lock, is_open=True)


@given(st.integers(0, 9), SIXTEEN, SIXTEEN, st.integers(1, 16))
def test_both_ends_agree_on_a_krcu_boards_state(board: int, locked, sensed, lock: int) -> None:
    state = krcu.State(board, locked, sensed)
    assert krcu.decode_state(krcu.encode_state(state, lock)) == state


@given(st.integers(0, 255), FORTY_EIGHT, st.integers(1, 48))
def test_both_ends_agree_on_a_cu48(board: int, closed, lock: int) -> None:
    assert cu48.decode_state(cu48.encode_state(cu48.State(board, closed))).closed == closed
    assert cu48.decode_done(cu48.encode_done(cu48.Done(board, lock))) == cu48.Done(board, lock)


@given(st.integers(0, 31), st.integers(1, 16), st.booleans(), st.sampled_from(winnsen.Result))
def test_both_ends_agree_on_a_winnsen_lock(station: int, lock: int, is_open: bool, result) -> None:
    state, opened = winnsen.State(station, lock, is_open), winnsen.Opened(station, lock, result)
    assert winnsen.decode_reply(winnsen.encode_state(state)) == state
    assert winnsen.decode_reply(winnsen.encode_opened(opened)) == opened


@given(st.integers(0, 31), st.lists(st.integers(0, 255), max_size=24).map(tuple), st.booleans())
def test_both_ends_agree_on_a_wkly_board(board: int, states, is_done: bool) -> None:
    said = wkly.States(board, states, is_done)
    assert wkly.decode_reply(wkly.encode_reply(said)) == said


@given(st.integers(0, 31), st.integers(0, 255), st.integers(0, 255), st.booleans())
def test_both_ends_agree_on_a_wkly_pulse_and_notice(board, lock, state, is_done) -> None:
    for said in (wkly.Opened(board, lock, state, is_done), wkly.Moved(board, lock, state)):
        assert wkly.decode_reply(wkly.encode_reply(said)) == said


FRAMES = [
    (krcu.decode_state, krcu.encode_state(krcu.State(1, (True,) * 16, ()))),
    (krcu.decode_request, krcu.encode_open(1, 3)),
    (cu48.decode_state, cu48.encode_state(cu48.State(1, (True,) * 48))),
    (cu48.decode_done, cu48.encode_done(cu48.Done(1, 3))),
    (cu48.decode_request, cu48.encode_open(1, 3)),
    (wkly.decode_reply, wkly.encode_reply(wkly.States(1, (1,) * 12))),
    (wkly.decode_reply, wkly.encode_reply(wkly.Opened(1, 3, 0, is_done=True))),
    (wkly.decode_request, wkly.encode_open(1, 3)),
]


@pytest.mark.parametrize(("decode", "frame"), FRAMES, ids=[frame.hex(" ") for _, frame in FRAMES])
def test_one_flipped_bit_makes_a_bad_frame_wherever_there_is_a_check(decode, frame: bytes) -> None:
    decode(frame)
    for bit in range(8 * len(frame)):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadFrame):
            decode(bytes(flipped))


@pytest.mark.parametrize(
    "frame",
    [
        "90 07 92 01 02 05 03",  # a state that is none
        "90 07 92 01 01 00 03",
        "90 07 92 01 01 11 03",  # a lock that is none
        "90 07 92 01 01 05 04",
        "91 07 92 01 01 05 03",
        "90 06 92 01 01 05 03",
        "90 07 93 01 01 05 03",
        "90 07 85 01 05 03 03",  # a result that is none
        "90 07 92 01 01 05 03 03",
        "90 07 92 01 01 05",
    ],
)
def test_a_winnsen_frame_is_exact_or_it_is_none(frame: str) -> None:
    with pytest.raises(BadFrame):
        winnsen.decode_reply(bytes.fromhex(frame))


DECODERS = [
    krcu.decode_state,
    krcu.decode_request,
    cu48.decode_state,
    cu48.decode_done,
    cu48.decode_request,
    winnsen.decode_reply,
    winnsen.decode_request,
    wkly.decode_reply,
    wkly.decode_request,
]


def attempt(call, *arguments) -> None:
    try:
        call(*arguments)
    except DriverError:
        return


@given(st.sampled_from(DECODERS), st.binary(max_size=40))
def test_garbage_raises_driver_errors_only(decode, garbage: bytes) -> None:
    attempt(decode, garbage)
    attempt(decode, krcu.sealed(*garbage))
    whole = wkly.MAGIC + bytes([len(garbage) + 6]) + garbage
    attempt(decode, whole + bytes([functools.reduce(operator.xor, whole)]))
    attempt(decode, b"\x90\x07" + garbage[:4] + b"\x03")


@given(st.sampled_from(FAMILIES), st.booleans(), st.binary(max_size=40))
def test_a_driver_raises_driver_errors_only(family: str, is_command: bool, garbage: bytes) -> None:
    driver = driver_of(family)
    read = driver.command(Command("open", "lock:3")) if is_command else driver.reads()[0]
    for data in (garbage, driver.encode(read) + garbage):
        attempt(driver.reply_length, read, data)
        attempt(driver.decode, read, data)
