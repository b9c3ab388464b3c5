"""Frames of the 8A lock boards, pure, for both ends of the cable. 9600 8N1, X = XOR of all before.

    8A bb ll 11 X            open lock ll (01…18 hex, 00 = all)      host → board
    8A bb ll ss X            what came of it                         board → host
    80 bb ll 33 X            read one lock                           host → board
    80 bb ll ss X            its state                               board → host
    80 bb 00 33 X            read all                                host → board
    80 bb s3 s2 s1 33 X      s3 = locks 17-24 … s1 = 1-8, bit 0 = lowest number
    81 bb ll ss X            a lock's state, sent unasked by some boards

ss is 11 while the lock's feedback contact is short, 00 while it is open; what that says of the lock
depends on how the lock is wired. One of the two replies to "open" is the very command, byte for byte:
neither a reply to "open" nor an echo proves anything, only a status read does.
Byte order and polarity of "read all" rest on one source: check them at the first real board.
"""

import msgspec

from device_drivers.errors import BadFrame
from device_drivers.lock_board import Request, xor

LOCKS_MAX = 24
BOARD_MAX = 0x63
ALL_LOCKS = 0
_SHORT = 0x11
_OPEN_CIRCUIT = 0x00
STATUS_HEAD = 0x80
NOTICE_HEAD = 0x81
COMMAND_HEAD = 0x8A
_OPEN = 0x11
_READ = 0x33
ONE_LOCK_BYTES = 5
ALL_LOCKS_BYTES = 7


class Status(msgspec.Struct, frozen=True):
    """Feedback contacts of a board: `shorted[n]` is lock `first_lock` + n. One entry but for "read all"."""

    board: int
    first_lock: int
    shorted: tuple[bool, ...]
    is_notice: bool = False


def encode_open(board: int, lock: int = ALL_LOCKS) -> bytes:
    """The unlocking pulse. Not idempotent in law: it is never sent twice."""
    return _sealed(COMMAND_HEAD, board, lock, _OPEN)


def encode_read(board: int, lock: int = ALL_LOCKS) -> bytes:
    return _sealed(STATUS_HEAD, board, lock, _READ)


def encode_one(board: int, lock: int, *, is_short: bool, head: int = STATUS_HEAD) -> bytes:
    """A board's word on one lock: status (80), notice (81) or the reply to "open" (8A)."""
    return _sealed(head, board, lock, _SHORT if is_short else _OPEN_CIRCUIT)


def encode_all(board: int, shorted: tuple[bool, ...]) -> bytes:
    """A board's word on all locks; those beyond `shorted` are sent as open circuit."""
    bits = sum(1 << n for n, is_short in enumerate(shorted[:LOCKS_MAX]) if is_short)
    return _sealed(STATUS_HEAD, board, *bits.to_bytes(3), _READ)


def decode_request(frame: bytes) -> Request:
    """A host's five bytes. Raises BadFrame."""
    _check(frame, ONE_LOCK_BYTES)
    head, board, lock, function, _ = frame
    if (head, function) == (COMMAND_HEAD, _OPEN):
        return Request(board, lock, is_open=True)
    if (head, function) == (STATUS_HEAD, _READ):
        return Request(board, lock, is_open=False)
    raise BadFrame(f"no request: {frame.hex(' ')}")


def decode_one(frame: bytes) -> Status:
    """A status of one lock, a notice, or the reply to "open". Raises BadFrame."""
    _check(frame, ONE_LOCK_BYTES)
    head, board, lock, state, _ = frame
    if head not in (STATUS_HEAD, NOTICE_HEAD, COMMAND_HEAD) or state not in (_SHORT, _OPEN_CIRCUIT):
        raise BadFrame(f"no status: {frame.hex(' ')}")
    if not 1 <= lock <= LOCKS_MAX:
        raise BadFrame(f"lock {lock}: {frame.hex(' ')}")
    return Status(board, lock, (state == _SHORT,), is_notice=head == NOTICE_HEAD)


def decode_all(frame: bytes) -> Status:
    """The reply to "read all". Raises BadFrame."""
    _check(frame, ALL_LOCKS_BYTES)
    if frame[0] != STATUS_HEAD or frame[5] != _READ:
        raise BadFrame(f"no status of all locks: {frame.hex(' ')}")
    bits = int.from_bytes(frame[2:5])
    return Status(frame[1], 1, tuple(bool(bits >> n & 1) for n in range(LOCKS_MAX)))


def _check(frame: bytes, length: int) -> None:
    if len(frame) != length:
        raise BadFrame(f"{len(frame)} bytes where {length} make a frame")
    if xor(frame[:-1]) != frame[-1]:
        raise BadFrame(f"XOR does not fit: {frame.hex(' ')}")


def _sealed(*content: int) -> bytes:
    frame = bytes(content)
    return frame + bytes([xor(frame)])
