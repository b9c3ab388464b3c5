"""Boards of the WKLY family."""

from device_drivers.lock_board import Request
from device_drivers.lock_wkly import codec
from simulators.locks.board import LockBoard, Said
from simulators.locks.line import LockLine, listed


class WklyLine(LockLine):
    """Boards 0 to 31."""

    has_notices = True

    def request_length(self, received: bytes) -> int | None:
        return codec.frame_length(received)

    def decode_request(self, frame: bytes) -> Request:
        return codec.decode_request(frame)

    def encode_said(self, board: LockBoard, request: Request, said: Said) -> bytes:
        state = _state(is_closed=board.closed()[request.lock - 1])
        return codec.encode_reply(codec.Opened(request.board, request.lock, state, said is Said.OPENED))

    def encode_state(self, board: LockBoard, request: Request) -> bytes:
        states = tuple(_state(is_closed=is_closed) for is_closed in board.closed())
        return codec.encode_reply(codec.States(request.board, states))

    def encode_notice(self, board: LockBoard, number: int, lock: int) -> bytes:
        return codec.encode_reply(codec.Moved(number, lock, _state(is_closed=board.closed()[lock - 1])))

    def describe_reply(self, frame: bytes) -> str:
        said = codec.decode_reply(frame)
        if isinstance(said, codec.States):
            opened = tuple(state == codec.OPEN for state in said.states)
            return f"board {said.board}: {listed(opened, 'open')} of {len(opened)}"
        state = {codec.OPEN: "open", codec.CLOSED: "closed"}.get(said.state, f"{said.state:02x}")
        if isinstance(said, codec.Moved):
            return f"board {said.board}: lock {said.lock} is {state}, told unasked"
        result = "done" if said.is_done else "failed"
        return f"board {said.board}: opening lock {said.lock} {result}, it is {state}"


def _state(*, is_closed: bool) -> int:
    return codec.CLOSED if is_closed else codec.OPEN
