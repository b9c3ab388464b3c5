"""Driver `rfid_uhf18`: dossier tags before the antennas of one reader of the UHFReader18 family.

A reader with antenna ports is read port by port, so that each antenna has its own rounds, its own health
and its own share of the bus. The last frame ends a read; the window is only how long it may take.
"""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, structs

from device_drivers.driver import Answer, Driver, Read
from device_drivers.errors import BadFrame, DeviceRefused, WrongUnit
from device_drivers.rfid.presence import TAG_POINTS, Presence, TagOptions, epcs
from device_drivers.rfid.round import INPUT_MAX_BYTES, Round
from device_drivers.rfid_uhf18 import codec
from device_drivers.site import SERIAL, PolledKind, Site, check_unit, typed_options

OVERRUN_MS = 1_000
"""A reader may overrun its scan time by 75 ms, and 200 tags take 900 ms at 57600 baud."""
ONLY_ANTENNA = 1


class Uhf18Options(TagOptions, frozen=True, forbid_unknown_fields=True):
    """`antenna_ports` 0: the antenna is inside (UHFReader18 itself), 1 to 4: the reader has ports in use.

    `scan_ms`: how long one inventory may last, in steps of 100. A reader with ports is told so each time; the
    others keep what they were set to, and this must not be less.
    """

    antenna_ports: Annotated[int, Meta(ge=0, le=codec.PORTS_MAX)] = 0
    scan_ms: Annotated[int, Meta(ge=300, le=25_500, multiple_of=100)] = 1_000


class RfidUhf18:
    """One reader. Remembers its tags and the round it is in."""

    kind = "rfid_uhf18"

    def __init__(self, address: int, epcs: Iterable[str], options: Uhf18Options) -> None:
        self._address = address
        self._has_ports = options.antenna_ports > 0
        antennas = range(1, options.antenna_ports + 1) if self._has_ports else (ONLY_ANTENNA,)
        presence = Presence(epcs, tuple(antennas), options, tells_antenna=self._has_ports)
        self._rounds: dict[str, Round] = {}
        self._requests: dict[str, bytes] = {}
        self._again: dict[str, Read] = {}
        self._reads = []
        for antenna in antennas:
            port = antenna if self._has_ports else 0
            request = codec.encode_inventory(address, port, options.scan_ms)
            read = Read(
                name=f"antenna {antenna}",
                unit=address,
                channels=presence.channels(antenna),
                request_bytes=len(request),
                reply_bytes=0,  # they come within the window
                window_ms=options.scan_ms + OVERRUN_MS,
                input_max_bytes=INPUT_MAX_BYTES,
            )
            again = structs.replace(read, name=f"{read.name} again", channels=())
            self._reads.append(read)
            self._again[read.name] = self._again[again.name] = again
            self._rounds[read.name] = self._rounds[again.name] = Round(presence, antenna)
            self._requests[read.name] = self._requests[again.name] = request

    def reads(self) -> tuple[Read, ...]:
        return tuple(self._reads)

    def encode(self, read: Read) -> bytes:
        if read.name != self._again[read.name].name:
            self._rounds[read.name].begin()
        return self._requests[read.name]

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - one kind of reply
        return len(received) if codec.has_ended(received) else None

    def decode(self, read: Read, reply: bytes) -> Answer:
        if reply.startswith(self._requests[read.name]):
            raise BadFrame("our own request")  # read as a reply, it would be sound
        heard = codec.decode(reply)
        own = [frame for frame in heard.replies if frame.address == self._address]
        if not own and heard.replies:
            raise WrongUnit(heard.replies[-1].address)
        if not own or own[-1].status == codec.MORE:
            raise BadFrame(f"no end in {len(reply)} bytes: {reply[:32].hex(' ')}")
        current = self._rounds[read.name]
        if not heard.is_whole:
            current.spoil()
        for frame in own:
            if frame.status == codec.ANTENNA_OFF:
                return [*current.lose()]
            self._take(frame, current)
        told = current.end()
        return self._again[read.name] if told is None else [*told]

    def _take(self, frame: codec.Reply, current: Round) -> None:
        """Note the tags of a frame and what its status says of those that were not heard."""
        if frame.status in codec.WITH_TAGS:
            for tag in codec.decode_tags(frame.data, has_ports=self._has_ports):
                current.note(tag.epc, tag.rssi)
            if frame.status in (codec.OUT_OF_TIME, codec.BUFFER_FULL):
                current.spoil()
        elif frame.status in (codec.POOR_CONTACT, codec.TAG_ERROR):
            current.spoil()
        elif frame.status != codec.NO_TAG:
            text = codec.STATUSES.get(frame.status, "unknown")
            raise DeviceRefused(f"status {frame.status:02X}: {text}")


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    check_unit(site.unit, 0, codec.ADDRESS_MAX)
    return RfidUhf18(site.unit, epcs(site.channels), typed_options(site.options, Uhf18Options))


KIND = PolledKind(build, "uhf18", SERIAL, TAG_POINTS)
