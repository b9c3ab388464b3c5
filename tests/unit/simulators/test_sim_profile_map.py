"""A module that is known by its profile alone is read by the driver that has the same profile."""

from pathlib import Path

import pytest

from device_drivers import registry
from device_drivers.site import Site
from simulators.makes import RESPONDERS, Wiring, make_of
from simulators.plant import Plant
from simulators.profile_map import profile_map
from tests.support.memory_line import Firmware, MemoryLine

FOLDER = Path(__file__).parents[3] / "config/profiles"
PROFILES = sorted(path for path in FOLDER.glob("*.toml") if "[level]" in path.read_text())


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
async def test_a_profile_makes_a_module_that_its_driver_reads(path: Path) -> None:
    make = f"profile:{path.stem}"
    known = make_of(make)
    assert known is not None
    assert known.kind == "module"
    points = {str(n): f"liuxu.int{n}.door" for n in range(known.channels)}
    plant = Plant(points.values())
    responder = RESPONDERS["modbus-rtu"]({1: Wiring(make, points, [], [])}, plant, lambda _: None)
    driver = registry.build("modbus_di", Site(bus_kind="modbus_rtu", profile=path))
    plant.change(points["2"], "open", 0, 0)
    async with MemoryLine(Firmware(responder)) as line:
        seen = [sight for read in driver.reads() for sight in await line.bus.read(driver, read)]
    assert [sight.channel for sight in seen if sight.active] == ["di:2"]


def test_what_is_no_profile_of_inputs_makes_nothing() -> None:
    assert profile_map("profile:none-such") is None
    assert profile_map("profile:adam-6017") is None
    assert profile_map("adam-6050") is None
