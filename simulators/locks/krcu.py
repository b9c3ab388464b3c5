"""Boards of the makes KR-CU12 and KR-CU16, and of the make CU48."""

from collections.abc import Mapping

from device_drivers.errors import BadFrame
from device_drivers.lock_board import Request
from device_drivers.lock_krcu import codec, cu48_codec
from simulators.locks.board import LockBoard, Said
from simulators.locks.line import LockLine, listed


class KrcuLine(LockLine):
    """Boards 0 to 9. A pulse that was given is answered with the board's state, whatever came of it."""

    request_heads = (codec.HEAD,)
    request_bytes = codec.REQUEST_BYTES

    def __init__(self, boards: Mapping[int, LockBoard], *, item_when_set: bool = True) -> None:
        super().__init__(boards)
        self._item_when_set = item_when_set

    def decode_request(self, frame: bytes) -> Request:
        return codec.decode_request(frame)

    def encode_said(self, board: LockBoard, request: Request, said: Said) -> bytes:  # noqa: ARG002 - the same
        return self.encode_state(board, request)

    def encode_state(self, board: LockBoard, request: Request) -> bytes:
        sensed = tuple(is_seen is self._item_when_set for is_seen in board.seen())
        return codec.encode_state(codec.State(request.board, board.closed(), sensed), request.lock or 1)

    def describe_reply(self, frame: bytes) -> str:
        state = codec.decode_state(frame)
        return f"board {state.board}: {listed(state.locked, 'locked')}; {listed(state.sensed, 'infrared')}"


class Cu48Line(LockLine):
    """Boards 0 to 255."""

    request_heads = (codec.HEAD,)
    request_bytes = cu48_codec.REQUEST_BYTES

    def decode_request(self, frame: bytes) -> Request:
        return cu48_codec.decode_request(frame)

    def encode_said(self, board: LockBoard, request: Request, said: Said) -> bytes:  # noqa: ARG002 - the same
        return cu48_codec.encode_done(cu48_codec.Done(request.board, request.lock))

    def encode_state(self, board: LockBoard, request: Request) -> bytes:
        return cu48_codec.encode_state(cu48_codec.State(request.board, board.closed()))

    def describe_reply(self, frame: bytes) -> str:
        try:
            state = cu48_codec.decode_state(frame)
        except BadFrame:
            done = cu48_codec.decode_done(frame)
            return f"board {done.board}: lock {done.lock} had its pulse"
        return f"board {state.board}: {listed(state.closed, 'closed')}"
