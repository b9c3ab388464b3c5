"""Driver `lock_8a`: all locks, or all item sensors, of one 8A board in one read.

The family's frames know no item sensors. Installers wire them to the feedback inputs of a second board, so a
cabinet is two devices on one line: one whose points are locks, one whose points are items.
"""

from typing import Literal

import msgspec

from device_drivers.driver import Answer, Observation, Read
from device_drivers.errors import BadFrame, UnaskedFrame, WrongUnit
from device_drivers.lock_8a import codec


class Lock8aOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the board's inputs are wired.

    `short_when_locked`: the lock closes its feedback contact when locked, so that a cut wire reads as open.
    An item sensor closes it when it sees an item; a point that is wired otherwise is inverted.
    """

    short_when_locked: bool = True


class Lock8a:
    """One board. Holds no state."""

    kind = "lock_8a"

    def __init__(self, board: int, options: Lock8aOptions, channel: Literal["lock", "item"] = "lock") -> None:
        self._board = board
        self._active_when_short = channel == "item" or not options.short_when_locked
        self._channels = tuple(f"{channel}:{n}" for n in range(1, codec.LOCKS_MAX + 1))
        self._request = codec.encode_read(board)
        self._read = Read(
            name=f"{channel}s",
            unit=board,
            channels=self._channels,
            request_bytes=len(self._request),
            reply_bytes=codec.ALL_LOCKS_BYTES,
        )

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def encode(self, read: Read) -> bytes:  # noqa: ARG002 - there is one read
        return self._request

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - there is one read
        if not received:
            return None
        if received[0] == codec.NOTICE_HEAD:
            return codec.ONE_LOCK_BYTES
        if received[0] == codec.STATUS_HEAD:
            return codec.ALL_LOCKS_BYTES
        raise BadFrame(f"no status begins with {received[:2].hex(' ')}")

    def decode(self, read: Read, reply: bytes) -> Answer:  # noqa: ARG002 - there is one read
        if reply.startswith(bytes([codec.NOTICE_HEAD])):
            notice = codec.decode_one(reply)
            raise UnaskedFrame(f"notice of board {notice.board}, lock {notice.first_lock}")
        status = codec.decode_all(reply)
        if status.board != self._board:
            raise WrongUnit(status.board)
        return [
            Observation(channel, is_short is self._active_when_short)
            for channel, is_short in zip(self._channels, status.shorted, strict=True)
        ]
