"""Reads a settings file and says everything that is wrong with it at once, each with line, path and hint.

First every key of every table on its own and every name that it refers to, then what the tables say of
each other, last whether the buses can carry it. A table with a fault of its own is left out of the later
checks, but its id counts as known, so that one mistake is told once.
"""

import difflib
import hashlib
import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import NODEFAULT

from contract.limits import BIRTH_MAX_POINTS
from device_drivers import registry
from device_drivers.driver import Driver
from device_drivers.errors import ProfileFault
from device_drivers.site import TCP_KINDS
from edge import house_rules, plan
from edge.bus_load import REFUSE_AT, WARN_AT, BusLoad, bus_load, exchange_ms
from edge.errors import SettingsFault
from edge.secret_files import secret_files
from edge.settings import (
    BrokerSettings,
    BusSettings,
    CameraSettings,
    DeviceSettings,
    EdgeSettings,
    MediaSettings,
    PointSettings,
    RulesSettings,
    Settings,
)
from edge.toml_file import KeyPath, Problem, TomlFile

_SINGLE: dict[str, type[msgspec.Struct]] = {
    "edge": EdgeSettings,
    "broker": BrokerSettings,
    "rules": RulesSettings,
    "media": MediaSettings,
}
_MANY: dict[str, type[msgspec.Struct]] = {
    "bus": BusSettings,
    "device": DeviceSettings,
    "point": PointSettings,
    "camera": CameraSettings,
}
_REQUIRED = ("edge", "broker")
_REFERS = {("device", "bus"): "bus", ("point", "device"): "device"}
_LOOPBACK = "127.0.0.1"
_WHERE = re.compile(r" - at `.*`$")


class CheckedSettings(msgspec.Struct, frozen=True):
    """`settings` is None if any problem is more than a warning."""

    settings: Settings | None
    problems: list[Problem]
    loads: list[BusLoad]


def check(path: Path) -> CheckedSettings:
    """Everything there is to say about a settings file."""
    return _Check(TomlFile(path)).run()


def load(path: Path) -> Settings:
    """Settings without fault. Raises SettingsFault that lists every fault."""
    checked = check(path)
    if checked.settings is None:
        raise SettingsFault("\n".join(str(problem) for problem in checked.problems))
    return checked.settings


def as_written(path: Path) -> Settings | None:
    """Settings whose every table is sound, whatever else is wrong with them; for showing, not for running."""
    try:
        return msgspec.convert(TomlFile(path).table, Settings)
    except msgspec.ValidationError:
        return None


def fingerprint(path: Path, settings: Settings) -> str:
    """SHA-256 (hex) over the settings file and every device profile it names."""
    digest = hashlib.sha256(path.read_bytes())
    for name in sorted({device.profile for device in settings.device if device.profile}):
        digest.update(plan.profile_path(name).read_bytes())
    return digest.hexdigest()


