"""Our bus and drivers at servers we did not write: libmodbus's faulty one, npm modbus-serial, ser2net."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from device_drivers import registry
from device_drivers.bus import Bus
from device_drivers.driver import Observation
from device_drivers.errors import DeviceBusy, DeviceRefused, LinkDown, NoReply, WrongReply
from device_drivers.modbus.envelope import Envelope
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import Level, Profile
from device_drivers.site import BusKind, Site
from simulators.input_module import InputModule
from simulators.modbus_units import ModbusRtuUnits
from simulators.module_map import MOXA_R1210
from simulators.plant import Plant
from tests.support import peers
from tests.support.peers import (
    joined_ptys,
    needs_libmodbus_tests,
    needs_modbus_serial,
    needs_ser2net,
    needs_socat,
)
from tests.support.ports import free_ports
from tests.support.simulated_line import serial_units

PROFILES = Path(__file__).parents[2] / "config/profiles"
UNIT = 17
TIMEOUT_S = 0.4
BITS = 0x35DBAC
"""UT_INPUT_BITS_TAB: AC DB 35."""
KINDS = [
    pytest.param("modbus_tcp", marks=needs_libmodbus_tests),
    pytest.param("modbus_rtu", marks=[needs_libmodbus_tests, needs_socat]),
]


class Libmodbus:
    """The server of libmodbus's own tests, and our bus to it. Over TCP it serves one connection and ends."""

    def __init__(self, bus: Bus, kind: str) -> None:
        self.bus = bus
        self.kind = kind
        self._envelopes: dict[int, Envelope] = {}

    async def words(self, address: int, count: int = 1, function: int = 3, unit: int = UNIT) -> list[bool]:
        """The bits of these words."""
        profile = Profile(model="any", inputs=16 * count, level=Level(function=function, address=address))
        return await self._read(profile, unit)

    async def bits(self) -> int:
        inputs = Profile(model="any", inputs=0x16, level=Level(function=2, address=0x1C4))
        return sum(on << n for n, on in enumerate(await self._read(inputs, UNIT)))

    async def _read(self, profile: Profile, unit: int) -> list[bool]:
        """With one numbering a unit, as the one driver that a unit has would do it."""
        driver = ModbusDi(profile, unit, "mbap" if self.kind == "modbus_tcp" else "rtu")
        driver._envelope = self._envelopes.setdefault(unit, driver._envelope)
        return [sight.active for sight in await self.bus.read(driver, driver.reads()[0])]


@asynccontextmanager
async def libmodbus(kind: BusKind, folder: Path) -> AsyncIterator[Libmodbus]:
    (port,) = free_ports(1)
    if kind == "modbus_tcp":
        program = peers.libmodbus_server(port, "")
        async with peers.running(str(program), "tcp"):
            bus = registry.tcp_bus(kind, "127.0.0.1", port, timeout_s=TIMEOUT_S, quarantine_s=0.5)
            await connected(bus)
            yield Libmodbus(bus, kind)
            await bus.close()
    else:
        async with joined_ptys(folder) as (ours, theirs):
            program = peers.libmodbus_server(port, theirs)
            async with peers.running(str(program), "rtu"):
                bus = registry.serial_bus(kind, ours, 115200, timeout_s=TIMEOUT_S, quarantine_s=0.5)
                yield Libmodbus(bus, kind)
                await bus.close()


async def connected(bus: Bus) -> None:
    """Until the server, which has no word for it, listens."""
    async with asyncio.timeout(10):
        while not bus.counters.opened:
            try:
                await bus.open()
            except LinkDown:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", KINDS)
async def test_libmodbus_is_read_with_each_function(kind: BusKind, tmp_path: Path) -> None:
    async with libmodbus(kind, tmp_path) as server:
        assert await server.bits() == BITS
        assert await server.words(0x108, function=4) == [bool(0x000A >> n & 1) for n in range(16)]
        assert await server.words(0x160, 3) == [False] * 48
        with pytest.raises(DeviceRefused, match="exception 2"):
            await server.words(0x10)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_busy_libmodbus_is_told_as_busy(kind: BusKind, tmp_path: Path) -> None:
    async with libmodbus(kind, tmp_path) as server:
        with pytest.raises(DeviceBusy, match="exception 6"):
            await server.words(0x170)
        assert await server.bits() == BITS


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reply_of_another_unit_or_transaction_is_never_a_value(kind: BusKind, tmp_path: Path) -> None:
    async with libmodbus(kind, tmp_path) as server:
        with pytest.raises(NoReply if kind == "modbus_tcp" else WrongReply):
            await server.words(0x171)
        assert await server.bits() == BITS


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reply_half_a_second_late_is_never_the_next_value(kind: BusKind, tmp_path: Path) -> None:
    async with libmodbus(kind, tmp_path) as server:
        with pytest.raises(NoReply):
            await server.words(0x172)
        assert await server.bits() == BITS
        assert server.bus.counters.late + server.bus.counters.unasked >= 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_short_reply_is_no_reply(kind: BusKind, tmp_path: Path) -> None:
    async with libmodbus(kind, tmp_path) as server:
        with pytest.raises(WrongReply, match="2 data bytes where 4"):
            await server.words(0x160, 2)


