"""A transport that plays a capture: to each request what came then, in the order in which it came.

It knows no time: what took a timeout then is answered at once with NoReply. A request that the capture does
not have, or no longer, is met with silence.
"""

from collections import defaultdict, deque
from collections.abc import Iterable

from device_drivers.capture_file import Frame
from device_drivers.errors import LinkDown, NoReply
from device_drivers.transport.base import ReplyLength, no_reply_text


class Replay:
    """One captured line."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._answers: dict[bytes, deque[Frame]] = defaultdict(deque)
        for frame in frames:
            self._answers[bytes.fromhex(frame.sent)].append(frame)
        self._is_open = False

    @property
    def name(self) -> str:
        return "replay"

    @property
    def left(self) -> int:
        """Exchanges that nobody has asked for yet."""
        return sum(len(frames) for frames in self._answers.values())

    async def open(self) -> None:
        self._is_open = True

    async def close(self) -> None:
        self._is_open = False

    async def exchange(self, frame: bytes, reply_length: ReplyLength, timeout_s: float) -> bytes:
        if not self._is_open:
            raise LinkDown("not open")
        answers = self._answers.get(frame)
        if not answers:
            raise NoReply(no_reply_text(b"", timeout_s))
        answer = answers.popleft()
        if answer.error == LinkDown.code:
            raise LinkDown("down when it was captured")
        received = bytes.fromhex(answer.received)
        length = reply_length(received)
        if length is None or len(received) < length:
            raise NoReply(no_reply_text(received, timeout_s), received)
        return received[:length]

    async def drain(self, quiet_s: float) -> int:  # noqa: ARG002 - nothing old can come
        return 0
