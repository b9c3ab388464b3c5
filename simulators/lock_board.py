"""Lock boards of the 8A family on one line: one drives the locks, one has the item sensors on its inputs.

Feedback is wired as installers do it: a lock closes its contact when locked, a sensor on an item. The
reply to "open" is then 00, opened, or the very command, not opened.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from device_drivers.errors import BadFrame
from device_drivers.lock_8a import codec
from device_drivers.lock_board import Request
from simulators.plant import Plant
from simulators.pty_line import PtyLine


class LockBoard:
    """Channel n (from 1) is `points[n - 1]`; its contact is short while the point has `short_value`.

    `open_lock` gets the point whose lock takes its pulse.
    """

    def __init__(
        self, points: Sequence[str], plant: Plant, short_value: str, open_lock: Callable[[str], None]
    ) -> None:
        self._points = points
        self._plant = plant
        self._short_value = short_value
        self._open_lock = open_lock

    def answer(self, request: Request) -> bytes:
        """The reply to a request to this board; nothing where it has no such lock."""
        if request.lock > len(self._points):
            return b""
        asked = self._points if request.lock == codec.ALL_LOCKS else [self._points[request.lock - 1]]
        if request.is_open:
            for point in asked:
                self._open_lock(point)
            is_short = any(self._is_short(point) for point in asked)
            return codec.encode_one(request.board, request.lock, is_short=is_short, head=codec.COMMAND_HEAD)
        if request.lock == codec.ALL_LOCKS:
            return codec.encode_all(request.board, tuple(self._is_short(point) for point in asked))
        return codec.encode_one(request.board, request.lock, is_short=self._is_short(asked[0]))

    def _is_short(self, point: str) -> bool:
        return self._plant.value(point) == self._short_value


class LockLine:
    """The line at `path` with its boards by number. Offline none of them answers."""

    def __init__(self, boards: Mapping[int, LockBoard], path: Path) -> None:
        self._boards = boards
        self._line = PtyLine(path, self._take)
        self.address = str(path)
        self._is_online = False

    async def start(self) -> None:
        """Open the line. Raises PortBusy."""
        self._line.open()
        self._is_online = True

    async def stop(self) -> None:
        self._line.close()

    async def set_online(self, *, online: bool) -> None:
        self._is_online = online

    def _take(self, received: bytes) -> int:
        requests, used = split_requests(received)
        for request in requests:
            board = self._boards.get(request.board)
            if board and self._is_online:
                self._line.send(board.answer(request))
        return used


def split_requests(received: bytes) -> tuple[list[Request], int]:
    """The sound requests in what was received, and the bytes that are done with. Noise is dropped."""
    requests = []
    used = 0
    while len(received) - used >= codec.ONE_LOCK_BYTES:
        try:
            requests.append(codec.decode_request(received[used : used + codec.ONE_LOCK_BYTES]))
            used += codec.ONE_LOCK_BYTES
        except BadFrame:
            used += 1
    return requests, used
