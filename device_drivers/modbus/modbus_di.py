"""Driver `modbus_di`: the inputs of a Modbus I/O module, with their counters or latches where it has them."""

import msgspec

from device_drivers.driver import Answer, Driver, Read
from device_drivers.errors import UnaskedFrame
from device_drivers.modbus import frame, turn
from device_drivers.modbus.envelope import Envelope, Framing, framing_of
from device_drivers.modbus.profile import Profile, load_profile
from device_drivers.modbus.slices import Line, Slice, Span, input_slices, read_of, used_range
from device_drivers.modbus.turn import Ask, Turn, Write
from device_drivers.site import CONTACT, MODBUS, PolledKind, Site


class ModbusDi:
    """One module. Remembers the turn it is in, and the latches it saw whose telling was cut short."""

    kind = "modbus_di"

    def __init__(
        self,
        profile: Profile,
        unit: int,
        framing: Framing,
        *,
        channels: tuple[str, ...] = (),
        baud: int = 0,
        max_slice_ms: float = 100.0,
    ) -> None:
        self._profile = profile
        self._envelope = Envelope(unit, framing)
        line = Line(self._envelope.overhead_bytes, baud, max_slice_ms)
        slices = input_slices(profile, used_range("di", profile.inputs, channels), line)
        self._slices: dict[str, Slice] = {}
        self._asks: dict[str, Ask] = {}
        self._requests: dict[str, bytes] = {}
        self._reads = tuple(self._first_read(part, is_only=len(slices) == 1) for part in slices)
        self._turn: Turn | None = None
        self._latched: set[int] = set()
        self._written: list[bytes] = []

    def reads(self) -> tuple[Read, ...]:
        return self._reads

    def encode(self, read: Read) -> bytes:
        ask = self._asks[read.name]
        request = self._envelope.wrap(self._requests[read.name])
        if read.name in self._slices:
            self._written.clear()
        elif isinstance(ask, Write):
            self._written.append(request)
        return request

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - all replies say it alike
        return self._envelope.reply_length(received)

    def decode(self, read: Read, reply: bytes) -> Answer:
        ask = self._asks[read.name]
        is_older = reply in self._written and not (isinstance(ask, Write) and reply == self._written[-1])
        if is_older:
            # On a line with an echo, that of the write was taken for its reply, which is this.
            raise UnaskedFrame("the reply to a write before this request")
        data = self._data(read, self._envelope.unwrap(reply))
        part = self._slices.get(read.name)
        if part is not None:
            self._turn = turn.begin(self._profile, part, self._latched)
            next(self._turn)
        assert self._turn is not None, f"{read.name} is not the first of its turn"
        try:
            return self._follow(self._turn.send(data), read)
        except StopIteration as end:
            self._turn = None
            sights: Answer = end.value
            return sights

    def _first_read(self, part: Slice, *, is_only: bool) -> Read:
        name = "inputs" if is_only else f"inputs {part.first}-{part.last}"
        channels = tuple(f"di:{n}" for n in range(part.first, part.last + 1))
        self._slices[name] = part
        self._register(name, part.level)
        return read_of(name, self._envelope.unit, channels, part.spans, self._envelope.overhead_bytes)

    def _follow(self, ask: Ask, read: Read) -> Read:
        """The next exchange of the turn."""
        overhead, unit = self._envelope.overhead_bytes, self._envelope.unit
        if isinstance(ask, Span):
            name = f"read {ask.function}/{ask.address}/{ask.count}"
            follow = read_of(name, unit, read.channels, (ask,), overhead)
        else:
            name = f"clear {ask.function}/{ask.address}"
            size = overhead + len(_request(ask))
            follow = Read(name, unit, read.channels, size, overhead + frame.READ_REQUEST_BYTES)
        self._register(name, ask)
        return follow

    def _register(self, name: str, ask: Ask) -> None:
        """What a read of this name asks. A module has few different requests, so few names."""
        if name not in self._asks:
            self._asks[name], self._requests[name] = ask, _request(ask)

    def _data(self, read: Read, pdu: bytes) -> bytes:
        """What the reply brings; nothing for a write. Raises a DriverError if it is another's."""
        ask = self._asks[read.name]
        if isinstance(ask, Span):
            return frame.reply_data(pdu, ask.function, frame.data_bytes(ask.function, ask.count))
        frame.check_write_reply(pdu, self._requests[read.name])
        return b""


def _request(ask: Ask) -> bytes:
    if isinstance(ask, Span):
        return frame.read_request(ask.function, ask.address, ask.count)
    return frame.write_request(ask.function, ask.address, ask.value)


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    assert site.profile is not None
    profile = load_profile(site.profile)
    if site.keeps_latches:
        profile = msgspec.structs.replace(profile, latches=None)
    return ModbusDi(
        profile,
        site.unit,
        framing_of(site),
        channels=site.channels,
        baud=site.baud,
        max_slice_ms=site.max_slice_ms,
    )


KIND = PolledKind(build, "modbus", MODBUS, {"di": CONTACT}, takes_profile=True)
