"""Boards of the 8A family. A board whose inputs carry item sensors is one without locks.

Feedback is wired as the installer chose: `short_when_locked`, the usual way, the reply to "open" is 00 for
opened, and for not opened the very command. A sensor is short when it sees an item.
"""

from collections.abc import Mapping

from device_drivers.errors import BadFrame
from device_drivers.lock_8a import codec
from device_drivers.lock_board import Request
from simulators.locks.board import LockBoard, Said
from simulators.locks.line import LockLine, listed


class Line8a(LockLine):
    """Boards 1 to 99."""

    has_notices = True
    request_heads = (codec.STATUS_HEAD, codec.COMMAND_HEAD)
    request_bytes = codec.ONE_LOCK_BYTES

    def __init__(self, boards: Mapping[int, LockBoard], *, short_when_locked: bool = True) -> None:
        super().__init__(boards)
        self._short_when_locked = short_when_locked

    def decode_request(self, frame: bytes) -> Request:
        return codec.decode_request(frame)

    def encode_said(self, board: LockBoard, request: Request, said: Said) -> bytes:
        is_closed = said is not Said.OPENED
        is_short = is_closed is self._short_when_locked or not board.locks
        return codec.encode_one(request.board, request.lock, is_short=is_short, head=codec.COMMAND_HEAD)

    def encode_state(self, board: LockBoard, request: Request) -> bytes:
        shorted = self._shorted(board)
        if request.lock == codec.ALL_LOCKS:
            return codec.encode_all(request.board, shorted)
        return codec.encode_one(request.board, request.lock, is_short=shorted[request.lock - 1])

    def encode_notice(self, board: LockBoard, number: int, lock: int) -> bytes:
        return codec.encode_one(number, lock, is_short=self._shorted(board)[lock - 1], head=codec.NOTICE_HEAD)

    def describe_reply(self, frame: bytes) -> str:
        try:
            status = codec.decode_all(frame)
        except BadFrame:
            status = codec.decode_one(frame)
        else:
            return f"board {status.board}: {listed(status.shorted, 'short')}"
        what = "opening gave" if frame[0] == codec.COMMAND_HEAD else "is"
        unasked = ", told unasked" if status.is_notice else ""
        contact = "short" if status.shorted[0] else "open circuit"
        return f"board {status.board}: lock {status.first_lock} {what} {contact}{unasked}"

    def _shorted(self, board: LockBoard) -> tuple[bool, ...]:
        if not board.locks:
            return board.seen()
        return tuple(is_closed is self._short_when_locked for is_closed in board.closed())