class _Check:
    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self._tables: dict[str, list[tuple[KeyPath, Any]]] = {name: [] for name in (*_SINGLE, *_MANY)}
        self._loads: list[BusLoad] = []
        self._channels: dict[str, tuple[str, ...]] = {}

    def run(self) -> CheckedSettings:
        if not self._file.has_faults:
            self._decode()
            self._check_secrets()
            self._check_buses()
            self._check_points()
            drivers = self._check_devices()
            self._check_channels()
            self._check_house()
            self._check_load(drivers)
        settings = None
        if not self._file.has_faults:
            settings = msgspec.convert(self._file.table, Settings)
        problems = sorted(self._file.problems, key=lambda problem: problem.line)
        return CheckedSettings(settings, problems, self._loads)

    def _decode(self) -> None:
        table = self._file.table
        for name in _REQUIRED:
            if name not in table:
                self._file.add((), f"table [{name}] is missing")
        for name, value in table.items():
            if name in _SINGLE:
                self._decode_table((name,), value, _SINGLE[name])
            elif name in _MANY and isinstance(value, list):
                for index, entry in enumerate(value):
                    self._decode_table((name, index), entry, _MANY[name])
            elif name in _MANY:
                self._file.add((name,), f"must be written [[{name}]]")
            else:
                self._file.add((name,), "unknown table", nearest(name, self._tables))

    def _decode_table(self, path: KeyPath, table: object, kind: type[msgspec.Struct]) -> None:
        """Every key on its own, because msgspec stops at the first fault of a table."""
        if not isinstance(table, dict):
            self._file.add(path, "must be a table")
            return
        before = len(self._file.problems)
        sound: dict[str, object] = {}
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key, value in table.items():
            if key not in fields:
                self._file.add((*path, key), "unknown key", nearest(key, fields))
                continue
            try:
                sound[key] = msgspec.convert(value, fields[key].type)
            except msgspec.ValidationError as error:
                description = described(fields[key].type)
                text = f"is no {description}" if description else _WHERE.sub("", str(error))
                self._file.add((*path, key), text, allowed(fields[key].type))
        for key, field in fields.items():
            if key not in table and field.default is NODEFAULT and field.default_factory is NODEFAULT:
                self._file.add((*path, key), "is missing")
        if len(self._file.problems) == before:
            self._tables[str(path[0])].append((path, msgspec.convert(table, kind)))
        for key, value in sound.items():
            self._check_reference((*path, key), value)

    def _check_secrets(self) -> None:
        """But those of devices: their drivers read them, and say so as they are made."""
        for path, broker in self._tables["broker"]:
            if broker.password_file and not broker.username:
                self._file.add((*path, "password_file"), "needs a username")
            else:
                self._check_secret(path, broker)
        for path, table in (*self._tables["media"], *self._tables["camera"]):
            self._check_secret(path, table)

    def _check_secret(self, path: KeyPath, table: msgspec.Struct) -> None:
        for key, name in secret_files(table):
            try:
                if not Path(name).read_text("utf-8").strip():
                    self._file.add((*path, key), f"{name} is empty")
            except OSError as error:
                self._file.add((*path, key), f"{name} cannot be read: {error.strerror}")
            except UnicodeDecodeError:
                self._file.add((*path, key), f"{name} is not UTF-8")

    def _check_buses(self) -> None:
        self._check_unique("bus", "id")
        lines: dict[str, str] = {}
        for path, bus in self._tables["bus"]:
            needed, foreign = ("host", "device") if bus.kind in TCP_KINDS else ("device", "host")
            if not getattr(bus, needed):
                self._file.add((*path, needed), f"is missing: a bus of kind {bus.kind} needs it")
            if getattr(bus, foreign):
                self._file.add((*path, foreign), f"means nothing to a bus of kind {bus.kind}")
            line = line_of(bus)
            where = f"{bus.host}:{bus.port}" if bus.kind in TCP_KINDS else bus.device
            if line in lines:
                self._file.add(
                    (*path, needed), f"{where} is bus {lines[line]} already: a line has one master"
                )
            lines.setdefault(line, bus.id)

    def _check_points(self) -> None:
        self._check_unique("point", "id")
        self._check_unique("camera", "point")
        points = {point.id for _, point in self._tables["point"]}
        for path, camera in self._tables["camera"]:
            if camera.point in points:
                self._file.add((*path, "point"), f"{camera.point} is the id of a [[point]] already")
        if len(self._tables["point"]) + len(self._tables["camera"]) > BIRTH_MAX_POINTS:
            self._file.add((), f"more than {BIRTH_MAX_POINTS} points: split the station over two edges")

    def _check_devices(self) -> dict[str, Driver]:
        """Each device on its bus. Returns the drivers of those that are asked and could be made."""
        self._check_unique("device", "id")
        buses = {bus.id: bus for _, bus in self._tables["bus"]}
        points = [point for _, point in self._tables["point"]]
        units: dict[tuple[str, int], str] = {}
        drivers = {}
        for path, device in self._tables["device"]:
            place = (device.bus, device.unit)
            if place in units:
                self._file.add(
                    (*path, "unit"), f"{device.unit} is {units[place]} on bus {device.bus} already"
                )
            units.setdefault(place, device.id)
            bus = buses.get(device.bus) or _likely_bus(device)
            if bus is None or device.profile not in {None, *plan.profile_names()}:
                continue
            try:
                if device.driver in registry.LISTENERS:
                    self._channels |= plan.build_listener(bus, [device], points).channels
                    continue
                driver = plan.build_driver(device, bus, points)
                self._channels[device.id] = tuple(c for read in driver.reads() for c in read.channels)
                if device.bus in buses:
                    drivers[device.id] = driver
            except ProfileFault as error:
                key = str(error).partition(":")[0]
                key = "profile" if key.endswith(".toml") else key
                is_key = key in {"profile", "unit", "bus", "options"}
                self._file.add((*path, key) if is_key else path, str(error))
        return drivers

    def _check_channels(self) -> None:
        taken: dict[tuple[str, str], str] = {}
        for path, point in self._entries("point"):
            device, channel = str(point.get("device")), str(point.get("channel"))
            if (device, channel) in taken:
                self._file.add((*path, "channel"), f"{channel} is {taken[device, channel]} already")
            taken.setdefault((device, channel), str(point.get("id")))
            channels = self._channels.get(device, ())
            if channels and channel not in channels and "channel" in point:
                hint = f"it has {channels[0]} to {channels[-1]}"
                self._file.add((*path, "channel"), f"{device} has no {channel}", hint)
        used = {point.device for _, point in self._tables["point"]}
        for path, device in self._tables["device"]:
            if device.id not in used and not self._file.has_faults:
                self._file.add(path, f"no point is on {device.id}", is_warning=True)

    def _check_house(self) -> None:
        """What the county's rules and the lines themselves forbid."""
        buses, devices, points, cameras = (self._tables[n] for n in ("bus", "device", "point", "camera"))
        rules = next((rules for _, rules in self._tables["rules"]), RulesSettings())
        for fault in (
            *house_rules.unsupervised_doors(rules, points, devices),
            *house_rules.forbidden_cameras(rules, cameras, points, devices),
            *house_rules.mistaken_points(points, devices),
            *house_rules.strangers_on_a_line(buses, devices),
            *house_rules.crowded_lines(devices),
            *house_rules.cameras_nowhere(cameras),
        ):
            self._file.add(fault.path, fault.text, fault.hint)

    def _check_load(self, drivers: dict[str, Driver]) -> None:
        points = [point for _, point in self._tables["point"]]
        for path, bus in self._tables["bus"]:
            if bus.kind in registry.HEARD_KINDS:
                continue
            devices = [d for _, d in self._tables["device"] if d.bus == bus.id and d.id in drivers]
            timed = msgspec.structs.replace(bus, timeout_ms=plan.timeout_ms(bus, devices))
            load = bus_load(timed, plan.polls(devices, drivers, points))
            self._loads.append(load)
            use = f"{load.utilisation:.0%} of bus {bus.id} would be in use"
            hint = "longer intervals, a higher baud, or a second bus"
            if load.utilisation >= REFUSE_AT:
                self._file.add(path, use, hint)
            elif load.utilisation >= WARN_AT:
                self._file.add(path, use, hint, is_warning=True)
            reads = [read for device in devices for read in drivers[device.id].reads()]
            exchanges_ms = (exchange_ms(bus, read) / read.exchanges for read in reads if not read.window_ms)
            longest_ms = max(exchanges_ms, default=0)
            timeout_ms = plan.timeout_ms(bus, devices)
            if longest_ms >= timeout_ms:
                text = f"{timeout_ms} ms is less than an exchange takes ({longest_ms:.0f} ms)"
                self._file.add((*path, "timeout_ms"), text)
            for _, device in self._tables["device"]:
                if device.bus == bus.id and bus.timeout_ms and bus.timeout_ms > device.interval_ms:
                    period = f"the {device.interval_ms} ms period of {device.id}"
                    text = f"{bus.timeout_ms} ms is longer than {period}"
                    hint = "a dead unit would cost the others their deadlines; leave timeout_ms out"
                    self._file.add((*path, "timeout_ms"), text, hint)
                    break

    def _check_reference(self, path: KeyPath, name: object) -> None:
        """A name that stands for something else: that must be there. Ids of tables with faults count."""
        table = _REFERS.get((str(path[0]), str(path[-1])))
        known_drivers = [*registry.DRIVERS, *registry.LISTENERS]
        if path[-1] == "driver" and name not in known_drivers:
            self._file.add(path, f"no driver {name}", nearest(str(name), known_drivers))
        if path[-1] == "profile" and name not in plan.profile_names():
            self._file.add(path, f"no profile {name}", nearest(str(name), plan.profile_names()))
        if table is None:
            return
        entries = self._file.table.get(table, [])
        entries = entries if isinstance(entries, list) else [entries]
        known = [str(entry.get("id")) for entry in entries if isinstance(entry, dict)]
        if name not in known:
            self._file.add(path, f"no [[{table}]] has the id {name}", nearest(str(name), known))

    def _check_unique(self, table: str, key: str) -> None:
        seen = set()
        for path, entry in self._entries(table):
            value = entry.get(key)
            if isinstance(value, str) and value in seen:
                self._file.add((*path, key), f"{value} is there twice")
            seen.add(str(value))

    def _entries(self, table: str) -> list[tuple[KeyPath, dict[str, Any]]]:
        """The tables of a name as they are written, those with faults too."""
        entries = self._file.table.get(table, [])
        entries = entries if isinstance(entries, list) else []
        return [((table, index), entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]


def line_of(bus: BusSettings) -> str:
    """One text for one line, by whichever of its names a bus has it; DNS is not asked."""
    if bus.kind not in TCP_KINDS:
        return os.path.realpath(bus.device or "")
    host = (bus.host or "").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"{_LOOPBACK if host == 'localhost' else host} {bus.port}"
    mapped = getattr(address, "ipv4_mapped", None)
    return f"{_LOOPBACK if address == ipaddress.ip_address('::1') else mapped or address} {bus.port}"


def _likely_bus(device: DeviceSettings) -> BusSettings | None:
    """A bus such as this device needs, where the settings name one that is not there: so that what is wrong
    with the device itself is told all the same. None for a driver that nobody knows.
    """
    if device.driver in registry.DRIVERS:
        kind = registry.DRIVERS[device.driver].buses[0]
    elif device.driver in registry.LISTENERS:
        kind = registry.LISTENERS[device.driver].bus
    else:
        return None
    return BusSettings(id="likely", kind=kind, host="127.0.0.1", device="likely")


def allowed(kind: Any) -> str:
    """A hint for a value that is none of a few words."""
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, msgspec.inspect.LiteralType):
        return "one of " + ", ".join(str(value) for value in info.values)
    return ""


def described(kind: Any) -> str:
    """What a type says of itself, where its pattern would tell an installer nothing."""
    info = msgspec.inspect.type_info(kind)
    parts = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
    told = [part.extra_json_schema or {} for part in parts if isinstance(part, msgspec.inspect.Metadata)]
    return next((str(words["description"]) for words in told if "description" in words), "")


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name."""
    names: Sequence[str] = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names[:12])}" if names else ""
