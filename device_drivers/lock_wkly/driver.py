"""Driver `lock_wkly`: all locks of one WKLY board in one read."""

from collections.abc import Sequence

from device_drivers.driver import Answer, Command, Driver, Fault, Observation, Outcome, Read, Sight
from device_drivers.errors import BadFrame, DeviceRefused, UnaskedFrame, WrongReply, WrongUnit
from device_drivers.lock_board import COMMAND_GAP_S, lock_to_open, open_read, opened_lock
from device_drivers.lock_wkly import codec
from device_drivers.site import SERIAL, NoOptions, PolledKind, Site, check_unit, typed_options


class LockWkly:
    """One board. Holds no state. `used`: the channels that points use."""

    kind = "lock_wkly"
    command_gap_s = COMMAND_GAP_S

    def __init__(self, board: int, used: Sequence[str] = ()) -> None:
        self._board = board
        channels = tuple(f"lock:{n}" for n in range(1, codec.LOCKS_MAX + 1))
        self._needed = max((n for n, channel in enumerate(channels, 1) if channel in used), default=0)
        self._read = Read("locks", board, channels, codec.READ_BYTES, codec.STATES_MAX_BYTES)

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def command(self, command: Command) -> Read:
        """The pulse for one lock. Raises DeviceRefused: for anything else."""
        lock = lock_to_open(command, codec.LOCKS_MAX)
        return open_read(self._board, lock, codec.OPEN_BYTES, codec.OPENED_BYTES)

    def encode(self, read: Read) -> bytes:
        lock = opened_lock(read)
        return codec.encode_read(self._board) if lock is None else codec.encode_open(self._board, lock)

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - a frame says it itself
        length = codec.frame_length(received)
        if length is not None and length < codec.OPEN_BYTES:
            raise BadFrame(f"no reply has {length} bytes")
        return length

    def decode(self, read: Read, reply: bytes) -> Answer:
        said = codec.decode_reply(reply)
        if isinstance(said, codec.Moved):
            raise UnaskedFrame(f"notice of board {said.board}, lock {said.lock}")
        if said.board != self._board:
            raise WrongUnit(said.board)
        lock = opened_lock(read)
        if isinstance(said, codec.States) and lock is None:
            return self._observations(said)
        if not isinstance(said, codec.Opened) or said.lock != lock:
            raise WrongReply(f"not what {read.name} asked for: {reply.hex(' ')}")
        return Outcome.ACKNOWLEDGED if said.is_done else Outcome.REFUSED

    def _observations(self, said: codec.States) -> list[Sight]:
        if not said.is_done:
            raise DeviceRefused(f"board {said.board} cannot tell its state")
        if len(said.states) < self._needed:
            text = f"board {said.board} has {len(said.states)} locks, a point is on lock:{self._needed}"
            raise DeviceRefused(text)
        return [
            _observation(channel, state)
            for channel, state in zip(self._read.channels, said.states, strict=False)
        ]


def _observation(channel: str, state: int) -> Observation:
    if state in (codec.OPEN, codec.CLOSED):
        return Observation(channel, active=state == codec.OPEN)
    return Observation(channel, active=False, fault=Fault.DEVICE_ERROR)


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    typed_options(site.options, NoOptions)
    check_unit(site.unit, 0, codec.BOARD_MAX)
    return LockWkly(site.unit, site.channels)


KIND = PolledKind(build, "wkly", SERIAL, {"lock": ("lock",)}, can_probe=True)
