"""Which buses and drivers there are, by the names that settings use: one explicit table each."""

from device_drivers.bus import Bus, BusSettings
from device_drivers.driver import Driver, Listener
from device_drivers.errors import ProfileFault
from device_drivers.lock_8a import driver as lock_8a
from device_drivers.lock_krcu import driver as lock_krcu
from device_drivers.lock_winnsen import driver as lock_winnsen
from device_drivers.lock_wkly import driver as lock_wkly
from device_drivers.modbus import modbus_ai_supervised, modbus_di
from device_drivers.onvif_camera import driver as onvif_camera
from device_drivers.osdp_reader import driver as osdp_reader
from device_drivers.rfid_m100 import driver as rfid_m100
from device_drivers.rfid_uhf18 import driver as rfid_uhf18
from device_drivers.site import BusKind, ListenerKind, ListenerSite, PolledKind, Site
from device_drivers.sms_modem import driver as sms_modem
from device_drivers.transport.serial_port import SerialPort
from device_drivers.transport.tcp import TcpTransport

DRIVERS: dict[str, PolledKind] = {
    "modbus_di": modbus_di.KIND,
    "modbus_ai_supervised": modbus_ai_supervised.KIND,
    "lock_8a": lock_8a.KIND,
    "lock_krcu": lock_krcu.KIND,
    "lock_winnsen": lock_winnsen.KIND,
    "lock_wkly": lock_wkly.KIND,
    "rfid_m100": rfid_m100.KIND,
    "rfid_uhf18": rfid_uhf18.KIND,
    "sms_modem": sms_modem.KIND,
}
LISTENERS: dict[str, ListenerKind] = {"osdp_reader": osdp_reader.KIND, "onvif_camera": onvif_camera.KIND}
HEARD_KINDS: tuple[BusKind, ...] = tuple({kind.bus for kind in LISTENERS.values()})
"""Kinds of lines that nobody asks: their devices speak by themselves."""


def tcp_bus(kind: BusKind, host: str, port: int, *, timeout_s: float, quarantine_s: float) -> Bus:
    """A bus over TCP: `modbus_tcp` (MBAP), or a gateway that passes a serial line's bytes."""
    return Bus(TcpTransport(host, port), _settings(kind, timeout_s, quarantine_s))


def serial_bus(kind: BusKind, device: str, baud: int, *, timeout_s: float, quarantine_s: float) -> Bus:
    """A bus on a serial port, 8N1."""
    return Bus(SerialPort(device, baud), _settings(kind, timeout_s, quarantine_s, baud))


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


def _settings(kind: BusKind, timeout_s: float, quarantine_s: float, baud: int = 0) -> BusSettings:
    return BusSettings(timeout_s, quarantine_s, has_transaction_ids=kind == "modbus_tcp", baud=baud)
