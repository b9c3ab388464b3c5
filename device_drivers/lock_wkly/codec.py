"""Frames of the lock boards that begin with WKLY, pure, for both ends of the cable. 9600 8N1, 12 to 24 locks.

len: of the whole frame. bb: the board (0-31). X: XOR of all before. state: 0 open, 1 closed.

    57 4B 4C 59 08 bb 84 X                    the state of all         host → board
    57 4B 4C 59 09 bb 82 ll X                 open lock ll             host → board
    57 4B 4C 59 len bb 84 res n s1 … sn X     res 00 done, FF failed   board → host
    57 4B 4C 59 0B bb 82 res ll state X       what came of a pulse     board → host
    57 4B 4C 59 0A bb 85 ll state X           a lock moved, unasked    board → host

The sheet also has 80, 86, 87 (several at once, all, several in turn) and 88, 89 (hold, release): not used.
"""

import msgspec

from device_drivers.errors import BadFrame
from device_drivers.lock_board import Request, xor

LOCKS_MAX = 24
BOARD_MAX = 31
MAGIC = b"WKLY"
LENGTH_AT = len(MAGIC)
OVERHEAD_BYTES = LENGTH_AT + 4
READ_BYTES = OVERHEAD_BYTES
OPEN_BYTES = OVERHEAD_BYTES + 1
NOTICE_BYTES = OVERHEAD_BYTES + 2
OPENED_BYTES = OVERHEAD_BYTES + 3
STATES_MAX_BYTES = OVERHEAD_BYTES + 2 + LOCKS_MAX
_DONE = 0x00
_FAILED = 0xFF
_OPEN = 0x82
_READ = 0x84
_NOTICE = 0x85
CLOSED = 1
OPEN = 0


class States(msgspec.Struct, frozen=True):
    """`states[n]` is lock n+1: OPEN, CLOSED, or what the board says where it does not know."""

    board: int
    states: tuple[int, ...]
    is_done: bool = True


class Opened(msgspec.Struct, frozen=True):
    """What came of a pulse: whether the board gave it, and the lock's state just then."""

    board: int
    lock: int
    state: int
    is_done: bool


class Moved(msgspec.Struct, frozen=True):
    """A board tells unasked that a lock moved."""

    board: int
    lock: int
    state: int


def encode_read(board: int) -> bytes:
    return _sealed(board, _READ)


def encode_open(board: int, lock: int) -> bytes:
    """The unlocking pulse. Not idempotent in law: it is never sent twice."""
    return _sealed(board, _OPEN, lock)


def encode_reply(said: States | Opened | Moved) -> bytes:
    """A board's word."""
    if isinstance(said, Moved):
        return _sealed(said.board, _NOTICE, said.lock, said.state)
    result = _DONE if said.is_done else _FAILED
    if isinstance(said, Opened):
        return _sealed(said.board, _OPEN, result, said.lock, said.state)
    return _sealed(said.board, _READ, result, len(said.states), *said.states)


def frame_length(received: bytes) -> int | None:
    """Length of the frame that `received` begins; None before it says. Raises BadFrame."""
    if not MAGIC.startswith(received[:LENGTH_AT]):
        raise BadFrame(f"no frame begins with {received[:LENGTH_AT].hex(' ')}")
    if len(received) <= LENGTH_AT:
        return None
    length = received[LENGTH_AT]
    if not OVERHEAD_BYTES <= length <= STATES_MAX_BYTES:
        raise BadFrame(f"no frame has {length} bytes")
    return length


def decode_request(frame: bytes) -> Request:
    """A host's frame. Raises BadFrame."""
    board, command, data = _content(frame)
    if (command, len(data)) == (_READ, 0):
        return Request(board, 0, is_open=False)
    if (command, len(data)) == (_OPEN, 1) and 1 <= data[0] <= LOCKS_MAX:
        return Request(board, data[0], is_open=True)
    raise BadFrame(f"no request: {frame.hex(' ')}")


def decode_reply(frame: bytes) -> States | Opened | Moved:
    """A board's frame. Raises BadFrame."""
    board, command, data = _content(frame)
    if (command, len(data)) == (_NOTICE, 2):
        return Moved(board, *data)
    is_done = data[:1] == bytes([_DONE])
    if is_done or data[:1] == bytes([_FAILED]):
        if (command, len(data)) == (_OPEN, 3):
            return Opened(board, data[1], data[2], is_done)
        if command == _READ and len(data) >= 2 and len(data) == 2 + data[1]:
            return States(board, tuple(data[2:]), is_done)
    raise BadFrame(f"no reply: {frame.hex(' ')}")


def _content(frame: bytes) -> tuple[int, int, bytes]:
    """Board, command and data of a sound frame."""
    if frame_length(frame) != len(frame) or xor(frame[:-1]) != frame[-1]:
        raise BadFrame(f"length or XOR does not fit: {frame.hex(' ')}")
    return frame[5], frame[6], frame[7:-1]


def _sealed(board: int, command: int, *data: int) -> bytes:
    frame = MAGIC + bytes([OVERHEAD_BYTES + len(data), board, command, *data])
    return frame + bytes([xor(frame)])
