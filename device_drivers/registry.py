"""Which buses and drivers there are, by the names that settings use: one explicit table each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar, get_args

import msgspec

from device_drivers.bus import Bus, BusSettings
from device_drivers.driver import Driver, Listener
from device_drivers.errors import ProfileFault
from device_drivers.lock_8a.codec import BOARD_MAX
from device_drivers.lock_8a.driver import Lock8a, Lock8aOptions
from device_drivers.lock_krcu import codec as krcu_codec
from device_drivers.lock_krcu import cu48_codec
from device_drivers.lock_krcu.driver import LockCu48, LockKrcu, LockKrcuOptions
from device_drivers.lock_winnsen.codec import STATION_MAX
from device_drivers.lock_winnsen.driver import LockWinnsen
from device_drivers.lock_wkly import codec as wkly_codec
from device_drivers.lock_wkly.driver import LockWkly
from device_drivers.modbus.analogue_profile import load_analogue_profile
from device_drivers.modbus.envelope import Framing
from device_drivers.modbus.modbus_ai_supervised import ModbusAiSupervised
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import load_profile
from device_drivers.onvif_camera.driver import OnvifCamera, OnvifCameraOptions, load_password
from device_drivers.osdp_reader.codec import ADDRESS_MAX as OSDP_ADDRESS_MAX
from device_drivers.osdp_reader.driver import OsdpReaderOptions, OsdpReaders, load_key
from device_drivers.osdp_reader.wire import Line, ReaderPlan
from device_drivers.rfid.presence import epcs
from device_drivers.rfid_m100.driver import M100Options, RfidM100
from device_drivers.rfid_uhf18.codec import ADDRESS_MAX as UHF18_ADDRESS_MAX
from device_drivers.rfid_uhf18.driver import RfidUhf18, Uhf18Options
from device_drivers.sms_modem.driver import PIN, SmsModem, SmsModemOptions
from device_drivers.transport.serial_port import SerialPort
from device_drivers.transport.tcp import TcpTransport

BusKind = Literal["modbus_tcp", "modbus_rtu_tcp", "modbus_rtu", "serial", "serial_tcp", "osdp", "onvif"]
BUS_KINDS: tuple[BusKind, ...] = get_args(BusKind)
TCP_KINDS: tuple[BusKind, ...] = ("modbus_tcp", "modbus_rtu_tcp", "serial_tcp", "onvif")
"""Kinds at a host and port; the others are at a serial device."""

Options = Mapping[str, object]
OptionsOf = TypeVar("OptionsOf", bound=msgspec.Struct)


class Site(msgspec.Struct, frozen=True):
    """Where a device stands, and what is wanted of it.

    `baud` 0: no serial line whose speed is known. `channels`: those that points use, none: all there are.
    """

    bus_kind: BusKind
    unit: int = 1
    baud: int = 0
    max_slice_ms: float = 100.0
    """No turn on the line may take longer than this, if it can be cut in two."""
    channels: tuple[str, ...] = ()
    profile: Path | None = None
    options: Options = {}


class PolledKind(msgspec.Struct, frozen=True):
    """A driver for a bus that asks. Kinds of one `protocol` may share a line, if units are `addressed`."""

    build: Callable[[Site], Driver]
    protocol: str
    buses: tuple[BusKind, ...]
    takes_profile: bool = False
    is_addressed: bool = True
    is_supervised: bool = False
    """Its inputs know a cut or bridged wire."""


class ListenerSite(msgspec.Struct, frozen=True):
    """A line whose devices speak by themselves: `devices` by their id."""

    address: str
    """`/dev/serial/by-id/…`, or `host:port`."""
    baud: int
    devices: dict[str, Site]


class ListenerKind(msgspec.Struct, frozen=True):
    """A driver for a line of its own."""

    build: Callable[[ListenerSite], Listener]
    bus: BusKind
    devices_max: int = 1


def tcp_bus(kind: BusKind, host: str, port: int, *, timeout_s: float, quarantine_s: float) -> Bus:
    """A bus over TCP: `modbus_tcp` (MBAP), or a gateway that passes a serial line's bytes."""
    return Bus(TcpTransport(host, port), _settings(kind, timeout_s, quarantine_s))


