"""The registry: settings' names become drivers and buses, and what cannot be made is said."""

from pathlib import Path

import msgspec
import pytest

from contract.points import PointType
from device_drivers import registry
from device_drivers.errors import ProfileFault
from device_drivers.site import BUS_KINDS, Site
from tests.support.driver_cases import CASES, DriverCase

E1210 = Path(__file__).parents[3] / "config/profiles/moxa-e1210.toml"


def test_a_module_on_a_line_is_asked_in_rtu_and_over_tcp_in_mbap() -> None:
    lengths = {}
    for bus_kind in BUS_KINDS[:3]:
        driver = registry.build("modbus_di", Site(bus_kind=bus_kind, profile=E1210))
        lengths[bus_kind] = len(driver.encode(driver.reads()[0]))
    assert lengths == {"modbus_tcp": 12, "modbus_rtu_tcp": 8, "modbus_rtu": 8}


def test_one_cabinet_is_two_boards_with_channels_of_their_own() -> None:
    locks = registry.build("lock_8a", Site(bus_kind="serial"))
    items = registry.build("lock_8a", Site(bus_kind="serial", unit=2, channels=("item:3",)))
    assert locks.reads()[0].channels[0] == "lock:1"
    assert items.reads()[0].channels[11] == "item:12"


@pytest.mark.parametrize(
    ("kind", "settings", "key"),
    [
        ("modbus_do", {"bus_kind": "modbus_tcp"}, "driver"),
        ("modbus_di", {"bus_kind": "modbus_tcp"}, "profile"),
        ("modbus_di", {"bus_kind": "modbus_tcp", "profile": E1210, "options": {"x": 1}}, "options"),
        ("modbus_di", {"bus_kind": "modbus_rtu", "profile": E1210, "unit": 0}, "unit"),
        ("modbus_di", {"bus_kind": "modbus_tcp", "profile": E1210, "unit": 256}, "unit"),
        ("lock_8a", {"bus_kind": "serial", "profile": E1210}, "profile"),
        ("lock_8a", {"bus_kind": "modbus_tcp"}, "bus"),
        ("lock_8a", {"bus_kind": "serial", "unit": 0}, "unit"),
        ("lock_8a", {"bus_kind": "serial", "options": {"channel": "door"}}, "options"),
        ("lock_8a", {"bus_kind": "serial", "options": {"polarity": 1}}, "options"),
    ],
)
def test_what_cannot_be_made_is_refused_by_its_key(kind: str, settings: dict, key: str) -> None:
    with pytest.raises(ProfileFault, match=f"^{key}:"):
        registry.build(kind, Site(**settings))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_channel_of_a_driver_says_what_a_point_on_it_may_be(case: DriverCase) -> None:
    words = {c.partition(":")[0] for read in case.driver().reads() for c in read.channels}
    types = registry.DRIVERS[case.kind].point_types
    assert words <= set(types)
    assert {kind for word in words for kind in types[word]} <= {str(kind) for kind in PointType}


def test_a_driver_that_leaves_latches_clears_none() -> None:
    site = Site(bus_kind="modbus_tcp", profile=E1210.with_name("adam-6050-latch.toml"))
    usual = registry.build("modbus_di", site)
    ours = registry.build("modbus_di", msgspec.structs.replace(site, keeps_latches=True))
    assert [driver.reads()[0].exchanges for driver in (usual, ours)] == [3, 1]


def test_buses_are_named_after_their_lines() -> None:
    tcp = registry.tcp_bus("modbus_tcp", "127.0.0.1", 502, timeout_s=0.5, quarantine_s=1.0)
    line = registry.serial_bus("modbus_rtu", "/dev/ttyS9", 9600, timeout_s=0.5, quarantine_s=1.0)
    assert (tcp.name, line.name) == ("tcp 127.0.0.1:502", "serial /dev/ttyS9")
