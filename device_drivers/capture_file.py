"""What went over a line, in a file that a test can replay: JSON lines, a header and then each exchange.

The header says how the devices were set up, so that whoever replays the file builds the same drivers, with
`keeps_latches`: a capture clears none. Read strictly: an unknown key, a missing one or a later format is
refused with the line it stands on.
"""

from pathlib import Path
from typing import Annotated, Literal, TextIO, TypeVar

import msgspec
from msgspec import Meta

from device_drivers.bus import Exchange
from device_drivers.errors import CaptureFault
from device_drivers.site import BusKind
from device_drivers.transport.base import INPUT_LIMIT_BYTES

FORMAT = 1
LINE_MAX_BYTES = 4 * INPUT_LIMIT_BYTES
"""Room for all that a transport takes for one request."""
Hex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})*$", max_length=2 * INPUT_LIMIT_BYTES)]
Nanoseconds = Annotated[int, Meta(ge=0, lt=2**62)]
Line = TypeVar("Line", bound=msgspec.Struct)


class CapturedDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device as the settings had it. `channels`: those that points used."""

    id: str
    driver: str
    unit: int
    profile: str | None
    channels: tuple[str, ...]
    options: dict[str, bool | int | float | str | list[str]]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first line. `settings` is the digest of the settings file, `at` the wall clock in ms."""

    capture: Literal["casewatch"] = "casewatch"
    format: int = FORMAT
    version: str
    settings: str
    at: int
    bus: str
    kind: BusKind
    baud: int
    max_slice_ms: int
    """How long a turn might keep the line: drivers cut their reads by it."""
    devices: tuple[CapturedDevice, ...]


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One exchange: `at_ns` since the capture began, `took_ns` from request to the end of its reply."""

    at_ns: Nanoseconds
    took_ns: Nanoseconds
    device: str
    read: str
    unit: int
    sent: Hex
    received: Hex
    error: str


class Capture(msgspec.Struct, frozen=True):
    """A whole file."""

    header: Header
    frames: tuple[Frame, ...]


class CaptureWriter:
    """Writes line by line: what was captured before a power cut can be read."""

    def __init__(self, file: TextIO, header: Header, began_ns: int) -> None:
        self._file = file
        self._began_ns = began_ns
        self._write(header)

    def write(self, exchange: Exchange, device: str, read: str) -> Frame:
        """Add an exchange that was made for this device's read."""
        frame = Frame(
            at_ns=max(0, exchange.mono_ns - exchange.took_ns - self._began_ns),
            took_ns=exchange.took_ns,
            device=device,
            read=read,
            unit=exchange.unit,
            sent=exchange.sent.hex(),
            received=exchange.received.hex(),
            error=exchange.error,
        )
        self._write(frame)
        return frame

    def _write(self, line: msgspec.Struct) -> None:
        self._file.write(msgspec.json.encode(line).decode() + "\n")
        self._file.flush()


def read_capture(path: Path) -> Capture:
    """A capture. Raises CaptureFault that names the line, what is wrong there, and the mend."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise CaptureFault(f"{path}: {error.strerror}") from error
    if not lines:
        raise CaptureFault(f"{path}:1: is empty; a capture begins with its header")
    header = _header(path, lines[0])
    devices = {device.id for device in header.devices}
    frames = []
    for number, line in enumerate(lines[1:], 2):
        frame = _decoded(path, number, line, Frame)
        if frame.device not in devices:
            raise CaptureFault(f"{path}:{number}: device {frame.device} is not in the header")
        frames.append(frame)
    return Capture(header, tuple(frames))


def _header(path: Path, line: bytes) -> Header:
    """The format first: what a later one holds, this version cannot judge."""
    try:
        told = msgspec.json.decode(line)
    except msgspec.DecodeError:
        told = None
    if not isinstance(told, dict) or told.get("capture") != "casewatch":
        raise CaptureFault(f"{path}:1: is no header; make the file with casewatch edge capture")
    if told.get("format") != FORMAT:
        raise CaptureFault(
            f"{path}:1: format {told.get('format')}; this version reads {FORMAT}: capture anew"
        )
    return _decoded(path, 1, line, Header)


def _decoded(path: Path, number: int, line: bytes, kind: type[Line]) -> Line:
    if len(line) > LINE_MAX_BYTES:
        raise CaptureFault(f"{path}:{number}: {len(line)} bytes, at most {LINE_MAX_BYTES}; delete the line")
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError as error:
        mend = "delete the line if the capture was cut off in it, else capture anew"
        raise CaptureFault(f"{path}:{number}: {error}; {mend}") from error
