"""From settings to buses, drivers and polls: what is asked, how often, in which class. Opens nothing."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from device_drivers import registry
from device_drivers.bus import Bus
from device_drivers.driver import Driver
from edge.schedule import Poll, PollClass
from edge.settings import TCP_KINDS, BusSettings, DeviceSettings, PointSettings, Settings

_PROFILE_DIRS = (Path("config/profiles"), Path(__file__).parent.parent / "config" / "profiles")


class BusPlan(msgspec.Struct, frozen=True):
    """One bus: its settings, the driver of each device on it, and every read to be repeated."""

    bus: BusSettings
    drivers: dict[str, Driver]
    polls: list[Poll]


def plan(settings: Settings) -> list[BusPlan]:
    """The plans of all buses that have devices. Raises ProfileFault; settings_check says it kindly."""
    plans = []
    for bus in settings.bus:
        devices = [device for device in settings.device if device.bus == bus.id]
        drivers = {device.id: build_driver(device, bus, settings.point) for device in devices}
        if devices:
            plans.append(BusPlan(bus, drivers, polls(devices, drivers, settings.point)))
    return plans


def build_driver(device: DeviceSettings, bus: BusSettings, points: Iterable[PointSettings]) -> Driver:
    """The driver of one device. Raises ProfileFault.

    A lock board reports locks or item sensors, whichever its feedback inputs are wired to: its points say.
    """
    options = {}
    if device.driver == "lock_8a":
        is_items = any(p.device == device.id and p.channel.startswith("item:") for p in points)
        options = {"channel": "item" if is_items else "lock"}
    profile = profile_path(device.profile) if device.profile else None
    return registry.build(
        device.driver, unit=device.unit, bus_kind=bus.kind, profile=profile, options=options
    )


def build_bus(bus: BusSettings) -> Bus:
    """The bus, not opened: its first read opens it."""
    timeout_s, quarantine_s = bus.timeout_ms / 1000, bus.quarantine_ms / 1000
    if bus.kind in TCP_KINDS:
        return registry.tcp_bus(
            bus.kind, bus.host or "", bus.port, timeout_s=timeout_s, quarantine_s=quarantine_s
        )
    return registry.serial_bus(
        bus.kind, bus.device or "", bus.baud, timeout_s=timeout_s, quarantine_s=quarantine_s
    )


def polls(
    devices: Sequence[DeviceSettings], drivers: dict[str, Driver], points: Iterable[PointSettings]
) -> list[Poll]:
    """Every read of these devices. A device with a door on it is a security device."""
    doors = {point.device for point in points if point.type == "door"}
    return [
        Poll(
            device.id,
            read,
            PollClass.SECURITY if device.id in doors else PollClass.CABINET,
            device.interval_ms * 1_000_000,
        )
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
