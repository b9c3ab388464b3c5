"""`modbus_di` against a server we did not write: pymodbus over TCP, RTU over TCP and a serial line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from device_drivers import registry
from device_drivers.bus import Bus
from device_drivers.driver import Observation
from device_drivers.errors import DeviceRefused, LinkDown
from device_drivers.site import BusKind, Site
from tests.support.peers import joined_ptys, needs_socat

PROFILES = Path(__file__).parents[2] / "config/profiles"
LEVEL = 0b1000_0000_0000_0101
WORDS = [word for n in range(16) for word in (n, 7)] + [LEVEL]
EXPECTED = [Observation(f"di:{n}", bool(LEVEL >> n & 1), n << 16 | 7) for n in range(16)]


def counting_module() -> SimDevice:
    nothing = [SimData(0, count=1, datatype=DataType.BITS)]
    unused = [SimData(0, count=1, datatype=DataType.REGISTERS)]
    words = [SimData(0x10, values=WORDS, datatype=DataType.REGISTERS)]
    return SimDevice(1, simdata=(nothing, nothing, unused, words))


@asynccontextmanager
async def tcp_server(framer: FramerType) -> AsyncIterator[int]:
    server = ModbusTcpServer(counting_module(), framer=framer, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


async def poll(bus: Bus, bus_kind: BusKind, profile: str, unit: int = 1) -> list[Observation]:
    path = PROFILES / f"{profile}.toml"
    driver = registry.build("modbus_di", Site(bus_kind=bus_kind, unit=unit, profile=path))
    return await bus.read(driver, driver.reads()[0])


@pytest.mark.parametrize(
    ("bus_kind", "framer"), [("modbus_tcp", FramerType.SOCKET), ("modbus_rtu_tcp", FramerType.RTU)]
)
async def test_a_module_of_pymodbus_is_read_over_tcp(bus_kind: BusKind, framer: FramerType) -> None:
    async with tcp_server(framer) as port:
        bus = registry.tcp_bus(bus_kind, "127.0.0.1", port, timeout_s=1.0, quarantine_s=0.02)
        assert await poll(bus, bus_kind, "moxa-e1210") == EXPECTED
        with pytest.raises(DeviceRefused, match="exception 2"):
            await poll(bus, bus_kind, "adam-4150")
        assert await poll(bus, bus_kind, "moxa-e1210") == EXPECTED
        await bus.close()


@needs_socat
async def test_a_module_of_pymodbus_is_read_over_a_serial_line(tmp_path: Path) -> None:
    async with joined_ptys(tmp_path) as (ours, theirs):
        server = ModbusSerialServer(counting_module(), framer=FramerType.RTU, port=theirs, baudrate=9600)
        await server.serve_forever(background=True)
        bus = registry.serial_bus("modbus_rtu", ours, 9600, timeout_s=1.0, quarantine_s=0.05)
        assert await poll(bus, "modbus_rtu", "moxa-r1210") == EXPECTED
        await bus.close()
        await server.shutdown()


async def test_a_module_that_goes_and_returns_is_lost_and_read_again() -> None:
    async with tcp_server(FramerType.SOCKET) as port:
        bus = registry.tcp_bus("modbus_tcp", "127.0.0.1", port, timeout_s=1.0, quarantine_s=0.0)
        assert await poll(bus, "modbus_tcp", "moxa-e1210") == EXPECTED
    with pytest.raises(LinkDown):
        await poll(bus, "modbus_tcp", "moxa-e1210")
    server = ModbusTcpServer(counting_module(), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    async with asyncio.timeout(10):
        while True:
            try:
                assert await poll(bus, "modbus_tcp", "moxa-e1210") == EXPECTED
                break
            except LinkDown:
                await asyncio.sleep(0.05)
    await bus.close()
    await server.shutdown()