@needs_libmodbus_tests
async def test_a_reply_in_single_bytes_5_ms_apart_is_put_together(tmp_path: Path) -> None:
    """The reply of that register has unit 255 written into it, and the server takes any unit over TCP."""
    async with libmodbus("modbus_tcp", tmp_path) as server:
        assert await server.words(0x173, unit=255) == [False] * 16
        with pytest.raises(NoReply):
            await server.words(0x173)
        assert await server.bits() == BITS


MOXA = [Observation(f"di:{n}", n in {0, 2, 15}, n << 16 | 7) for n in range(16)]
ADAM = [Observation(f"di:{n}", n in {0, 2}, n) for n in range(12)]
LATCH = [Observation(f"di:{n}", n in {0, 2}, latched=n == 3) for n in range(12)]


async def read(bus: Bus, kind: BusKind, profile: str) -> list[Observation]:
    site = Site(bus_kind=kind, profile=PROFILES / f"{profile}.toml")
    driver = registry.build("modbus_di", site)
    return await bus.read(driver, driver.reads()[0])


async def reads_all_ways(bus: Bus, kind: BusKind) -> None:
    """One frame; level, counters, level; and a latch, which the server forgets when it is cleared."""
    assert await read(bus, kind, "moxa-e1210") == MOXA
    assert await read(bus, kind, "adam-6050") == ADAM
    assert await read(bus, kind, "adam-6050-latch") == LATCH
    assert not any(o.latched for o in await read(bus, kind, "adam-6050-latch"))
    assert bus.counters.sent == bus.counters.ok
    assert bus.counters.echo == 0


@needs_modbus_serial
async def test_modbus_serial_is_read_over_tcp() -> None:
    (port,) = free_ports(1)
    server = ("node", str(peers.PEERS / "modbus_server.cjs"), "tcp", str(port))
    async with peers.running(*server, ready=b"ready"):
        bus = registry.tcp_bus("modbus_tcp", "127.0.0.1", port, timeout_s=2, quarantine_s=0.0)
        await reads_all_ways(bus, "modbus_tcp")
        await bus.close()


@needs_modbus_serial
@needs_socat
async def test_modbus_serial_is_read_on_a_serial_line(tmp_path: Path) -> None:
    async with joined_ptys(tmp_path) as (ours, theirs):
        server = ("node", str(peers.PEERS / "modbus_server.cjs"), "serial", theirs)
        async with peers.running(*server, ready=b"ready"):
            bus = registry.serial_bus("modbus_rtu", ours, 9600, timeout_s=2, quarantine_s=0.05)
            await reads_all_ways(bus, "modbus_rtu")
            await bus.close()


@asynccontextmanager
async def ser2net(device: str, folder: Path) -> AsyncIterator[int]:
    """The gateway before a serial device."""
    (port,) = free_ports(1)
    settings = folder / "ser2net.yaml"
    settings.write_text(
        "connection: &line\n"
        f"  accepter: tcp,127.0.0.1,{port}\n"
        f"  connector: serialdev,{device},9600n81,local\n"
        "  options:\n    kickolduser: true\n"
    )
    command = ("ser2net", "-n", "-c", str(settings), "-P", str(folder / "ser2net.pid"))
    async with peers.running(*command):
        await peers.listens(port)
        yield port


@needs_ser2net
async def test_a_module_behind_ser2net_is_read(tmp_path: Path) -> None:
    door = "liuxu.int1.door"
    plant = Plant([door])
    units = ModbusRtuUnits({1: InputModule(MOXA_R1210, {3: door}, plant)})
    async with serial_units(units, tmp_path / "line") as line, ser2net(line, tmp_path) as port:
        bus = registry.tcp_bus("modbus_rtu_tcp", "127.0.0.1", port, timeout_s=2, quarantine_s=0.1)
        for count in range(1, 20):
            plant.change(door, "open", 0, 0)
            observed = await read(bus, "modbus_rtu_tcp", "moxa-r1210")
            assert [o for o in observed if o.active] == [Observation("di:3", True, count)]
            plant.change(door, "closed", 0, 0)
        await bus.close()


@needs_ser2net
@needs_modbus_serial
@needs_socat
async def test_modbus_serial_behind_ser2net_is_read(tmp_path: Path) -> None:
    async with joined_ptys(tmp_path) as (ours, theirs):
        server = ("node", str(peers.PEERS / "modbus_server.cjs"), "serial", ours)
        async with peers.running(*server, ready=b"ready"), ser2net(theirs, tmp_path) as port:
            bus = registry.tcp_bus("modbus_rtu_tcp", "127.0.0.1", port, timeout_s=2, quarantine_s=0.1)
            await reads_all_ways(bus, "modbus_rtu_tcp")
            await bus.close()
