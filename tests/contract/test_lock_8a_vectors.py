"""Frames of 8A lock boards as published: makers' sheets and one field log. A later codec still says these."""

import pytest

from device_drivers.lock_8a import codec

SHORT, OPEN = True, False


@pytest.mark.parametrize(
    ("frame", "board", "lock", "is_open"),
    [
        ("8A 01 01 11 9B", 1, 1, True),
        ("8A 01 00 11 9A", 1, 0, True),
        ("80 01 01 33 B3", 1, 1, False),
        ("80 01 00 33 B2", 1, 0, False),
    ],
)
def test_a_host_asks_in_the_published_words(frame: str, board: int, lock: int, is_open: bool) -> None:
    encode = codec.encode_open if is_open else codec.encode_read
    assert encode(board, lock) == bytes.fromhex(frame)
    assert codec.decode_request(bytes.fromhex(frame)) == codec.Request(board, lock, is_open)


@pytest.mark.parametrize(
    ("frame", "head", "lock", "state"),
    [
        ("81 01 01 00 81", codec.NOTICE_HEAD, 1, OPEN),
        ("81 01 01 11 90", codec.NOTICE_HEAD, 1, SHORT),
        ("80 01 01 00 80", codec.STATUS_HEAD, 1, OPEN),
        ("80 01 01 11 91", codec.STATUS_HEAD, 1, SHORT),
    ],
    ids=["notice of the field log, closed", "notice of the field log, open", "computed", "computed"],
)
def test_a_board_tells_of_one_lock(frame: str, head: int, lock: int, state: bool) -> None:
    raw = bytes.fromhex(frame)
    status = codec.Status(1, lock, (state,), is_notice=head == codec.NOTICE_HEAD)
    assert codec.decode_one(raw) == status
    assert codec.encode_one(1, lock, is_short=state, head=head) == raw


def test_one_reply_to_open_is_the_command_itself() -> None:
    short = codec.encode_one(1, 1, is_short=True, head=codec.COMMAND_HEAD)
    assert short == codec.encode_open(1, 1) == bytes.fromhex("8A 01 01 11 9B")
    assert codec.encode_one(1, 1, is_short=False, head=codec.COMMAND_HEAD).hex() == "8a0101008a"


@pytest.mark.parametrize(
    ("frame", "shorted"),
    [
        ("80 01 00 00 01 33 B3", {1}),
        ("80 01 00 00 80 33 32", {8}),
        ("80 01 00 01 00 33 B3", {9}),
        ("80 01 80 00 00 33 32", {24}),
        ("80 01 00 0F FF 33 42", set(range(1, 13))),
    ],
)
def test_a_board_tells_of_all_locks_the_last_byte_first(frame: str, shorted: set[int]) -> None:
    """Layout from the sheet; the frames and their checks are computed by hand from it."""
    raw = bytes.fromhex(frame)
    status = codec.decode_all(raw)
    assert {n + 1 for n, is_short in enumerate(status.shorted) if is_short} == shorted
    assert codec.encode_all(1, status.shorted) == raw