def serial_bus(kind: BusKind, device: str, baud: int, *, timeout_s: float, quarantine_s: float) -> Bus:
    """A bus on a serial port, 8N1."""
    return Bus(SerialPort(device, baud), _settings(kind, timeout_s, quarantine_s))


def build(kind: str, site: Site) -> Driver:
    """A polled driver by its name in settings. Raises ProfileFault for whatever it cannot be made from."""
    known = DRIVERS.get(kind)
    if known is None:
        raise ProfileFault(f"driver: {kind!r} is none of {', '.join(DRIVERS)}")
    if site.bus_kind not in known.buses:
        raise ProfileFault(f"bus: {kind} needs one of kind {' or '.join(known.buses)}, not {site.bus_kind}")
    if known.takes_profile and site.profile is None:
        raise ProfileFault(f"profile: {kind} needs one")
    if not known.takes_profile and site.profile is not None:
        raise ProfileFault(f"profile: {kind} takes none")
    return known.build(site)


def build_listener(kind: str, site: ListenerSite) -> Listener:
    """A listener by its name in settings. Raises ProfileFault."""
    known = LISTENERS.get(kind)
    if known is None:
        raise ProfileFault(f"driver: {kind!r} is none of {', '.join(LISTENERS)}")
    wrong = next((s.bus_kind for s in site.devices.values() if s.bus_kind != known.bus), None)
    if wrong is not None:
        raise ProfileFault(f"bus: {kind} needs one of kind {known.bus}, not {wrong}")
    if any(own.profile is not None for own in site.devices.values()):
        raise ProfileFault(f"profile: {kind} takes none")
    if len(site.devices) > known.devices_max:
        raise ProfileFault(f"bus: {len(site.devices)} devices, {known.devices_max} of {kind} are the most")
    return known.build(site)


def typed_options(options: Options, kind: type[OptionsOf]) -> OptionsOf:
    """A driver's options. Raises ProfileFault that names the key."""
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        raise ProfileFault(f"options: {error}") from error


def check_unit(unit: int, lowest: int, highest: int) -> None:
    """Raises ProfileFault for a unit number that no device of the kind can have."""
    if not lowest <= unit <= highest:
        raise ProfileFault(f"unit: {unit} is not between {lowest} and {highest}")


def _settings(kind: BusKind, timeout_s: float, quarantine_s: float) -> BusSettings:
    return BusSettings(timeout_s, quarantine_s, has_transaction_ids=kind == "modbus_tcp")


def _modbus_di(site: Site) -> Driver:
    assert site.profile is not None
    return ModbusDi(
        load_profile(site.profile),
        site.unit,
        _framing(site),
        channels=site.channels,
        baud=site.baud,
        max_slice_ms=site.max_slice_ms,
    )


def _modbus_ai_supervised(site: Site) -> Driver:
    assert site.profile is not None
    return ModbusAiSupervised(
        load_analogue_profile(site.profile),
        site.unit,
        _framing(site),
        channels=site.channels,
        baud=site.baud,
        max_slice_ms=site.max_slice_ms,
    )


def _framing(site: Site) -> Framing:
    """That of a Modbus site without options. Raises ProfileFault for a unit that its line cannot have."""
    typed_options(site.options, NoOptions)
    is_tcp = site.bus_kind == "modbus_tcp"
    check_unit(site.unit, *((0, 255) if is_tcp else (1, 247)))
    return "mbap" if is_tcp else "rtu"


def _lock_8a(site: Site) -> Driver:
    check_unit(site.unit, 1, BOARD_MAX)
    is_items = any(channel.startswith("item:") for channel in site.channels)
    return Lock8a(
        site.unit, typed_options(site.options, Lock8aOptions), channel="item" if is_items else "lock"
    )


