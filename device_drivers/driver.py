"""What every driver gives, polled or listening, and the words in which it speaks.

A polled driver does no I/O and knows no clock: the bus carries its frames, the edge decides when. A listener
has a line of its own, because its devices speak first (cards) or speak HTTP (cameras).
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

import msgspec

from device_drivers.errors import DriverError


class Read(msgspec.Struct, frozen=True):
    """One turn on the wire: a request and its reply, or a few of them that belong together.

    `name` is unique within its device. The lengths are those of a good turn, all of its exchanges together,
    for the computation of bus use.
    """

    name: str
    unit: int
    channels: tuple[str, ...]
    request_bytes: int
    reply_bytes: int
    exchanges: int = 1
    window_ms: int = 0
    """Above 0: the device goes on answering for so long, and all of it together is the reply."""
    secret: bytes = b""
    """Part of the request that nobody who taps the bus may see."""
    input_max_bytes: int = 1_024
    """More than this without a reply in it is babble, but where a stream has packets of its own. What came
    is looked at again with each byte that comes: it has room for the longest reply after some notices."""


class Fault(StrEnum):
    """Why a channel's level may not be believed, though its device answers."""

    LINE_OPEN = "line_open"
    """The loop to the contact is cut."""
    LINE_SHORT = "line_short"
    DEVICE_ERROR = "device_error"
    """Neither of these, such as a voltage in no band, or an antenna that is off."""
    TAMPER = "tamper"


class Observation(msgspec.Struct, frozen=True):
    """What a device said of one channel, such as `di:3`, `lock:5`, `item:5` or `tag:E28011…`.

    `active` is the electrical or reported truth (input on, lock open, item seen); what it means for a
    point is the configuration's business. `counter` counts activations, modulo 2 to the `counter_bits`;
    None where there is none, or none that fits the level.
    """

    channel: str
    active: bool
    counter: int | None = None
    counter_bits: int = 32
    fault: Fault | None = None
    latched: bool = False
    """It was otherwise at some moment since it was last told: a latch in the device kept that."""


class Notice(msgspec.Struct, frozen=True):
    """Something that happened once at a channel: `kind` is that of the row, such as `card.read`."""

    channel: str
    kind: str
    data: dict[str, str | int | bool]


Sight: TypeAlias = Observation | Notice


class Outcome(StrEnum):
    """What is known of a command. Whether a lock moved only a later read of its state tells."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Nothing, or nothing that proves anything, came back. It may have been carried out: never repeat it."""


Answer: TypeAlias = list[Sight] | Read | Outcome
"""What a whole reply is: sights, the next exchange of the same turn, or what came of a command."""


class Command(msgspec.Struct, frozen=True):
    """Something a device is to do once: `open` a `lock:5`, `send` a message."""

    action: str
    channel: str
    data: Mapping[str, str] = {}


class Driver(Protocol):
    """The pure half of a polled device. One instance a device; it may remember the turn it is in, and what
    it takes to judge the next (a transaction number, misses of a tag), nothing more.
    """

    @property
    def kind(self) -> str: ...

    def reads(self) -> tuple[Read, ...]:
        """Every read of one full poll, in order."""

    def encode(self, read: Read) -> bytes:
        """The request frame."""

    def reply_length(self, read: Read, received: bytes) -> int | None:
        """Whole length of the reply that `received` begins, or None while that cannot be told yet.

        Raises BadFrame where no reply begins so.
        """

    def decode(self, read: Read, reply: bytes) -> Answer:
        """What a whole reply says. Raises BadFrame, WrongReply, WrongUnit, DeviceBusy or DeviceRefused,
        and UnaskedFrame for a frame that is no answer at all, so that the real one may still follow.
        """


@runtime_checkable
class Commanded(Driver, Protocol):
    """A driver whose device can be told to do something."""

    @property
    def command_gap_s(self) -> float:
        """At least so long between two commands to one device (inrush current of locks)."""

    def command(self, command: Command) -> Read:
        """The turn that carries it; its reads end in an Outcome. Raises DeviceRefused: it cannot do that."""


Tell: TypeAlias = Callable[[str, list[Sight] | DriverError], Awaitable[None]]
"""What a listener saw of a device of its line (by the device's id), or why it sees nothing of it.
Returns when the sights are durable."""


class Listener(Protocol):
    """A line whose devices speak by themselves."""

    @property
    def channels(self) -> Mapping[str, tuple[str, ...]]:
        """The channels of every device, by its id."""

    async def run(self, tell: Tell) -> None:
        """Until cancelled. Raises a DriverError when the whole line is lost; it may be run again."""
