"""A scenario file read and checked: every fault at once, each with its place in the file."""

import ipaddress
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT

from simulators.errors import ScenarioFault
from simulators.faults import why_not
from simulators.makes import MAKES, ON_THEIR_OWN, Make, make_of
from simulators.plant import ACTIVE_VALUE, VALUES, point_kind
from simulators.scenario import DeviceSettings, Scenario
from simulators.sealing import SEALINGS

SCENARIOS = Path(__file__).parent / "scenarios"
"""Those that are delivered; they can be named without folder and ending."""


def scenario_path(name: str) -> Path:
    """A scenario by its path, or by the name of one that is delivered."""
    delivered = SCENARIOS / f"{name}.toml"
    return delivered if delivered.is_file() and not Path(name).exists() else Path(name)


def delivered_scenarios() -> list[tuple[str, str]]:
    """Name and title of each that is delivered."""
    found = [(path.stem, _read(path)) for path in sorted(SCENARIOS.glob("*.toml"))]
    return [(name, str(raw.get("title", ""))) for name, raw in found if "title" in raw]


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file, on top of the site that it names. Raises ScenarioFault."""
    raw = _read(path)
    if isinstance(site := raw.get("site"), str):
        raw = _read(path.parent / site) | raw
    return parse_scenario(raw)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise ScenarioFault([f"{path}: {fault}"]) from fault


def parse_scenario(raw: dict[str, Any]) -> Scenario:
    """A scenario from parsed TOML. Raises ScenarioFault with every fault found."""
    if faults := list(_shape_faults(raw, Scenario, "")):
        raise ScenarioFault(faults)
    scenario = msgspec.convert(raw, Scenario)
    if faults := list(_sense_faults(scenario)):
        raise ScenarioFault(faults)
    return scenario


def _shape_faults(raw: dict[str, Any], kind: type[msgspec.Struct], where: str) -> Iterator[str]:
    """Keys unknown or missing, and values of the wrong type or out of bounds, all of them."""
    fields = {known.encode_name: known for known in msgspec.structs.fields(kind)}
    for key in raw.keys() - fields.keys():
        yield f"{where}{key}: unknown; known here: {', '.join(sorted(fields))}"
    for key, known in fields.items():
        if key in raw:
            yield from _value_faults(raw[key], known.type, f"{where}{key}")
        elif known.default is NODEFAULT and known.default_factory is NODEFAULT:
            yield f"{where}{key}: missing"


def _value_faults(value: Any, kind: Any, where: str) -> Iterator[str]:
    struct = next((part for part in (kind, *get_args(kind)) if _is_struct(part)), None)
    if struct and get_origin(kind) is list and isinstance(value, list):
        for number, entry in enumerate(value, start=1):
            yield from _value_faults(entry, struct, f"{where}[{number}]")
    elif struct and isinstance(value, dict):
        yield from _shape_faults(value, struct, f"{where}.")
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as fault:
            yield f"{where}: {fault}"


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _sense_faults(scenario: Scenario) -> Iterator[str]:
    """Faults between values that are each well formed."""
    if not _is_loopback(scenario.control.host):
        yield f"control.host: {scenario.control.host} is not a loopback address; the page knows no sign-in"
    for name in ("gap_s", "open_s") if scenario.activity else ():
        shortest, longest = getattr(scenario.activity, name)
        if shortest > longest:
            yield f"activity.{name}: the shortest, {shortest}, is above the longest, {longest}"
    yield from _device_faults(scenario)
    yield from _clashes(scenario)
    yield from _act_faults(scenario)


def _device_faults(scenario: Scenario) -> Iterator[str]:
    cables = {cable.id: cable for cable in scenario.cable}
    for number, cable in enumerate(scenario.cable, start=1):
        if bool(cable.pty) == (cable.tcp is not None):
            yield f"cable[{number}]: needs either pty or tcp"
        if not any(device.cable == cable.id for device in scenario.device):
            yield f"cable[{number}]: no device is on {cable.id}"
    for number, device in enumerate(scenario.device, start=1):
        where = f"device[{number}]"
        make = make_of(device.make)
        if device.cable not in cables:
            yield f"{where}.cable: {device.cable}: no such cable; there are {', '.join(cables)}"
        if make is None:
            yield f"{where}.make: {device.make}: no such make; there are {', '.join(MAKES)}, or profile:NAME"
            continue
        speaks = cables[device.cable].speaks if device.cable in cables else make.speaks[0]
        if speaks not in make.speaks:
            yield f"{where}.make: a {device.make} does not speak {speaks}"
        yield from _wiring_faults(where, device, make)


def _wiring_faults(where: str, device: DeviceSettings, make: Make) -> Iterator[str]:
    if make.kind == "module":
        for key in device.wires:
            if not key.isdecimal() or int(key) >= make.channels:
                yield f"{where}.wires.{key}: a {device.make} has inputs 0 to {make.channels - 1}"
    if make.kind == "cabinet" and not device.cabinet:
        yield f"{where}.cabinet: missing; a lock board has one"
    if make.kind == "cabinet" and device.slots > make.channels:
        yield f"{where}.slots: a {device.make} has {make.channels}"
    if make.kind == "camera" and not (device.room and device.user and device.password):
        yield f"{where}: a network camera has a room, a user and a password"
    if make.kind == "card_reader" and not device.key:
        yield f"{where}.key: missing; a card reader has one"


def _clashes(scenario: Scenario) -> Iterator[str]:
    """What only one may have, and several claim."""
    ports = [scenario.control.port, *(cable.tcp for cable in scenario.cable if cable.tcp is not None)]
    if scenario.camera_settings():
        ports.append(scenario.cameras.port)
    claims: dict[str, list[str]] = {
        "cable id": [cable.id for cable in scenario.cable],
        "device id": [device.id for device in scenario.device],
        "unit": [f"{device.unit} of {device.cable}" for device in scenario.device],
        "port": [str(port) for port in ports if port],
        "path": [cable.pty for cable in scenario.cable if cable.pty],
        "point": scenario.points(),
        "station id": [station.id for station in scenario.station],
        "room id": [room.id for station in scenario.station for room in station.room],
    }
    for what, claimed in claims.items():
        for claim, times in Counter(claimed).items():
            if times > 1:
                yield f"{what} {claim}: used {times} times"


def _act_faults(scenario: Scenario) -> Iterator[str]:
    points = set(scenario.points())
    for number, act in enumerate(scenario.act, start=1):
        if act.point not in points:
            yield f"act[{number}].point: {act.point} is wired to nothing"
        elif act.value not in (values := VALUES[point_kind(act.point)]):
            yield f"act[{number}].value: {act.value!r} is not one of {', '.join(values)}"
    for number, move in enumerate(scenario.move, start=1):
        for point in move.points:
            if point not in points:
                yield f"move[{number}].points: {point} is wired to nothing"
            elif point_kind(point) not in ACTIVE_VALUE:
                yield f"move[{number}].points: {point} is no contact"
    yield from _planned_fault_faults(scenario)


def _planned_fault_faults(scenario: Scenario) -> Iterator[str]:
    cables = {cable.id: cable for cable in scenario.cable}
    for number, fault in enumerate(scenario.fault, start=1):
        where, cable = f"fault[{number}]", cables.get(fault.cable)
        if cable is None:
            yield f"{where}.cable: {fault.cable}: no such cable"
            continue
        units = [device.unit for device in scenario.device if device.cable == cable.id]
        if fault.unit is not None and fault.unit not in units:
            yield f"{where}.unit: {fault.unit} is not on {cable.id}"
        if cable.speaks in ON_THEIR_OWN:
            yield f"{where}.cable: {cable.id} speaks {cable.speaks}; use its devices' acts"
        elif why := why_not(fault.fault, SEALINGS.get(cable.speaks), is_network=cable.tcp is not None):
            yield f"{where}.kind: {why}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
