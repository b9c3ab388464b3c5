"""Frames of the CU48 lock board (48 locks), pure, for both ends of the cable. 19200 8N1, SUM as KR-CU16.

    02 dev 00 60 03 SUM                    the state of all           host → board
    02 dev lock 61 03 SUM                  open a lock (0-47)         host → board
    02 dev 00 75 s1 s2 s3 s4 s5 s6 03 SUM  1 = closed, bit 0 of s1 = lock 0     board → host
    02 dev lock 75 00 SUM                  the pulse was given        board → host

One source only, and it contradicts itself on the state: its text puts a length byte before s1, its code
reads none. What is accepted is the code's, with 03 where every other frame has it: check the first board.
"""

import msgspec

from device_drivers.errors import BadFrame
from device_drivers.lock_board import Request
from device_drivers.lock_krcu.codec import check, sealed, to_bits, to_bytes

LOCKS = 48
BOARD_MAX = 0xFF
REQUEST_BYTES = 6
STATE_BYTES = 12
DONE_BYTES = 6
_END = 0x03
_READ = 0x60
_OPEN = 0x61
REPLY = 0x75


class State(msgspec.Struct, frozen=True):
    """`closed[n]` is lock n+1."""

    board: int
    closed: tuple[bool, ...]


class Done(msgspec.Struct, frozen=True):
    """A board says that it gave the pulse for this lock, from 1."""

    board: int
    lock: int


def encode_read(board: int) -> bytes:
    return sealed(board, 0, _READ, _END)


def encode_open(board: int, lock: int) -> bytes:
    """The unlocking pulse for lock 1 to 48. Not idempotent in law: it is never sent twice."""
    return sealed(board, lock - 1, _OPEN, _END)


def encode_state(state: State) -> bytes:
    return sealed(state.board, 0, REPLY, *to_bytes(state.closed, STATE_BYTES - 6), _END)


def encode_done(done: Done) -> bytes:
    return sealed(done.board, done.lock - 1, REPLY, 0)


def decode_request(frame: bytes) -> Request:
    """A host's six bytes. Raises BadFrame."""
    check(frame, REQUEST_BYTES)
    _, board, lock, command, end, _ = frame
    if command not in (_READ, _OPEN) or end != _END or lock >= LOCKS:
        raise BadFrame(f"no request: {frame.hex(' ')}")
    is_open = command == _OPEN
    return Request(board, lock + 1 if is_open else 0, is_open)


def decode_state(frame: bytes) -> State:
    """The reply to "state of all". Raises BadFrame."""
    check(frame, STATE_BYTES)
    if (frame[2], frame[3], frame[10]) != (0, REPLY, _END):
        raise BadFrame(f"no state: {frame.hex(' ')}")
    return State(frame[1], to_bits(frame[4:10]))


def decode_done(frame: bytes) -> Done:
    """The reply to "open". Raises BadFrame."""
    check(frame, DONE_BYTES)
    if frame[3] != REPLY or frame[2] >= LOCKS:
        raise BadFrame(f"no reply to open: {frame.hex(' ')}")
    return Done(frame[1], frame[2] + 1)
