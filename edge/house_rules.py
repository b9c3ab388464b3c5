"""What a station may not have: doors on unsupervised wires, cameras where persons meet their lawyer, lines
on which a reply could be anybody's. Pure: the tables of the settings in, faults with their place out.
"""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

import msgspec

from device_drivers import registry
from edge.settings import BusSettings, CameraSettings, DeviceSettings, PointSettings, RulesSettings
from edge.toml_file import KeyPath

T = TypeVar("T")
Tables = Sequence[tuple[KeyPath, T]]


class HouseFault(msgspec.Struct, frozen=True):
    path: KeyPath
    text: str
    hint: str


def unsupervised_doors(
    rules: RulesSettings, points: Tables[PointSettings], devices: Tables[DeviceSettings]
) -> Iterator[HouseFault]:
    """Doors that the rules want on an input which knows a cut or bridged wire, and that are on another."""
    supervised = {device.id for _, device in devices if _is_supervised(device.driver)}
    for path, point in points:
        asks = any(fnmatchcase(point.id, pattern) for pattern in rules.supervised_doors)
        if point.type == "door" and asks and point.device not in supervised:
            text = f"{point.id} has to be on a supervised input, {point.device} has none"
            hint = "an end-of-line device such as driver modbus_ai_supervised ([rules] supervised_doors)"
            yield HouseFault((*path, "device"), text, hint)


def forbidden_cameras(rules: RulesSettings, cameras: Tables[CameraSettings]) -> Iterator[HouseFault]:
    """Cameras in rooms that must have none."""
    for path, camera in cameras:
        room = camera.point.rpartition(".")[0]
        if any(fnmatchcase(room, pattern) for pattern in rules.no_av):
            text = f"{room} may have no camera: persons meet their lawyer there"
            yield HouseFault((*path, "point"), text, "take the camera out ([rules] no_av)")


def strangers_on_a_line(buses: Tables[BusSettings], devices: Tables[DeviceSettings]) -> Iterator[HouseFault]:
    """Devices that speak another protocol than the first on their line, or whose replies name no unit."""
    lines = {bus.id for _, bus in buses if bus.kind != "modbus_tcp"}
    first: dict[str, DeviceSettings] = {}
    for path, device in devices:
        if device.bus not in lines or device.driver not in registry.DRIVERS:
            continue
        before = first.setdefault(device.bus, device)
        if before is device:
            continue
        own, other = registry.DRIVERS[device.driver], registry.DRIVERS[before.driver]
        if own.protocol != other.protocol:
            text = f"{device.driver} and {before.driver} of {before.id} speak different protocols on one line"
            yield HouseFault((*path, "bus"), text, "give it a line of its own")
        elif not own.is_addressed:
            text = f"{before.id} is on bus {device.bus} already, and replies of {device.driver} name no unit"
            yield HouseFault((*path, "bus"), text, "give it a line of its own")


def _is_supervised(driver: str) -> bool:
    return driver in registry.DRIVERS and registry.DRIVERS[driver].is_supervised
