"""Driver `modbus_ai_supervised`: door contacts with end-of-line resistors on an analogue module.

An input is active while its contact is open. A wire that is cut or short is a fault of its channel.
"""

from collections.abc import Iterator

from device_drivers.driver import Answer, Driver, Observation, Read, Sight
from device_drivers.modbus import frame
from device_drivers.modbus.analogue_profile import AnalogueProfile, load_analogue_profile
from device_drivers.modbus.end_of_line import FAULTS, Band, EndOfLine
from device_drivers.modbus.envelope import Envelope, Framing, framing_of
from device_drivers.modbus.slices import Line, Slice, Span, cut, read_of, used_range
from device_drivers.site import CONTACT, MODBUS, PolledKind, Site


class ModbusAiSupervised:
    """One module. Remembers the band that each input is in, and its request's number."""

    kind = "modbus_ai_supervised"

    def __init__(
        self,
        profile: AnalogueProfile,
        unit: int,
        framing: Framing,
        *,
        channels: tuple[str, ...] = (),
        baud: int = 0,
        max_slice_ms: float = 100.0,
    ) -> None:
        self._values = profile.values
        self._envelope = Envelope(unit, framing)
        self._loops = [EndOfLine(profile.bands) for _ in range(profile.inputs)]
        line = Line(self._envelope.overhead_bytes, baud, max_slice_ms)
        slices = cut(used_range("ai", profile.inputs, channels), line, self._forms)
        self._slices = {self._name(part, len(slices)): part for part in slices}

    def reads(self) -> tuple[Read, ...]:
        return tuple(
            read_of(
                name,
                self._envelope.unit,
                tuple(f"ai:{n}" for n in range(part.first, part.last + 1)),
                part.spans,
                self._envelope.overhead_bytes,
            )
            for name, part in self._slices.items()
        )

    def encode(self, read: Read) -> bytes:
        span = self._slices[read.name].level
        return self._envelope.wrap(frame.read_request(span.function, span.address, span.count))

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - all replies say it alike
        return self._envelope.reply_length(received)

    def decode(self, read: Read, reply: bytes) -> Answer:
        part = self._slices[read.name]
        data = frame.reply_data(self._envelope.unwrap(reply), part.level.function, 2 * part.level.count)
        sights: list[Sight] = []
        for at, n in enumerate(range(part.first, part.last + 1)):
            raw = int.from_bytes(data[2 * at : 2 * at + 2])
            band = self._loops[n].tell(self._values.in_volts(raw))
            if band is not None:
                sights.append(Observation(f"ai:{n}", active=band is Band.OPEN, fault=FAULTS.get(band)))
        return sights

    def _forms(self, first: int, last: int) -> Iterator[Slice]:
        values = self._values
        yield Slice(first, last, Span(values.function, values.address + first, last - first + 1))

    def _name(self, part: Slice, slices: int) -> str:
        return "inputs" if slices == 1 else f"inputs {part.first}-{part.last}"


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    assert site.profile is not None
    return ModbusAiSupervised(
        load_analogue_profile(site.profile),
        site.unit,
        framing_of(site),
        channels=site.channels,
        baud=site.baud,
        max_slice_ms=site.max_slice_ms,
    )


KIND = PolledKind(build, "modbus", MODBUS, {"ai": CONTACT}, takes_profile=True, is_supervised=True)
