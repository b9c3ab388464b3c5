"""Lock boards at the far end: what a technician's hand does to them, and how each family tells of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.errors import UnknownAct
from simulators.locks.board import LockBoard, Said
from simulators.locks.lock_8a import Line8a
from simulators.plant import Plant
from tests.support.lock_bench import BOARD, FAMILIES, ITEMS, LOCKS, driver_of, line_of


class Cabinet:
    """A board of one family with twelve locks, at rest."""

    def __init__(self, family: str = "8a") -> None:
        self.plant = Plant(LOCKS + ITEMS)
        self.board = LockBoard(LOCKS, self.plant, self.open, items=ITEMS if family == "krcu" else [])
        self.line = line_of(family, {BOARD: self.board})
        driver = driver_of(family)
        self.ask = driver.encode(driver.reads()[0])

    def open(self, point: str) -> None:
        self.plant.change(point, "open", 0, 0)

    def hear(self, frame: bytes) -> list[bytes]:
        replies, used = self.line.hear(frame, 0.0)
        assert used == len(frame)
        assert all(reply.unit == BOARD and reply.request == frame for reply in replies)
        return [reply.frame for reply in replies]

    def opened(self) -> list[str]:
        return [lock for lock in LOCKS if self.plant.value(lock) == "open"]


@pytest.mark.parametrize(
    ("act", "said", "is_opened"),
    [
        ("", Said.OPENED, True),
        ("answer no pulse", Said.NOTHING, True),
        ("cool down", Said.COOLING, False),
        ("jam lock:2", Said.OPENED, False),
        ("fail lock:2", Said.FAILED, False),
        ("jam lock:3", Said.OPENED, True),
    ],
)
def test_what_a_board_says_and_what_it_does_are_two_things(act: str, said: Said, is_opened: bool) -> None:
    cabinet = Cabinet()
    if act:
        cabinet.line.act(BOARD, act)
    assert cabinet.board.pulse(2) is said
    assert cabinet.opened() == ([LOCKS[1]] if is_opened else [])


def test_a_key_opens_a_lock_and_the_board_says_nothing_of_it() -> None:
    cabinet = Cabinet()
    cabinet.line.act(BOARD, "key lock:5")
    assert cabinet.opened() == [LOCKS[4]]


def test_restore_ends_what_was_begun() -> None:
    cabinet = Cabinet()
    for act in ("cool down", "answer no pulse", "fail lock:2", "hang after pulses", "restore"):
        cabinet.line.act(BOARD, act)
    assert cabinet.board.pulse(2) is Said.OPENED
    assert cabinet.board.hears()


@pytest.mark.parametrize("act", ["melt", "jam lock:13", "jam lock:0", "key", ""])
def test_an_act_that_is_none_is_refused(act: str) -> None:
    with pytest.raises(UnknownAct):
        Cabinet().line.act(BOARD, act)


def test_only_families_with_such_a_frame_can_be_made_to_tell_changes() -> None:
    can = {family for family in FAMILIES if "tell changes" in Cabinet(family).line.acts()[BOARD]}
    assert can == {"8a", "8a short when open", "wkly"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_board_that_hangs_after_a_pulse_misses_one_request(family: str) -> None:
    cabinet = Cabinet(family)
    cabinet.line.act(BOARD, "hang after pulses")
    cabinet.board.pulse(1)
    assert cabinet.hear(cabinet.ask) == []
    assert len(cabinet.hear(cabinet.ask)) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_requests_are_found_behind_noise_and_a_beginning_is_kept(family: str) -> None:
    cabinet = Cabinet(family)
    heard = b"\x00\xff" + 2 * cabinet.ask + cabinet.ask[:-1]
    replies, used = cabinet.line.hear(heard, 0.0)
    assert len(replies) == 2
    assert used == 2 + 2 * len(cabinet.ask)


@pytest.mark.parametrize("family", FAMILIES)
def test_another_boards_number_gets_no_answer(family: str) -> None:
    other = driver_of(family, BOARD + 1)
    assert Cabinet(family).line.hear(other.encode(other.reads()[0]), 0.0)[0] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_frame_can_be_put_into_words(family: str) -> None:
    cabinet = Cabinet(family)
    (reply,) = cabinet.hear(cabinet.ask)
    assert cabinet.line.describe(cabinet.ask).startswith("board 1: state of ")
    assert cabinet.line.describe(reply).startswith("board 1: ")
    assert cabinet.line.describe(b"\x12").startswith("no frame")


@given(st.sampled_from(FAMILIES), st.binary(max_size=64))
def test_garbage_opens_nothing_is_used_up_and_can_be_described(family: str, garbage: bytes) -> None:
    cabinet = Cabinet(family)
    replies, used = cabinet.line.hear(garbage, 0.0)
    assert used <= len(garbage)
    cabinet.line.describe(garbage)
    assert replies or cabinet.opened() == []


def test_8a_boards_of_locks_and_of_item_sensors_answer_as_wired() -> None:
    cabinet = Cabinet()
    items = LockBoard([], cabinet.plant, cabinet.open, items=ITEMS)
    line = Line8a({1: cabinet.board, 2: items})

    def ask(frame: str) -> str:
        ((reply,), _) = line.hear(bytes.fromhex(frame), 0.0)
        return reply.frame.hex()

    assert ask("80010033b2") == "8001000fff3342"
    cabinet.plant.change(LOCKS[0], "open", 0, 0)
    assert ask("80010033b2") == "8001000ffe3343"
    assert ask("80010133b3") == "8001010080"
    assert ask("8a02011198") == "8a02011198"
    cabinet.plant.change(ITEMS[2], "absent", 0, 0)
    assert ask("80020033b1") == "8002000ffb3345"
    assert ask("8a0100119a") == "8a0100008b"
    assert len(cabinet.opened()) == 12
