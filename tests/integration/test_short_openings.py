"""Openings shorter than the poll interval, through driver and points against simulated modules."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.ids import PointId
from contract.points import Clock, Quality
from device_drivers import registry
from device_drivers.bus import Bus
from device_drivers.driver import Driver, Read
from device_drivers.site import BusKind, Site
from edge.clock import Stamp
from edge.points import Points
from edge.proposals import Draft
from edge.settings import PointSettings
from simulators.input_module import InputModule
from simulators.modbus_units import ModbusRtuUnits, ModbusTcpUnits
from simulators.module_map import MODULE_MAPS
from simulators.plant import Plant
from simulators.wire import Reply, Responder
from tests.support.simulated_line import tcp_units

PROFILES = Path(__file__).parents[2] / "config/profiles"
DOOR = PointId("liuxu.int1.door")
OPENINGS = 1_000
NEVER = (10**12, "")
OPEN_MS, POLL_MS = 100, 250
EXCHANGE_MS = 20
"""What a request and its reply take in the world of this test, so that contacts move within a turn."""


class World:
    """A door on input 3 of a module, polled by its driver, on a clock that only this test moves."""

    def __init__(
        self,
        profile: str,
        bus_kind: BusKind,
        seed: int,
        make: str = "",
        closed_ms: tuple[int, int] = (40, 500),
    ) -> None:
        self.plant = Plant([DOOR])
        modules = {1: InputModule(MODULE_MAPS[make or profile], {3: DOOR}, self.plant)}
        self.units: Responder = (ModbusTcpUnits if bus_kind == "modbus_tcp" else ModbusRtuUnits)(modules)
        path = PROFILES / f"{profile}.toml"
        site = Site(bus_kind=bus_kind, channels=("di:3",), profile=path)
        self.driver: Driver = registry.build("modbus_di", site)
        door = PointSettings(id=DOOR, type="door", device="io1", channel="di:3")
        self.points = Points([door], [], {}, is_simulated=True, last_at=0)
        self.rows: list[Draft] = []
        self.now_ms = 0
        self._moves = self._door(random.Random(seed), closed_ms)
        self._next = next(self._moves)

    def _door(self, chance: random.Random, closed_ms: tuple[int, int]) -> Iterator[tuple[int, str]]:
        at_ms = 1_000
        for _ in range(OPENINGS):
            yield at_ms, "open"
            yield at_ms + OPEN_MS, "closed"
            at_ms += OPEN_MS + chance.randint(*closed_ms)

    def wait_until(self, at_ms: int) -> None:
        """Let the door move as far as its time has come."""
        while self._next[0] <= at_ms:
            self.plant.change(DOOR, self._next[1], *self._next[:1], 0)
            self._next = next(self._moves, NEVER)
        self.now_ms = max(self.now_ms, at_ms)

    def poll(self) -> None:
        """One turn, exchange by exchange; what it shows becomes rows."""
        answer = self.driver.reads()[0]
        while isinstance(answer, Read):
            request = self.driver.encode(answer)
            self.wait_until(self.now_ms + EXCHANGE_MS // 2)
            replies, _ = self.units.hear(request, self.now_ms / 1_000)
            self.wait_until(self.now_ms + EXCHANGE_MS // 2)
            answer = self.driver.decode(answer, replies[0].frame)
        assert isinstance(answer, list)
        stamp = Stamp(self.now_ms, self.now_ms * 1_000_000, "b0", Clock.FREE)
        proposal = self.points.observe("io1", answer, stamp)
        self.points.commit(proposal)
        self.rows += proposal.drafts

    def lose(self) -> None:
        """Polls that the module does not answer."""
        stamp = Stamp(self.now_ms, self.now_ms * 1_000_000, "b0", Clock.FREE)
        proposal = self.points.fail("io1", Quality.COMM_FAIL, stamp)
        self.points.commit(proposal)
        self.rows += proposal.drafts

    def flip(self, times: int) -> None:
        """The door by hand, instead of its thousand openings."""
        self._next = NEVER
        for _ in range(times):
            self.plant.change(DOOR, "open", 0, 0)
            self.plant.change(DOOR, "closed", 0, 0)

    def run(self) -> None:
        start_ms = 0
        while self.plant.activations(DOOR) < OPENINGS or self.plant.is_active(DOOR):
            self.wait_until(start_ms)
            self.poll()
            start_ms += POLL_MS
        self.poll()

    def counted(self) -> int:
        return sum(
            (row.kind == "door.open") + row.data.get("missed", 0) + row.data.get("count", 0)
            for row in self.rows
        )


@pytest.mark.parametrize(
    ("profile", "bus_kind"),
    [
        ("moxa-e1210", "modbus_tcp"),
        ("adam-6050", "modbus_tcp"),
        ("moxa-r1210", "modbus_rtu"),
        ("ebyte-e831", "modbus_rtu"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_short_openings_are_a_thousand_counted(profile: str, bus_kind, seed: int) -> None:
    world = World(profile, bus_kind, seed)
    world.run()
    assert world.counted() == OPENINGS
    assert not any("counter_stopped" in row.data or "counter_restarted" in row.data for row in world.rows)
    assert sum(row.kind == "door.open" for row in world.rows) < OPENINGS * 0.6, "the level alone misses them"


@pytest.mark.parametrize(
    ("profile", "act"), [("ebyte-e831", "preset 65000"), ("moxa-r1210", "preset 4294967000")]
)
def test_none_is_lost_where_the_counter_begins_anew(profile: str, act: str) -> None:
    world = World(profile, "modbus_rtu", seed=7)
    world.units.act(1, act)
    world.run()
    assert world.counted() == OPENINGS
    assert not any("counter_restarted" in row.data for row in world.rows)


@pytest.mark.parametrize(("before", "after", "row"), [(3, 1, "counter_restarted"), (1, 3, "uncertain")])
def test_a_module_that_restarted_in_silence_invents_no_certain_opening(
    before: int, after: int, row: str
) -> None:
    world = World("ebyte-e831", "modbus_rtu", seed=0)
    world.poll()
    world.flip(before)
    world.poll()
    world.units.act(1, "restart")
    world.units.hear(world.driver.encode(world.driver.reads()[0]), world.now_ms / 1_000)
    world.lose()
    world.now_ms += 2_500
    world.flip(after)
    world.rows.clear()
    world.poll()
    assert world.rows[-1].data[row] is True
    assert world.counted() == max(0, after - before)


def test_a_latch_tells_of_every_short_opening_that_had_a_poll_of_its_own() -> None:
    world = World("adam-6050-latch", "modbus_tcp", seed=5, make="adam-6050", closed_ms=(500, 900))
    world.run()
    assert world.counted() == OPENINGS


class Knocked:
    """A module whose door opens and closes up to thrice before each answer, and again right after it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = random.Random(1)
        self.left = 0

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        self._knock()
        answer = self._world.units.hear(received, now_s)
        self._knock()
        return answer

    def _knock(self) -> None:
        openings = min(self.left, self._chance.randint(0, 3))
        self._world.flip(openings)
        self.left -= openings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.units, name)


@pytest.mark.parametrize("profile", ["moxa-e1210", "adam-6050"])
async def test_short_openings_over_a_real_connection_are_all_counted(profile: str) -> None:
    world = World(profile, "modbus_tcp", seed=1)
    module = Knocked(world)

    async def poll(bus: Bus) -> None:
        sights = await bus.read(world.driver, world.driver.reads()[0])
        proposal = world.points.observe("io1", sights, Stamp(0, 0, "b0", Clock.FREE))
        world.points.commit(proposal)
        world.rows += proposal.drafts

    async with tcp_units(module) as port:
        bus = registry.tcp_bus("modbus_tcp", "127.0.0.1", port, timeout_s=5, quarantine_s=0)
        await poll(bus)
        module.left = 60
        while module.left:
            await poll(bus)
        await poll(bus)
        await bus.close()
    assert world.counted() == 60
