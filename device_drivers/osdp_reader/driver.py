"""Listener `osdp_reader`: the readers of one RS-485 line, through a panel in a process of its own.

The panel may hang or crash; then the whole line is lost until the next run starts a new one. A reader that
does not answer is lost alone. A reader that answers without a secure channel is there, and unpaired.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from device_drivers.driver import Fault, Listener, Notice, Observation, Sight, Tell
from device_drivers.errors import DriverError, LinkDown, NoReply, ProfileFault
from device_drivers.osdp_reader import wire
from device_drivers.osdp_reader.codec import ADDRESS_MAX
from device_drivers.osdp_reader.pairing import Standing
from device_drivers.osdp_reader.wire import Line, ReaderPlan
from device_drivers.site import ListenerKind, ListenerSite, check_unit, typed_options

CARD = "card"
TAMPER = "tamper"
HANG_S = 5.0
"""The panel says each second that it lives."""
KEY_BYTES = 16
DEFAULT_KEY = bytes(range(0x30, 0x40))
CARD_MAX_BITS = 512

_ROOT = Path(__file__).parents[2]


class OsdpReaderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`key_file` holds the reader's own key (SCBK), 32 hex digits."""

    key_file: str


def load_key(path: str) -> bytes:
    """A reader's key. Raises ProfileFault, which never quotes it."""
    try:
        text = Path(path).read_text("ascii").strip()
        key = bytes.fromhex(text)
    except OSError as error:
        raise ProfileFault(f"options: key_file {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ProfileFault(f"options: key_file {path} is not 32 hex digits") from None
    if len(key) != KEY_BYTES:
        raise ProfileFault(f"options: key_file {path} is not 32 hex digits")
    if key == DEFAULT_KEY:
        raise ProfileFault(f"options: key_file {path} holds SCBK-D, the default key that everybody knows")
    return key


class OsdpReaders:
    """All readers of one line. `hang_s`: a panel that is silent for so long is ended."""

    def __init__(self, line: wire.Line, hang_s: float = HANG_S) -> None:
        self._line = line
        self._hang_s = hang_s
        self._standing: dict[str, Standing] = {}

    @property
    def channels(self) -> Mapping[str, tuple[str, ...]]:
        return {plan.device: (CARD, TAMPER) for plan in self._line.readers}

    async def run(self, tell: Tell) -> None:
        self._standing.clear()
        async with _panel() as panel:
            assert panel.stdin is not None
            with suppress(ConnectionError):
                panel.stdin.write(wire.encode(self._line))
                await panel.stdin.drain()
            while True:
                await self._take(await self._next(panel), tell)

    async def _next(self, panel: asyncio.subprocess.Process) -> wire.Up:
        assert panel.stdout is not None
        try:
            async with asyncio.timeout(self._hang_s):
                line = await panel.stdout.readline()
            if not line:
                raise LinkDown(f"osdp {self._line.port}: the panel ended with {await panel.wait()}")
            return wire.decode_up(line)
        except TimeoutError:
            raise LinkDown(f"osdp {self._line.port}: the panel hangs") from None
        except (ValueError, msgspec.DecodeError) as error:
            raise LinkDown(f"osdp {self._line.port}: the panel says nonsense: {error}") from error

    async def _take(self, message: wire.Up, tell: Tell) -> None:
        match message:
            case wire.Reader(device, standing):
                self._standing[device] = standing
                await tell(device, self._sights(device))
            case wire.Card(device, bits, card) if self._is_paired(device) and bits <= CARD_MAX_BITS:
                await tell(device, [Notice(CARD, "card.read", {"bits": bits, "card": card})])
            case wire.Tamper(device, is_tripped) if self._is_paired(device):
                await tell(device, [Observation(TAMPER, is_tripped)])
            case wire.Ended(reason):
                raise LinkDown(f"osdp {self._line.port}: {reason}")

    def _sights(self, device: str) -> list[Sight] | DriverError:
        """What a reader's standing says. Its housing is asked for as soon as it is paired."""
        match self._standing[device]:
            case Standing.PAIRED:
                return [Observation(CARD, active=True)]
            case Standing.UNPAIRED:
                return [
                    Observation(CARD, active=False),
                    Observation(TAMPER, active=False, fault=Fault.DEVICE_ERROR),
                ]
            case Standing.SILENT:
                return NoReply(f"osdp {self._line.port}, {device}: silent")

    def _is_paired(self, device: str) -> bool:
        return self._standing.get(device) is Standing.PAIRED


@asynccontextmanager
async def _panel() -> AsyncIterator[asyncio.subprocess.Process]:
    """A panel's process; gone when the block ends, whatever state it was in, and its port with it."""
    try:
        panel = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "device_drivers.osdp_reader.panel",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
            start_new_session=True,  # a terminal's Ctrl-C is the agent's to act on
            limit=wire.LINE_MAX_BYTES,
        )
    except OSError as error:
        raise LinkDown(f"osdp: the panel cannot be started: {error}") from error
    try:
        yield panel
    finally:
        with suppress(ProcessLookupError):
            panel.kill()
        assert panel.stdin is not None
        panel.stdin.close()
        await panel.wait()


def build(site: ListenerSite) -> Listener:
    """The listener of a line. Raises ProfileFault."""
    readers = []
    for device, own in site.devices.items():
        check_unit(own.unit, 0, ADDRESS_MAX)
        key = load_key(typed_options(own.options, OsdpReaderOptions).key_file)
        readers.append(ReaderPlan(device, own.unit, key))
    return OsdpReaders(Line(site.address, site.baud, tuple(readers)))


KIND = ListenerKind(build, "osdp", {CARD: ("reader",), TAMPER: ("tamper",)}, devices_max=16)
