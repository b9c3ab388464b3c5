"""Frames of the KR-CU12 and KR-CU16 lock boards, pure, for both ends of the cable. 19200 8N1.

ADDR: the board (0-9) in its high half, a lock less one (0-15) in its low half. SUM: of all before, low byte.

    02 ADDR 30 03 SUM                  the state of a whole board     host → board
    02 ADDR 31 03 SUM                  open the lock of ADDR          host → board
    02 ADDR 35 h1 h2 i1 i2 03 SUM      the state of a whole board     board → host, for either

h: hooks 1-8 and 9-16, 1 = locked. i: infrared sensors 1-8 and 9-16, 1 = something there. Bit 0 = lowest.
The maker's sheet also has 32 and 33, state and opening of everything on the line, which are never used here.
"""

import msgspec

from device_drivers.errors import BadFrame
from device_drivers.lock_board import Request

LOCKS_MAX = 16
BOARD_MAX = 9
REQUEST_BYTES = 5
STATE_BYTES = 9
HEAD = 0x02
_END = 0x03
_READ = 0x30
_OPEN = 0x31
STATE = 0x35


class State(msgspec.Struct, frozen=True):
    """A whole board: bit n of each is lock or sensor n+1."""

    board: int
    locked: tuple[bool, ...]
    sensed: tuple[bool, ...]


def encode_read(board: int) -> bytes:
    return sealed(board << 4, _READ, _END)


def encode_open(board: int, lock: int) -> bytes:
    """The unlocking pulse for lock 1 to 16. Not idempotent in law: it is never sent twice."""
    return sealed(board << 4 | lock - 1, _OPEN, _END)


def encode_state(state: State, lock: int = 1) -> bytes:
    """A board's word on all of it; those beyond its locks and sensors are sent as 0."""
    return sealed(
        state.board << 4 | lock - 1, STATE, *to_bytes(state.locked, 2), *to_bytes(state.sensed, 2), _END
    )


def decode_request(frame: bytes) -> Request:
    """A host's five bytes. Raises BadFrame."""
    check(frame, REQUEST_BYTES)
    _, address, command, end, _ = frame
    if command not in (_READ, _OPEN) or end != _END:
        raise BadFrame(f"no request: {frame.hex(' ')}")
    is_open = command == _OPEN
    return Request(address >> 4, (address & 0x0F) + 1 if is_open else 0, is_open)


def decode_state(frame: bytes) -> State:
    """A board's nine bytes. Raises BadFrame."""
    check(frame, STATE_BYTES)
    if frame[2] != STATE or frame[7] != _END:
        raise BadFrame(f"no state: {frame.hex(' ')}")
    return State(frame[1] >> 4, to_bits(frame[3:5]), to_bits(frame[5:7]))


def check(frame: bytes, length: int) -> None:
    """Raises BadFrame where length, head or sum is wrong."""
    if len(frame) != length:
        raise BadFrame(f"{len(frame)} bytes where {length} make a frame")
    if frame[0] != HEAD or sum(frame[:-1]) & 0xFF != frame[-1]:
        raise BadFrame(f"head or sum does not fit: {frame.hex(' ')}")


def sealed(*content: int) -> bytes:
    """A frame of this content: head before, sum behind."""
    frame = bytes([HEAD, *content])
    return frame + bytes([sum(frame) & 0xFF])


def to_bytes(bits: tuple[bool, ...], count: int) -> bytes:
    """Bits as so many bytes, the lowest numbers first."""
    return sum(1 << n for n, bit in enumerate(bits[: 8 * count]) if bit).to_bytes(count, "little")


def to_bits(data: bytes) -> tuple[bool, ...]:
    """The other way."""
    value = int.from_bytes(data, "little")
    return tuple(bool(value >> n & 1) for n in range(8 * len(data)))
