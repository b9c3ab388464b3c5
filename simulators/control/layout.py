"""What the control page draws: stations with their rooms, and every cable with its devices."""

from typing import Any

import msgspec

from simulators.cable import Cable
from simulators.installation import CAMERAS, Installation
from simulators.makes import make_of
from simulators.scenario import CableSettings, DeviceSettings, Room


def layout(installation: Installation) -> dict[str, Any]:
    """JSON for GET /layout. A cable's address is the one it really has."""
    scenario, online = installation.scenario, installation.online()
    wired = set(scenario.points())
    return {
        "stations": [
            {
                "id": station.id,
                "name": msgspec.to_builtins(station.name),
                "rooms": [_room(room, wired) for room in station.room],
            }
            for station in scenario.station
        ],
        "cables": [_cable(cable, installation) for cable in scenario.cable],
        "cameras": {
            "id": CAMERAS,
            "address": installation.line(CAMERAS).address,
            "online": online[CAMERAS],
        }
        if CAMERAS in online
        else None,
    }


def _cable(cable: CableSettings, installation: Installation) -> dict[str, Any]:
    line = installation.line(cable.id)
    acts = line.acts()
    return {
        "id": cable.id,
        "address": line.address,
        "speaks": cable.speaks,
        "baud": cable.baud,
        "online": installation.online()[cable.id],
        "has_faults": isinstance(line, Cable),
        "faults": line.fitting_faults() if isinstance(line, Cable) else [],
        "devices": [
            _device(device, acts.get(device.unit, ()))
            for device in installation.scenario.device
            if device.cable == cable.id
        ],
    }


def _device(device: DeviceSettings, acts: tuple[str, ...]) -> dict[str, Any]:
    make = make_of(device.make)
    assert make is not None, "the scenario was checked"
    locks, items = device.locks(), device.items()
    slots = device.slots if make.kind == "cabinet" else 0
    return {
        "id": device.id,
        "make": device.make,
        "unit": device.unit,
        "kind": make.kind,
        "channels": make.channels,
        "wires": device.wires if make.kind == "module" else {},
        "slots": [
            {"lock": locks[n] if locks else None, "item": items[n] if items else None} for n in range(slots)
        ],
        "tags": [{"epc": epc, "point": point} for epc, point in device.wires.items()]
        if make.kind == "reader"
        else [],
        "acts": acts,
    }


def _room(room: Room, wired: set[str]) -> dict[str, Any]:
    points = {kind: f"{room.id}.{kind}" for kind in ("door", "picture")}
    return {
        "id": room.id,
        "name": msgspec.to_builtins(room.name),
        **{kind: point if point in wired else None for kind, point in points.items()},
    }
