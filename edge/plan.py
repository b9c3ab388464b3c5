"""From settings to buses, drivers and polls: what is asked, how often, in which class. Opens nothing."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from device_drivers import registry
from device_drivers.bus import Bus
from device_drivers.driver import Driver, Listener
from device_drivers.site import TCP_KINDS, ListenerSite, Site
from edge.schedule import Poll, PollClass
from edge.settings import BusSettings, DeviceSettings, PointSettings, Settings

TIMEOUT_MAX_MS = 500
"""How long a reply is waited for where the settings do not say, and no period is shorter."""

_PROFILE_DIRS = (Path("config/profiles"), Path(__file__).parent.parent / "config" / "profiles")
_CLASSES = {
    "door": PollClass.SECURITY,
    "tamper": PollClass.SECURITY,
    "lock": PollClass.CABINET,
    "item": PollClass.CABINET,
}
"""The class that a point of a type asks for; a device takes the most urgent of its points."""


class BusPlan(msgspec.Struct, frozen=True):
    """One bus that asks: its settings, the driver of each device on it, and every read to be repeated."""

    bus: BusSettings
    drivers: dict[str, Driver]
    polls: list[Poll]


class ListenerPlan(msgspec.Struct, frozen=True):
    """One line whose devices speak by themselves."""

    bus: BusSettings
    listener: Listener


def plan(settings: Settings, *, keeps_latches: bool = False) -> list[BusPlan]:
    """The plans of all buses that ask. Raises ProfileFault; settings_check says it kindly.

    `keeps_latches`: for whoever has no journal to tell what a latch held, and must not clear it.
    """
    plans = []
    for bus, devices in _buses(settings):
        if devices[0].driver in registry.LISTENERS:
            continue
        drivers = {
            device.id: build_driver(device, bus, settings.point, keeps_latches=keeps_latches)
            for device in devices
        }
        timed = msgspec.structs.replace(bus, timeout_ms=timeout_ms(bus, devices))
        plans.append(BusPlan(timed, drivers, polls(devices, drivers, settings.point)))
    return plans


def listeners(settings: Settings) -> list[ListenerPlan]:
    """The plans of all lines whose devices speak by themselves. Raises ProfileFault."""
    return [
        ListenerPlan(bus, build_listener(bus, devices, settings.point))
        for bus, devices in _buses(settings)
        if devices[0].driver in registry.LISTENERS
    ]


def build_driver(
    device: DeviceSettings,
    bus: BusSettings,
    points: Iterable[PointSettings],
    *,
    keeps_latches: bool = False,
) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    place = msgspec.structs.replace(site(device, bus, points), keeps_latches=keeps_latches)
    return registry.build(device.driver, place)


def build_listener(
    bus: BusSettings, devices: Sequence[DeviceSettings], points: Sequence[PointSettings]
) -> Listener:
    """The listener of one line. Raises ProfileFault."""
    address = f"{bus.host}:{bus.port}" if bus.kind in TCP_KINDS else bus.device or ""
    sites = {device.id: site(device, bus, points) for device in devices}
    return registry.build_listener(devices[0].driver, ListenerSite(address, bus.baud, sites))


def site(device: DeviceSettings, bus: BusSettings, points: Iterable[PointSettings]) -> Site:
    """What a driver is told of its device's place, and which of its channels points use."""
    return Site(
        bus_kind=bus.kind,
        unit=device.unit,
        baud=0 if bus.kind in ("modbus_tcp", "onvif") else bus.baud,
        max_slice_ms=bus.max_slice_ms,
        channels=tuple(point.channel for point in points if point.device == device.id),
        profile=profile_path(device.profile) if device.profile else None,
        options=device.options,
    )


def build_bus(bus: BusSettings) -> Bus:
    """The bus, not opened: its first read opens it."""
    timeout_s, quarantine_s = (bus.timeout_ms or TIMEOUT_MAX_MS) / 1000, bus.quarantine_ms / 1000
    if bus.kind in TCP_KINDS:
        return registry.tcp_bus(
            bus.kind, bus.host or "", bus.port, timeout_s=timeout_s, quarantine_s=quarantine_s
        )
    return registry.serial_bus(
        bus.kind, bus.device or "", bus.baud, timeout_s=timeout_s, quarantine_s=quarantine_s
    )


def timeout_ms(bus: BusSettings, devices: Iterable[DeviceSettings]) -> int:
    """What the settings say, else the shortest period, on a shared line half of it: a unit that does not
    answer then costs no other its deadline.
    """
    periods_ms = [device.interval_ms for device in devices]
    longest_ms = min([TIMEOUT_MAX_MS, *periods_ms])
    return bus.timeout_ms or (longest_ms // 2 if len(periods_ms) > 1 else longest_ms)


def polls(
    devices: Sequence[DeviceSettings], drivers: dict[str, Driver], points: Iterable[PointSettings]
) -> list[Poll]:
    """Every read of these devices, in the class of the device's most urgent point."""
    classes: dict[str, PollClass] = {}
    for point in points:
        own = _CLASSES.get(point.type, PollClass.TELEMETRY)
        classes[point.device] = min(own, classes.get(point.device, PollClass.TELEMETRY))
    return [
        Poll(device.id, read, classes.get(device.id, PollClass.TELEMETRY), device.interval_ms * 1_000_000)
        for device in devices
        for read in drivers[device.id].reads()
    ]


def profile_path(name: str) -> Path:
    """Where a device profile stands: under the working directory, else as delivered."""
    candidates = [folder / f"{name}.toml" for folder in _PROFILE_DIRS]
    return next((path for path in candidates if path.is_file()), candidates[-1])


def profile_names() -> list[str]:
    """All profiles there are."""
    return sorted({path.stem for folder in _PROFILE_DIRS for path in folder.glob("*.toml")})


def _buses(settings: Settings) -> Iterable[tuple[BusSettings, list[DeviceSettings]]]:
    """Every bus that has devices, with them."""
    for bus in settings.bus:
        devices = [device for device in settings.device if device.bus == bus.id]
        if devices:
            yield bus, devices
