"""Driver `rfid_m100`: dossier tags before one module of the M100 family, one inventory a read.

The module sends a frame for every tag and none to end them, so a read listens for a fixed time; only "no tag"
ends it at once. It has no address: one module a line.
"""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, structs

from device_drivers.driver import Answer, Driver, Read
from device_drivers.errors import BadFrame, DeviceBusy, DeviceRefused, WrongReply
from device_drivers.rfid.presence import TAG_POINTS, Presence, TagOptions, epcs
from device_drivers.rfid.round import INPUT_MAX_BYTES, Round
from device_drivers.rfid_m100 import codec
from device_drivers.site import SERIAL, PolledKind, Site, typed_options

ANTENNA = 1


class M100Options(TagOptions, frozen=True, forbid_unknown_fields=True):
    """`window_ms`: how long one inventory is listened to. 200 tags take 420 ms at 115200 baud."""

    window_ms: Annotated[int, Meta(ge=100, le=5_000)] = 500


class RfidM100:
    """One module with its one antenna. Remembers its tags and the round it is in."""

    kind = "rfid_m100"

    def __init__(self, unit: int, epcs: Iterable[str], options: M100Options) -> None:
        presence = Presence(epcs, (ANTENNA,), options, tells_antenna=False)
        self._round = Round(presence, ANTENNA)
        self._request = codec.encode_inventory()
        self._no_tag = codec.encode_error(codec.NO_TAG)
        self._read = Read(
            name="inventory",
            unit=unit,
            channels=presence.channels(ANTENNA),
            request_bytes=len(self._request),
            reply_bytes=0,  # they come within the window
            window_ms=options.window_ms,
            input_max_bytes=INPUT_MAX_BYTES,
        )
        self._again = structs.replace(self._read, name="inventory again", channels=())

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def encode(self, read: Read) -> bytes:
        if read.name == self._read.name:
            self._round.begin()
        return self._request

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - one kind of reply
        return len(received) if received.endswith(self._no_tag) else None

    def decode(self, read: Read, reply: bytes) -> Answer:  # noqa: ARG002 - one kind of reply
        heard = codec.decode(reply)
        frames = [frame for frame in heard.frames if frame.type != codec.COMMAND]
        if not frames:
            raise BadFrame(f"no frame in {len(reply)} bytes: {reply[:32].hex(' ')}")
        if not heard.is_whole:
            self._round.spoil()
        for frame in frames:
            self._take(frame)
        told = self._round.end()
        return self._again if told is None else [*told]

    def _take(self, frame: codec.Frame) -> None:
        """Note a tag, pass over "no tag". Raises what any other reply means."""
        if frame.type == codec.NOTICE:
            try:
                tag = codec.decode_tag(frame)
            except BadFrame:
                self._round.spoil()  # one odd tag must not blind us for the others
            else:
                self._round.note(tag.epc, tag.rssi)
            return
        code = codec.decode_error(frame)
        if code is None:
            raise WrongReply(f"a reply to command {frame.command:02X}")
        if code != codec.NO_TAG:
            raise _refusal(code)


def _refusal(code: int) -> WrongReply | DeviceBusy | DeviceRefused:
    text = f"error {code:02X}: {codec.ERRORS.get(code, 'unknown')}"
    if code == codec.NO_CHANNEL:
        return DeviceBusy(text)
    return DeviceRefused(text) if code == codec.BAD_COMMAND else WrongReply(text)


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    return RfidM100(site.unit, epcs(site.channels), typed_options(site.options, M100Options))


KIND = PolledKind(build, "m100", SERIAL, TAG_POINTS, is_addressed=False)
