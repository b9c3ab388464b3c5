"""A supervised contact from its wire to its rows: driver and points against a simulated analogue module."""

from pathlib import Path

import pytest

from contract.ids import PointId
from contract.points import Clock
from device_drivers import registry
from device_drivers.bus import Bus
from device_drivers.site import Site
from edge.clock import Stamp
from edge.points import Points
from edge.settings import PointSettings
from simulators.input_module import InputModule
from simulators.modbus_units import ModbusTcpUnits
from simulators.module_map import MODULE_MAPS
from simulators.plant import Plant
from tests.support.simulated_line import tcp_units

PROFILES = Path(__file__).parents[2] / "config/profiles"
DOOR, WIRE = PointId("liuxu.int1.door"), "liuxu.int1.wire"


class Room:
    """A door whose contact stands at input 3 of an analogue module."""

    def __init__(self, profile: str) -> None:
        self.plant = Plant([DOOR, WIRE])
        self.units = ModbusTcpUnits({1: InputModule(MODULE_MAPS[profile], {3: DOOR}, self.plant)})
        path = PROFILES / f"{profile}.toml"
        site = Site(bus_kind="modbus_tcp", channels=("ai:3",), profile=path)
        self.driver = registry.build("modbus_ai_supervised", site)
        door = PointSettings(id=DOOR, type="door", device="io1", channel="ai:3")
        self.points = Points([door], [], {}, is_simulated=False, last_at=0)

    async def rows(self, bus: Bus, polls: int = 1) -> list[tuple[str, dict]]:
        """What so many polls make of it."""
        rows = []
        for _ in range(polls):
            sights = await bus.read(self.driver, self.driver.reads()[0])
            proposal = self.points.observe("io1", sights, Stamp(0, 0, "b0", Clock.FREE))
            self.points.commit(proposal)
            rows += [(draft.kind, draft.data) for draft in proposal.drafts]
        return rows


def quality(now: str, was: str) -> tuple[str, dict]:
    return "point.quality", {"quality": now, "was": was}


@pytest.mark.parametrize("profile", ["adam-6017", "moxa-e1240"])
async def test_a_door_and_its_wire_are_told_apart(profile: str) -> None:
    room = Room(profile)
    async with tcp_units(room.units) as port:
        bus = registry.tcp_bus("modbus_tcp", "127.0.0.1", port, timeout_s=5, quarantine_s=0)
        assert await room.rows(bus) == [("point.baseline", {"value": "closed"})]
        room.plant.change(DOOR, "open", 0, 0)
        assert await room.rows(bus) == [("door.open", {"was": "closed"})]
        room.plant.change(WIRE, "cut", 0, 0)
        assert await room.rows(bus) == []
        assert await room.rows(bus) == [quality("line_open", "good")]
        room.plant.change(WIRE, "short", 0, 0)
        assert await room.rows(bus, 2) == [quality("line_short", "line_open")]
        room.plant.change(DOOR, "closed", 0, 0)
        room.plant.change(WIRE, "sound", 0, 0)
        assert await room.rows(bus) == [quality("good", "line_short"), ("door.closed", {"was": "open"})]
        await bus.close()


async def test_a_voltage_that_drifts_with_hum_through_an_edge_is_one_fault_and_no_opening() -> None:
    room = Room("moxa-e1240")
    async with tcp_units(room.units) as port:
        bus = registry.tcp_bus("modbus_tcp", "127.0.0.1", port, timeout_s=5, quarantine_s=0)
        await room.rows(bus)
        room.units.act(1, "hum ai:3")
        told = []
        for _ in range(9):  # 2.5 V and 18 % are 2.95 V, and hum on it
            room.units.act(1, "drift ai:3")
            told += await room.rows(bus, 20)
        assert told == [quality("device_error", "good")]
        room.units.act(1, "mend ai:3")
        assert await room.rows(bus, 3) == [quality("good", "device_error")]
        await bus.close()
