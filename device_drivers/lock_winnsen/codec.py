"""Frames of the Winnsen lock boards, pure, for both ends of the cable. 9600 8N1, 16 locks a board. No check.

    90 06 12 st lk 03          the state of a lock (lk 1-16)   host → board
    90 06 05 st lk 03          open a lock                     host → board
    90 07 92 st state lk 03    state 1 = open, 0 = closed      board → host
    90 07 85 st lk res 03      res 01 done, 00 failed, 02 too soon after the last pulse   board → host

State and lock stand in the other order in the state's reply: a board's firmware says so, its sheet does not.
"""

from enum import IntEnum

import msgspec

from device_drivers.errors import BadFrame
from device_drivers.lock_board import Request

LOCKS = 16
STATION_MAX = 31
REQUEST_BYTES = 6
REPLY_BYTES = 7
HEAD = 0x90
_END = 0x03
_READ = 0x12
_OPEN = 0x05
STATE = 0x92
RESULT = 0x85


class Result(IntEnum):
    """What a board says of a pulse."""

    FAILED = 0
    DONE = 1
    COOLING = 2


class State(msgspec.Struct, frozen=True):
    """One lock, from 1, of a station."""

    station: int
    lock: int
    is_open: bool


class Opened(msgspec.Struct, frozen=True):
    """What came of the pulse for a lock."""

    station: int
    lock: int
    result: Result


def encode_read(station: int, lock: int) -> bytes:
    return bytes([HEAD, REQUEST_BYTES, _READ, station, lock, _END])


def encode_open(station: int, lock: int) -> bytes:
    """The unlocking pulse. Not idempotent in law: it is never sent twice."""
    return bytes([HEAD, REQUEST_BYTES, _OPEN, station, lock, _END])


def encode_state(state: State) -> bytes:
    return bytes([HEAD, REPLY_BYTES, STATE, state.station, state.is_open, state.lock, _END])


def encode_opened(opened: Opened) -> bytes:
    return bytes([HEAD, REPLY_BYTES, RESULT, opened.station, opened.lock, opened.result, _END])


def decode_request(frame: bytes) -> Request:
    """A host's six bytes. Raises BadFrame."""
    _check(frame, REQUEST_BYTES)
    _, _, function, station, lock, _ = frame
    if function not in (_READ, _OPEN):
        raise BadFrame(f"no request: {frame.hex(' ')}")
    _check_lock(lock, frame)
    return Request(station, lock, is_open=function == _OPEN)


def decode_reply(frame: bytes) -> State | Opened:
    """A board's seven bytes. Raises BadFrame."""
    _check(frame, REPLY_BYTES)
    _, _, function, station, first, second, _ = frame
    if function == STATE and first in (0, 1):
        _check_lock(second, frame)
        return State(station, second, is_open=first == 1)
    if function == RESULT and second in tuple(Result):
        _check_lock(first, frame)
        return Opened(station, first, Result(second))
    raise BadFrame(f"no reply: {frame.hex(' ')}")


def _check(frame: bytes, length: int) -> None:
    if len(frame) != length:
        raise BadFrame(f"{len(frame)} bytes where {length} make a frame")
    if (frame[0], frame[1], frame[-1]) != (HEAD, length, _END):
        raise BadFrame(f"head, length or end does not fit: {frame.hex(' ')}")


def _check_lock(lock: int, frame: bytes) -> None:
    if not 1 <= lock <= LOCKS:
        raise BadFrame(f"lock {lock}: {frame.hex(' ')}")
