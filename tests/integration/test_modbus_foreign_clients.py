"""Other people's Modbus clients at our far ends: mbpoll, libmodbus, npm modbus-serial."""

import asyncio
import re
from pathlib import Path

import pytest

from simulators.input_module import InputModule
from simulators.modbus_units import ModbusRtuUnits, ModbusTcpUnits
from simulators.module_map import ADAM_6050, MOXA_E1210
from simulators.plant import Plant
from tests.support import peers
from tests.support.peers import needs_libmodbus, needs_mbpoll, needs_modbus_serial
from tests.support.simulated_line import serial_units, tcp_units

FIRST, SECOND = "liuxu.int1.door", "liuxu.int2.door"
SEEN = {
    "counters": [0, 0, 0, 0, 0, 3] + [0] * 26 + [1 << 2],
    "level": [n == 2 for n in range(16)],
    "running": [n != 3 for n in range(8)],
    "refused": 2,
}
"""Of unit 5: its door has opened three times and is open; the client stopped the counter at 0x103."""


def modules() -> dict[int, InputModule]:
    """An ADAM at 1 and a Moxa at 5, each with a door."""
    plant = Plant([FIRST, SECOND])
    both = {1: InputModule(ADAM_6050, {0: SECOND}, plant), 5: InputModule(MOXA_E1210, {2: FIRST}, plant)}
    for value in ("open", "closed", "open", "closed", "open"):
        plant.change(FIRST, value, 0, 0)
    plant.change(SECOND, "open", 0, 0)
    return both


def modbus_serial(*words: str) -> tuple[str, ...]:
    return ("node", str(peers.PEERS / "modbus_client.cjs"), *words, "5")


@needs_modbus_serial
async def test_modbus_serial_reads_and_writes_over_tcp() -> None:
    async with tcp_units(ModbusTcpUnits(modules())) as port:
        assert await peers.told(*modbus_serial("tcp", str(port))) == SEEN


@needs_modbus_serial
async def test_modbus_serial_reads_and_writes_rtu_over_tcp() -> None:
    async with tcp_units(ModbusRtuUnits(modules())) as port:
        assert await peers.told(*modbus_serial("telnet", str(port))) == SEEN


@needs_modbus_serial
async def test_modbus_serial_reads_and_writes_on_a_serial_line(tmp_path: Path) -> None:
    async with serial_units(ModbusRtuUnits(modules()), tmp_path / "line") as line:
        assert await peers.told(*modbus_serial("rtu", line)) == SEEN


@needs_libmodbus
async def test_libmodbus_reads_and_writes_over_tcp() -> None:
    client = peers.libmodbus_client()
    async with tcp_units(ModbusTcpUnits(modules())) as port:
        assert await peers.told(str(client), "tcp", str(port), "5") == SEEN


@needs_libmodbus
async def test_libmodbus_reads_and_writes_on_a_serial_line(tmp_path: Path) -> None:
    client = peers.libmodbus_client()
    async with serial_units(ModbusRtuUnits(modules()), tmp_path / "line") as line:
        assert await peers.told(str(client), "rtu", line, "5") == SEEN


async def mbpoll(*words: str) -> dict[int, int]:
    """The values that mbpoll prints, by the numbers it prints them with."""
    process = await asyncio.create_subprocess_exec(
        "mbpoll", "-1", "-o", "2", *words, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return {int(n): int(value) for n, value in re.findall(r"(?m)^\[(\d+)\]:\s+(-?\d+)", out.decode())}


@needs_mbpoll
async def test_mbpoll_reads_each_unit_behind_one_address() -> None:
    async with tcp_units(ModbusTcpUnits(modules())) as port:
        tcp = ("-m", "tcp", "-p", str(port), "127.0.0.1")
        assert await mbpoll("-a", "1", "-t", "0", "-r", "1", "-c", "12", *tcp) == {
            n: int(n == 1) for n in range(1, 13)
        }
        assert await mbpoll("-a", "1", "-t", "4:int", "-r", "1", "-c", "1", *tcp) == {1: 1}
        assert await mbpoll("-a", "5", "-t", "3:int", "-B", "-r", "21", "-c", "1", *tcp) == {21: 3}
        assert await mbpoll("-a", "7", "-t", "0", "-r", "1", "-c", "1", *tcp) == {}


@needs_mbpoll
@pytest.mark.parametrize(("unit", "words"), [("1", ("-t", "0")), ("5", ("-t", "1"))])
async def test_mbpoll_reads_each_unit_on_a_serial_line(
    tmp_path: Path, unit: str, words: tuple[str, ...]
) -> None:
    async with serial_units(ModbusRtuUnits(modules()), tmp_path / "line") as line:
        rtu = ("-m", "rtu", "-b", "9600", "-P", "none", "-a", unit, "-r", "1", "-c", "12", line)
        assert sum((await mbpoll(*words, *rtu)).values()) == 1
