"""Driver `lock_winnsen`: the locks of one Winnsen board, one read each, and only of those that are used.

The frames carry no check, so a flipped bit can turn "closed" into "open". A state that is new is therefore
asked for again in the same turn, and believed when it has been said twice running.
"""

from collections.abc import Sequence

from device_drivers.driver import Answer, Command, Driver, Observation, Outcome, Read
from device_drivers.errors import BadFrame, WrongReply, WrongUnit
from device_drivers.lock_board import COMMAND_GAP_S, lock_to_open, open_read, opened_lock
from device_drivers.lock_winnsen import codec
from device_drivers.site import SERIAL, NoOptions, PolledKind, Site, check_unit, typed_options

_AGAIN = "again"


class LockWinnsen:
    """One board. Remembers what each lock was last believed to be, and what was said first in this turn."""

    kind = "lock_winnsen"
    command_gap_s = COMMAND_GAP_S

    def __init__(self, station: int, used: Sequence[str] = ()) -> None:
        self._station = station
        channels = [f"lock:{n}" for n in range(1, codec.LOCKS + 1)]
        self._reads = tuple(
            self._state_read(channel, channel)
            for channel in channels
            if channel in used or not set(channels) & set(used)
        )
        self._believed: dict[str, bool] = {}
        self._said = False

    def reads(self) -> tuple[Read, ...]:
        return self._reads

    def command(self, command: Command) -> Read:
        """The pulse for one lock. Raises DeviceRefused: for anything else."""
        lock = lock_to_open(command, codec.LOCKS)
        return open_read(self._station, lock, codec.REQUEST_BYTES, codec.REPLY_BYTES)

    def encode(self, read: Read) -> bytes:
        encode = codec.encode_read if opened_lock(read) is None else codec.encode_open
        return encode(self._station, _lock(read))

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - all have one length
        begin = bytes([codec.HEAD, codec.REPLY_BYTES])
        if not begin.startswith(received[:2]) or (
            len(received) > 2 and received[2] not in (codec.STATE, codec.RESULT)
        ):
            raise BadFrame(f"no reply begins with {received[:3].hex(' ')}")
        return codec.REPLY_BYTES if len(received) > 2 else None

    def decode(self, read: Read, reply: bytes) -> Answer:
        said = codec.decode_reply(reply)
        if said.station != self._station:
            raise WrongUnit(said.station)
        if said.lock != _lock(read) or isinstance(said, codec.State) is not (opened_lock(read) is None):
            raise WrongReply(f"not what {read.name} asked for: {reply.hex(' ')}")
        if isinstance(said, codec.State):
            return self._judge(read, is_open=said.is_open)
        return Outcome.ACKNOWLEDGED if said.result is codec.Result.DONE else Outcome.REFUSED

    def _judge(self, read: Read, *, is_open: bool) -> Answer:
        (channel,) = read.channels
        is_again = read.name.endswith(_AGAIN)
        is_sure = is_again and is_open is self._said
        if is_sure or is_open is self._believed.get(channel):
            self._believed[channel] = is_open
            return [Observation(channel, is_open)]
        self._said = is_open
        return self._state_read(f"{channel} {_AGAIN}", channel)

    def _state_read(self, name: str, channel: str) -> Read:
        return Read(name, self._station, (channel,), codec.REQUEST_BYTES, codec.REPLY_BYTES)


def _lock(read: Read) -> int:
    return int(read.channels[0].removeprefix("lock:"))


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    typed_options(site.options, NoOptions)
    check_unit(site.unit, 0, codec.STATION_MAX)
    return LockWinnsen(site.unit, site.channels)


KIND = PolledKind(build, "winnsen", SERIAL, {"lock": ("lock",)}, can_probe=True)