def _lock_krcu(site: Site) -> Driver:
    options = typed_options(site.options, LockKrcuOptions)
    if options.board == "cu48":
        check_unit(site.unit, 0, cu48_codec.BOARD_MAX)
        return LockCu48(site.unit)
    check_unit(site.unit, 0, krcu_codec.BOARD_MAX)
    return LockKrcu(site.unit, options)


def _lock_winnsen(site: Site) -> Driver:
    typed_options(site.options, NoOptions)
    check_unit(site.unit, 0, STATION_MAX)
    return LockWinnsen(site.unit, site.channels)


def _lock_wkly(site: Site) -> Driver:
    typed_options(site.options, NoOptions)
    check_unit(site.unit, 0, wkly_codec.BOARD_MAX)
    return LockWkly(site.unit, site.channels)


def _rfid_m100(site: Site) -> Driver:
    return RfidM100(site.unit, epcs(site.channels), typed_options(site.options, M100Options))


def _rfid_uhf18(site: Site) -> Driver:
    check_unit(site.unit, 0, UHF18_ADDRESS_MAX)
    return RfidUhf18(site.unit, epcs(site.channels), typed_options(site.options, Uhf18Options))


def _sms_modem(site: Site) -> Driver:
    path = typed_options(site.options, SmsModemOptions).pin_file
    try:
        pin = Path(path).read_text("ascii").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileFault(f"options: pin_file {path} cannot be read") from error
    if path and not PIN.match(pin):
        raise ProfileFault(f"options: pin_file {path} holds no PIN of 4 to 8 digits")
    return SmsModem(site.unit, pin)


def _osdp_readers(site: ListenerSite) -> Listener:
    readers = []
    for device, own in site.devices.items():
        check_unit(own.unit, 0, OSDP_ADDRESS_MAX)
        key = load_key(typed_options(own.options, OsdpReaderOptions).key_file)
        readers.append(ReaderPlan(device, own.unit, key))
    return OsdpReaders(Line(site.address, site.baud, tuple(readers)))


def _onvif_camera(site: ListenerSite) -> Listener:
    ((device, own),) = site.devices.items()
    options = typed_options(own.options, OnvifCameraOptions)
    if bool(options.user) is not bool(options.password_file):
        raise ProfileFault("options: a user and a password_file belong together")
    host, _, port = site.address.rpartition(":")
    password = load_password(options.password_file) if options.user else ""
    return OnvifCamera(device, host, int(port), (options.user, password), own.channels)


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For a driver that has none."""


MODBUS: tuple[BusKind, ...] = ("modbus_tcp", "modbus_rtu_tcp", "modbus_rtu")
SERIAL: tuple[BusKind, ...] = ("serial", "serial_tcp")

DRIVERS: dict[str, PolledKind] = {
    "modbus_di": PolledKind(_modbus_di, "modbus", MODBUS, takes_profile=True),
    "modbus_ai_supervised": PolledKind(
        _modbus_ai_supervised, "modbus", MODBUS, takes_profile=True, is_supervised=True
    ),
    "lock_8a": PolledKind(_lock_8a, "8a", SERIAL),
    "lock_krcu": PolledKind(_lock_krcu, "krcu", SERIAL),
    "lock_winnsen": PolledKind(_lock_winnsen, "winnsen", SERIAL),
    "lock_wkly": PolledKind(_lock_wkly, "wkly", SERIAL),
    "rfid_m100": PolledKind(_rfid_m100, "m100", SERIAL, is_addressed=False),
    "rfid_uhf18": PolledKind(_rfid_uhf18, "uhf18", SERIAL),
    "sms_modem": PolledKind(_sms_modem, "at", SERIAL, is_addressed=False),
}
LISTENERS: dict[str, ListenerKind] = {
    "osdp_reader": ListenerKind(_osdp_readers, "osdp", devices_max=16),
    "onvif_camera": ListenerKind(_onvif_camera, "onvif"),
}
HEARD_KINDS: tuple[BusKind, ...] = tuple({kind.bus for kind in LISTENERS.values()})
"""Kinds of lines that nobody asks: their devices speak by themselves."""
