"""Winnsen boards, a station each."""

from device_drivers.lock_board import Request
from device_drivers.lock_winnsen import codec
from simulators.locks.board import LockBoard, Said
from simulators.locks.line import LockLine

_RESULTS = {
    Said.OPENED: codec.Result.DONE,
    Said.FAILED: codec.Result.FAILED,
    Said.COOLING: codec.Result.COOLING,
}


class WinnsenLine(LockLine):
    """Stations 0 to 31."""

    request_heads = (codec.HEAD,)
    request_bytes = codec.REQUEST_BYTES

    def decode_request(self, frame: bytes) -> Request:
        return codec.decode_request(frame)

    def encode_said(self, board: LockBoard, request: Request, said: Said) -> bytes:  # noqa: ARG002
        return codec.encode_opened(codec.Opened(request.board, request.lock, _RESULTS[said]))

    def encode_state(self, board: LockBoard, request: Request) -> bytes:
        is_open = not board.closed()[request.lock - 1]
        return codec.encode_state(codec.State(request.board, request.lock, is_open))

    def describe_reply(self, frame: bytes) -> str:
        said = codec.decode_reply(frame)
        if isinstance(said, codec.State):
            return f"board {said.station}: lock {said.lock} is {'open' if said.is_open else 'closed'}"
        return f"board {said.station}: opening lock {said.lock} {said.result.name.lower()}"
