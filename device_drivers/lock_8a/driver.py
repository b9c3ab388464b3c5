"""Driver `lock_8a`: all locks, or all item sensors, of one 8A board in one read.

The family's frames know no item sensors. Installers wire them to the feedback inputs of a second board, so a
cabinet is two devices on one line: one whose points are locks, one whose points are items.
"""

from typing import Literal

import msgspec

from device_drivers.driver import Answer, Command, Driver, Observation, Outcome, Read
from device_drivers.errors import BadFrame, UnaskedFrame, WrongReply, WrongUnit
from device_drivers.lock_8a import codec
from device_drivers.lock_board import COMMAND_GAP_S, lock_to_open, open_read, opened_lock
from device_drivers.site import SERIAL, PolledKind, Site, check_unit, typed_options

OPEN_WINDOW_MS = 200
"""Where the reply to "open" may be an echo, the true one comes within this if it comes at all."""


class Lock8aOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the board's inputs are wired.

    `short_when_locked`: the lock closes its feedback contact when locked, so that a cut wire reads as open.
    An item sensor closes it when it sees an item; a point that is wired otherwise is inverted.
    """

    short_when_locked: bool = True


class Lock8a:
    """One board. Holds no state."""

    kind = "lock_8a"
    command_gap_s = COMMAND_GAP_S

    def __init__(self, board: int, options: Lock8aOptions, channel: Literal["lock", "item"] = "lock") -> None:
        self._board = board
        self._locks = codec.LOCKS_MAX if channel == "lock" else 0
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

    def command(self, command: Command) -> Read:
        """The pulse for one lock. Raises DeviceRefused: for anything else."""
        lock = lock_to_open(command, self._locks)
        size = codec.ONE_LOCK_BYTES
        return open_read(self._board, lock, size, size, OPEN_WINDOW_MS)

    def encode(self, read: Read) -> bytes:
        lock = opened_lock(read)
        return self._request if lock is None else codec.encode_open(self._board, lock)

    def reply_length(self, read: Read, received: bytes) -> int | None:
        if not received:
            return None
        if received[0] == codec.STATUS_HEAD:
            return codec.ALL_LOCKS_BYTES
        if received[0] not in (codec.NOTICE_HEAD, codec.COMMAND_HEAD):
            raise BadFrame(f"no reply begins with {received[:2].hex(' ')}")
        if opened_lock(read) is not None and received.startswith(self.encode(read)):
            return None  # an echo or the reply: only what follows it in the window may tell
        return codec.ONE_LOCK_BYTES

    def decode(self, read: Read, reply: bytes) -> Answer:
        lock = opened_lock(read)
        if reply.startswith(bytes([codec.STATUS_HEAD])):
            status = codec.decode_all(reply)
            if status.board != self._board:
                raise WrongUnit(status.board)
            if lock is not None:
                raise WrongReply(f"a status, where what came of {read.name} was asked")
            return [
                Observation(channel, is_short is self._active_when_short)
                for channel, is_short in zip(self._channels, status.shorted, strict=True)
            ]
        status = codec.decode_one(reply[: codec.ONE_LOCK_BYTES])
        if status.is_notice or (status.board, status.first_lock) != (self._board, lock):
            raise UnaskedFrame(f"of board {status.board}, lock {status.first_lock}")
        return self._outcome(is_short=status.shorted[0])

    def _outcome(self, *, is_short: bool) -> Outcome:
        """What the reply to "open" says. "Short" is the command byte for byte, so nothing tells it from its
        own echo, whichever way the locks are wired.
        """
        if is_short:
            return Outcome.UNKNOWN
        return Outcome.REFUSED if self._active_when_short else Outcome.ACKNOWLEDGED


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    check_unit(site.unit, 1, codec.BOARD_MAX)
    is_items = any(channel.startswith("item:") for channel in site.channels)
    return Lock8a(
        site.unit, typed_options(site.options, Lock8aOptions), channel="item" if is_items else "lock"
    )


KIND = PolledKind(build, "8a", SERIAL, {"lock": ("lock",), "item": ("item",)}, can_probe=True)
