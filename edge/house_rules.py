"""What a station may not have: doors on unsupervised wires, cameras where persons meet their lawyer, lines
on which a reply could be anybody's. Pure: the tables of the settings in, faults with their place out.
"""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

import msgspec

from device_drivers import registry
from device_drivers.site import ListenerKind, PolledKind
from edge.settings import BusSettings, CameraSettings, DeviceSettings, PointSettings, RulesSettings
from edge.toml_file import KeyPath

PORT_MAX = 65_535

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


def forbidden_cameras(
    rules: RulesSettings,
    cameras: Tables[CameraSettings],
    points: Tables[PointSettings],
    devices: Tables[DeviceSettings],
) -> Iterator[HouseFault]:
    """Cameras in rooms that must have none, whether they are recorded or only tell what they notice."""
    listeners = {device.id: registry.LISTENERS.get(device.driver) for _, device in devices}
    seeing = {device for device, kind in listeners.items() if kind is not None and kind.is_camera}
    places = [(path, camera.point, "point") for path, camera in cameras]
    places += [(path, point.id, "id") for path, point in points if point.device in seeing]
    for path, point, key in places:
        room = point.rpartition(".")[0]
        if any(fnmatchcase(room, pattern) for pattern in rules.no_av):
            text = f"{room} may have no camera: persons meet their lawyer there"
            yield HouseFault((*path, key), text, "take the camera out ([rules] no_av)")


def mistaken_points(points: Tables[PointSettings], devices: Tables[DeviceSettings]) -> Iterator[HouseFault]:
    """Points that take a channel for what it is not, such as a modem for a door: their rows would lie."""
    kinds: dict[str, PolledKind | ListenerKind] = {**registry.DRIVERS, **registry.LISTENERS}
    types = {d.id: kinds[d.driver].point_types for _, d in devices if d.driver in kinds}
    for path, point in points:
        allowed = types.get(point.device, {}).get(point.channel.partition(":")[0], (point.type,))
        if point.type not in allowed:
            text = f"{point.channel} of {point.device} is no {point.type}"
            yield HouseFault((*path, "type"), text, f"it takes {' or '.join(allowed)}")


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


def crowded_lines(devices: Tables[DeviceSettings]) -> Iterator[HouseFault]:
    """Lines with more listened-to devices than one listener can serve."""
    on_line: dict[str, int] = {}
    for path, device in devices:
        if device.driver not in registry.LISTENERS:
            continue
        most = registry.LISTENERS[device.driver].devices_max
        on_line[device.bus] = on_line.get(device.bus, 0) + 1
        if on_line[device.bus] > most:
            text = f"bus {device.bus} has {most} already, and {device.driver} takes no more on one"
            yield HouseFault((*path, "bus"), text, "give it a bus of its own")


def cameras_nowhere(cameras: Tables[CameraSettings]) -> Iterator[HouseFault]:
    """Cameras with no address, or with two, and words that only a camera asked by ONVIF understands."""
    for path, camera in cameras:
        if camera.url is None and camera.onvif is None:
            hint = 'url = "rtsp://…", or onvif = "host:port" to ask the camera for it'
            yield HouseFault((*path, "url"), "is missing", hint)
        elif camera.url is not None and camera.onvif is not None:
            yield HouseFault(
                (*path, "onvif"), "url says already where the camera is", "leave one of them out"
            )
        elif camera.onvif is not None and not 1 <= int(camera.onvif.rpartition(":")[2]) <= PORT_MAX:
            yield HouseFault((*path, "onvif"), f"{camera.onvif.rpartition(':')[2]} is no port", "often 80")
        elif camera.onvif is None:
            for key in ("user", "password_file"):
                if getattr(camera, key):
                    hint = "it belongs to onvif; with a url they stand in the url"
                    yield HouseFault((*path, key), "means nothing beside a url", hint)
        elif bool(camera.user) is not bool(camera.password_file):
            missing = "password_file" if camera.user else "user"
            yield HouseFault((*path, missing), "is missing", "a user and a password belong together")


def _is_supervised(driver: str) -> bool:
    return driver in registry.DRIVERS and registry.DRIVERS[driver].is_supervised
