"""Frames of the Kerong, Winnsen and WKLY lock boards as published. A later codec still says these.

Those of a maker's sheet or a public driver are marked with their number of sources; "layout" frames are
written by hand from the published layout, because nobody prints a whole one.
"""

import pytest

from device_drivers.lock_board import Request
from device_drivers.lock_krcu import codec as krcu
from device_drivers.lock_krcu import cu48_codec as cu48
from device_drivers.lock_winnsen import codec as winnsen
from device_drivers.lock_wkly import codec as wkly


def bits(count: int, *numbers: int) -> tuple[bool, ...]:
    return tuple(n in numbers for n in range(1, count + 1))


REQUESTS = [
    ("02 00 30 03 35", krcu, Request(0, 0, is_open=False)),  # sheet, and three public drivers
    ("02 05 31 03 3B", krcu, Request(0, 6, is_open=True)),  # sheet, and two public drivers
    ("02 00 31 03 36", krcu, Request(0, 1, is_open=True)),  # two public drivers
    ("02 90 30 03 C5", krcu, Request(9, 0, is_open=False)),  # layout
    ("02 9F 31 03 D5", krcu, Request(9, 16, is_open=True)),  # layout
    ("02 00 00 60 03 65", cu48, Request(0, 0, is_open=False)),  # two public drivers
    ("02 00 05 61 03 6B", cu48, Request(0, 6, is_open=True)),  # one
    ("02 01 00 61 03 67", cu48, Request(1, 1, is_open=True)),  # one
    ("90 06 12 01 05 03", winnsen, Request(1, 5, is_open=False)),  # layout
    ("90 06 05 01 05 03", winnsen, Request(1, 5, is_open=True)),  # layout
    ("57 4B 4C 59 08 00 84 85", wkly, Request(0, 0, is_open=False)),  # one public driver
    ("57 4B 4C 59 09 00 82 05 87", wkly, Request(0, 5, is_open=True)),  # one
    ("57 4B 4C 59 09 00 82 01 83", wkly, Request(0, 1, is_open=True)),  # sheet, as three drivers quote it
]


@pytest.mark.parametrize(("frame", "codec", "request_"), REQUESTS, ids=[row[0] for row in REQUESTS])
def test_a_host_asks_in_the_published_words(frame: str, codec, request_: Request) -> None:
    raw = bytes.fromhex(frame)
    assert codec.decode_request(raw) == request_
    lock = [request_.lock] if request_.lock else []
    encode = codec.encode_open if request_.is_open else codec.encode_read
    assert encode(request_.board, *lock) == raw


FULL = bits(16, *range(1, 17))


@pytest.mark.parametrize(
    ("frame", "state"),
    [
        ("02 00 35 FF FF 01 00 03 39", krcu.State(0, FULL, bits(16, 1))),  # sheet
        ("02 00 35 FE 7F 00 80 03 37", krcu.State(0, bits(16, *range(2, 16)), bits(16, 16))),  # layout
    ],
)
def test_a_krcu_board_tells_of_hooks_and_items(frame: str, state: krcu.State) -> None:
    raw = bytes.fromhex(frame)
    assert krcu.decode_state(raw) == state
    assert krcu.encode_state(state) == raw


def test_a_cu48_tells_of_its_locks_in_the_layout_of_its_sources_code() -> None:
    raw = bytes.fromhex("02 00 00 75 FE FF FF FF FF 7F 03 F3")
    state = cu48.State(0, bits(48, *range(2, 48)))
    assert cu48.decode_state(raw) == state
    assert cu48.encode_state(state) == raw


def test_a_cu48_answers_a_pulse_with_its_lock() -> None:
    raw = bytes.fromhex("02 00 05 75 00 7C")
    assert cu48.decode_done(raw) == cu48.Done(0, 6)
    assert cu48.encode_done(cu48.Done(0, 6)) == raw


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("90 07 92 01 01 05 03", winnsen.State(1, 5, is_open=True)),
        ("90 07 92 01 00 01 03", winnsen.State(1, 1, is_open=False)),
        ("90 07 85 01 05 01 03", winnsen.Opened(1, 5, winnsen.Result.DONE)),
        ("90 07 85 01 05 00 03", winnsen.Opened(1, 5, winnsen.Result.FAILED)),
        ("90 07 85 01 05 02 03", winnsen.Opened(1, 5, winnsen.Result.COOLING)),
    ],
)
def test_a_winnsen_board_has_lock_and_state_the_other_way_round_in_a_state(frame: str, said) -> None:
    raw = bytes.fromhex(frame)
    assert winnsen.decode_reply(raw) == said
    encode = winnsen.encode_state if isinstance(said, winnsen.State) else winnsen.encode_opened
    assert encode(said) == raw


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        # the sheet's own example, as a public terminal program quotes it
        ("57 4B 4C 59 0B 00 82 00 01 00 81", wkly.Opened(0, 1, wkly.OPEN, is_done=True)),
        # a field log in another public driver
        ("57 4B 4C 59 0B 01 82 00 04 00 85", wkly.Opened(1, 4, wkly.OPEN, is_done=True)),
        # layout
        ("57 4B 4C 59 0B 00 82 FF 01 01 7F", wkly.Opened(0, 1, wkly.CLOSED, is_done=False)),
        ("57 4B 4C 59 0A 01 85 04 00 83", wkly.Moved(1, 4, wkly.OPEN)),
        ("57 4B 4C 59 0D 00 84 00 03 01 00 01 83", wkly.States(0, (1, 0, 1))),
    ],
)
def test_a_wkly_board_tells_of_states_pulses_and_changes(frame: str, said) -> None:
    raw = bytes.fromhex(frame)
    assert wkly.decode_reply(raw) == said
    assert wkly.encode_reply(said) == raw
