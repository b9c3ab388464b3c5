"""What the families of lock boards have in common: a host's request, and the one command there is.

Opening is a pulse, sent once and never again. What came of it only a later read of the lock's state tells.
"""

import functools
import operator

import msgspec

from device_drivers.driver import Command, Read
from device_drivers.errors import DeviceRefused

COMMAND_GAP_S = 0.5
"""Between two pulses of one board: locks draw their inrush current one after the other."""
_OPEN = "open"


class Request(msgspec.Struct, frozen=True):
    """What a host asks of a board: to open a lock, or to tell the state of one. `lock` 0 is all of them."""

    board: int
    lock: int
    is_open: bool


def lock_to_open(command: Command, locks: int) -> int:
    """The lock's number, from 1, on a board that has so many. Raises DeviceRefused, for all at once too."""
    channels = {f"lock:{n}": n for n in range(1, locks + 1)}
    if command.action != _OPEN or command.channel not in channels:
        raise DeviceRefused(f"cannot {command.action} {command.channel}")
    return channels[command.channel]


def open_read(unit: int, lock: int, request_bytes: int, reply_bytes: int, window_ms: int = 0) -> Read:
    """The turn that carries the pulse for a lock."""
    channel = f"lock:{lock}"
    return Read(
        name=f"{_OPEN} {channel}",
        unit=unit,
        channels=(channel,),
        request_bytes=request_bytes,
        reply_bytes=reply_bytes,
        window_ms=window_ms,
    )


def xor(data: bytes) -> int:
    """XOR of all bytes."""
    return functools.reduce(operator.xor, data, 0)


def opened_lock(read: Read) -> int | None:
    """The lock that this turn opens; None for one that only asks for a state."""
    if not read.name.startswith(f"{_OPEN} "):
        return None
    return int(read.channels[0].removeprefix("lock:"))
