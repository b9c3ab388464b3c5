"""Driver `lock_krcu`: all hooks and item sensors of one KR-CU12 or KR-CU16, or all locks of one CU48."""

from typing import Literal

import msgspec

from device_drivers.driver import Answer, Command, Driver, Observation, Outcome, Read
from device_drivers.errors import BadFrame, WrongReply, WrongUnit
from device_drivers.lock_board import COMMAND_GAP_S, lock_to_open, open_read, opened_lock
from device_drivers.lock_krcu import codec, cu48_codec
from device_drivers.site import SERIAL, PolledKind, Site, check_unit, typed_options


class LockKrcuOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`board`: its make. `item_when_set`: its infrared sensors set their bit when they see an item."""

    board: Literal["cu12", "cu16", "cu48"] = "cu16"
    item_when_set: bool = True


class LockKrcu:
    """One KR-CU12 or KR-CU16. Holds no state."""

    kind = "lock_krcu"
    command_gap_s = COMMAND_GAP_S

    def __init__(self, board: int, options: LockKrcuOptions) -> None:
        self._board = board
        self._locks = 12 if options.board == "cu12" else codec.LOCKS_MAX
        self._item_when_set = options.item_when_set
        self._read = Read(
            name="board",
            unit=board,
            channels=tuple(f"{kind}:{n}" for kind in ("lock", "item") for n in range(1, self._locks + 1)),
            request_bytes=codec.REQUEST_BYTES,
            reply_bytes=codec.STATE_BYTES,
        )

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def command(self, command: Command) -> Read:
        """The pulse for one lock. Raises DeviceRefused: for anything else."""
        lock = lock_to_open(command, self._locks)
        return open_read(self._board, lock, codec.REQUEST_BYTES, codec.STATE_BYTES)

    def encode(self, read: Read) -> bytes:
        lock = opened_lock(read)
        return codec.encode_read(self._board) if lock is None else codec.encode_open(self._board, lock)

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - one reply for all
        _require(received, 0, codec.HEAD)
        _require(received, 2, codec.STATE)
        return codec.STATE_BYTES if len(received) > 2 else None

    def decode(self, read: Read, reply: bytes) -> Answer:
        state = codec.decode_state(reply)
        if state.board != self._board:
            raise WrongUnit(state.board)
        if opened_lock(read) is not None:
            return Outcome.ACKNOWLEDGED
        used = range(self._locks)
        locks = [Observation(f"lock:{n + 1}", active=not state.locked[n]) for n in used]
        items = [Observation(f"item:{n + 1}", state.sensed[n] is self._item_when_set) for n in used]
        return [*locks, *items]


class LockCu48:
    """One CU48. Holds no state."""

    kind = "lock_krcu"
    command_gap_s = COMMAND_GAP_S

    def __init__(self, board: int) -> None:
        self._board = board
        self._read = Read(
            name="locks",
            unit=board,
            channels=tuple(f"lock:{n}" for n in range(1, cu48_codec.LOCKS + 1)),
            request_bytes=cu48_codec.REQUEST_BYTES,
            reply_bytes=cu48_codec.STATE_BYTES,
        )

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def command(self, command: Command) -> Read:
        """The pulse for one lock. Raises DeviceRefused: for anything else."""
        lock = lock_to_open(command, cu48_codec.LOCKS)
        return open_read(self._board, lock, cu48_codec.REQUEST_BYTES, cu48_codec.DONE_BYTES)

    def encode(self, read: Read) -> bytes:
        lock = opened_lock(read)
        if lock is None:
            return cu48_codec.encode_read(self._board)
        return cu48_codec.encode_open(self._board, lock)

    def reply_length(self, read: Read, received: bytes) -> int | None:
        _require(received, 0, codec.HEAD)
        _require(received, 3, cu48_codec.REPLY)
        if len(received) <= 3:
            return None
        return cu48_codec.STATE_BYTES if opened_lock(read) is None else cu48_codec.DONE_BYTES

    def decode(self, read: Read, reply: bytes) -> Answer:
        lock = opened_lock(read)
        said = cu48_codec.decode_state(reply) if lock is None else cu48_codec.decode_done(reply)
        if said.board != self._board:
            raise WrongUnit(said.board)
        if isinstance(said, cu48_codec.State):
            return [
                Observation(channel, active=not is_closed)
                for channel, is_closed in zip(self._read.channels, said.closed, strict=True)
            ]
        if said.lock != lock:
            raise WrongReply(f"lock {said.lock} answers, where lock {lock} was told to open")
        return Outcome.ACKNOWLEDGED


def _require(received: bytes, index: int, byte: int) -> None:
    """Raises BadFrame where another byte has come at this place."""
    if len(received) > index and received[index] != byte:
        raise BadFrame(f"no reply begins with {received[: index + 1].hex(' ')}")


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    options = typed_options(site.options, LockKrcuOptions)
    if options.board == "cu48":
        check_unit(site.unit, 0, cu48_codec.BOARD_MAX)
        return LockCu48(site.unit)
    check_unit(site.unit, 0, codec.BOARD_MAX)
    return LockKrcu(site.unit, options)


KIND = PolledKind(build, "krcu", SERIAL, {"lock": ("lock",), "item": ("item",)}, can_probe=True)
