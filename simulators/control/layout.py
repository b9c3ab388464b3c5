"""What the control page draws: stations with their rooms, and every device with what is wired to it."""

from typing import Any

import msgspec

from simulators.installation import CAMERAS, Installation
from simulators.module_map import MODULE_MAPS
from simulators.scenario import Room


def layout(installation: Installation) -> dict[str, Any]:
    """JSON for GET /layout. A device's address is the one it really has."""
    scenario, online = installation.scenario, installation.online()
    power = {
        device: {"id": device, "address": installation.address(device), "online": is_online}
        for device, is_online in online.items()
    }
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
        "modules": [
            {
                "map": module.map,
                "unit": module.unit,
                "channels": MODULE_MAPS[module.map].channels,
                "inputs": module.inputs,
                **power[module.id],
            }
            for module in scenario.module
        ],
        "lock_lines": [
            {
                "cabinet": line.cabinet,
                "boards": [line.board, line.item_board],
                "slots": [
                    {"lock": lock, "item": item}
                    for lock, item in zip(line.locks(), line.items(), strict=True)
                ],
                **power[line.id],
            }
            for line in scenario.lock_line
        ],
        "cameras": power.get(CAMERAS),
    }


def _room(room: Room, wired: set[str]) -> dict[str, Any]:
    points = {kind: f"{room.id}.{kind}" for kind in ("door", "picture")}
    return {
        "id": room.id,
        "name": msgspec.to_builtins(room.name),
        **{kind: point if point in wired else None for kind, point in points.items()},
    }
