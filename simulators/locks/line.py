"""All lock boards of one cable, whatever family: requests found in what is heard, answers, acts."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from device_drivers.errors import BadFrame
from device_drivers.lock_board import Request
from simulators.errors import UnknownAct
from simulators.locks.board import TELL_CHANGES, LockBoard, Said
from simulators.wire import Reply


class LockLine(ABC):
    """A Responder. `boards` by the number that their switches are set to."""

    has_notices = False
    """Its boards can tell unasked of a lock that moved."""
    request_heads: tuple[int, ...] = ()
    request_bytes = 0
    """In a family whose requests all have one length."""

    def __init__(self, boards: Mapping[int, LockBoard]) -> None:
        self._boards = boards

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:  # noqa: ARG002 - needs no time
        """As Responder."""
        replies: list[Reply] = []
        used = 0
        while used < len(received):
            rest = received[used:]
            try:
                length = self.request_length(rest)
                if length is None or len(rest) < length:
                    break
                replies += self._answer(rest[:length])
                used += length
            except BadFrame:
                used += 1
        return replies, used

    def describe(self, frame: bytes) -> str:
        """As Responder."""
        try:
            request = self.decode_request(frame)
        except BadFrame:
            try:
                return self.describe_reply(frame)
            except BadFrame:
                return f"no frame of this family: {frame.hex(' ')}"
        asked = f"lock {request.lock}" if request.lock else "all locks"
        return f"board {request.board}: {'open' if request.is_open else 'state of'} {asked}"

    def acts(self) -> dict[int, tuple[str, ...]]:
        """As Responder."""
        hidden = set() if self.has_notices else {TELL_CHANGES}
        return {
            unit: tuple(act for act in board.acts if act not in hidden)
            for unit, board in self._boards.items()
        }

    def act(self, unit: int, act: str) -> None:
        """As Responder. Raises UnknownAct."""
        known = self.acts().get(unit, ())
        if act not in known:
            raise UnknownAct(f"{act}: unit {unit} can {', '.join(known) or 'nothing'}")
        self._boards[unit].act(act)

    def _answer(self, frame: bytes) -> list[Reply]:
        request = self.decode_request(frame)
        board = self._boards.get(request.board)
        if board is None or request.lock > len(board.locks or board.items) or not board.hears():
            return []
        if request.is_open:
            said = board.pulse(request.lock)
            answer = b"" if said is Said.NOTHING else self.encode_said(board, request, said)
        else:
            answer = self.encode_state(board, request)
        notices = [self.encode_notice(board, request.board, lock) for lock in board.moved()]
        return [Reply(request.board, frame, reply) for reply in (*notices, answer)]

    def request_length(self, received: bytes) -> int | None:
        """Length of the request that `received`, not empty, begins. Raises BadFrame."""
        if received[0] not in self.request_heads:
            raise BadFrame(f"no request begins with {received[:1].hex()}")
        return self.request_bytes

    @abstractmethod
    def decode_request(self, frame: bytes) -> Request:
        """Raises BadFrame."""

    @abstractmethod
    def encode_said(self, board: LockBoard, request: Request, said: Said) -> bytes:
        """A board's word on a pulse."""

    @abstractmethod
    def encode_state(self, board: LockBoard, request: Request) -> bytes:
        """A board's word on the state it was asked for."""

    def encode_notice(self, board: LockBoard, number: int, lock: int) -> bytes:
        """What board `number` says unasked of a lock that moved, in a family that `has_notices`."""
        raise NotImplementedError

    @abstractmethod
    def describe_reply(self, frame: bytes) -> str:
        """A board's frame in words. Raises BadFrame."""


def listed(locks: tuple[bool, ...], wanted: str) -> str:
    """The numbers of those that are true, in words."""
    numbers = ", ".join(str(n) for n, is_wanted in enumerate(locks, 1) if is_wanted)
    return f"{wanted} {numbers or 'none'}"
