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
from simulators.module_map import MODULE_MAPS
from simulators.plant import VALUES, point_kind
from simulators.scenario import Scenario


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioFault."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise ScenarioFault([f"{path}: {fault}"]) from fault
    return parse_scenario(raw)


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
    for number, line in enumerate(scenario.lock_line, start=1):
        if line.board == line.item_board:
            yield f"lock_line[{number}].item_board: {line.item_board} is the lock board's own number"
    for name in ("gap_s", "open_s") if scenario.activity else ():
        shortest, longest = getattr(scenario.activity, name)
        if shortest > longest:
            yield f"activity.{name}: the shortest, {shortest}, is above the longest, {longest}"
    yield from _module_faults(scenario)
    yield from _clashes(scenario)
    yield from _act_faults(scenario)


def _module_faults(scenario: Scenario) -> Iterator[str]:
    for number, module in enumerate(scenario.module, start=1):
        where = f"module[{number}]"
        if module.kind == "rtu" and not module.path:
            yield f"{where}.path: missing; kind rtu needs one"
        channels = MODULE_MAPS[module.map].channels
        for key in module.inputs:
            if not key.isdecimal() or int(key) >= channels:
                yield f"{where}.inputs.{key}: a {module.map} has inputs 0 to {channels - 1}"


def _clashes(scenario: Scenario) -> Iterator[str]:
    """What only one may have, and several claim."""
    ports = [scenario.control.port, *(module.port for module in scenario.module if module.kind == "tcp")]
    if scenario.camera_settings():
        ports.append(scenario.cameras.port)
    ids = [module.id for module in scenario.module] + [line.id for line in scenario.lock_line]
    paths = [module.path for module in scenario.module if module.kind == "rtu"]
    paths += [line.path for line in scenario.lock_line]
    claims: dict[str, list[str]] = {
        "device id": ids,
        "port": [str(port) for port in ports if port],
        "path": paths,
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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
