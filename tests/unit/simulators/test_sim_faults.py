"""Every fault that a cable can have, and what the bus makes of it: an error or the truth, nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from device_drivers import registry
from device_drivers.driver import Driver, Sight
from device_drivers.errors import (
    BadFrame,
    DeviceBusy,
    DeviceRefused,
    DriverError,
    LinkDown,
    NoReply,
    WrongReply,
    WrongUnit,
)
from device_drivers.site import Site
from simulators import faults
from simulators.cable import Cable
from simulators.control.fault_words import FAULT_WORDS
from simulators.errors import BadValue
from simulators.faults import Emission, Fault, FaultKind, FaultLayer
from simulators.input_module import InputModule
from simulators.modbus_units import ModbusRtuUnits
from simulators.module_map import MODULE_MAPS
from simulators.plant import Plant
from simulators.sealing import SEALINGS
from simulators.tcp_end import TcpEnd
from simulators.wire import Reply

DOOR, OTHER = "liuxu.int1.door", "liuxu.int2.door"
TIMEOUT_S = 0.1
PROFILE = Path(__file__).parents[3] / "config/profiles/waveshare-io8.toml"


class Bench:
    """Two modules on a line: the door at the first is open, that at the second closed."""

    def __init__(self) -> None:
        self.plant = Plant([DOOR, OTHER])
        self.plant.change(DOOR, "open", 0, 0)
        made = MODULE_MAPS["waveshare-io8"]
        modules = {n: InputModule(made, {0: point}, self.plant) for n, point in ((1, DOOR), (2, OTHER))}
        layer = FaultLayer(1, SEALINGS["modbus-rtu"], is_network=True)
        self.cable = Cable(TcpEnd("127.0.0.1", 0), ModbusRtuUnits(modules), layer)
        self.drivers: dict[int, Driver] = {
            unit: registry.build(
                "modbus_di",
                Site(bus_kind="modbus_rtu_tcp", unit=unit, profile=PROFILE, channels=("di:0",)),
            )
            for unit in modules
        }

    async def start(self) -> None:
        await self.cable.start()
        port = int(self.cable.address.rpartition(":")[2])
        self.bus = registry.tcp_bus(
            "modbus_rtu_tcp", "127.0.0.1", port, timeout_s=TIMEOUT_S, quarantine_s=TIMEOUT_S
        )

    async def read(self, unit: int = 1) -> list[Sight]:
        driver = self.drivers[unit]
        return await self.bus.read(driver, driver.reads()[0])

    async def is_open(self, unit: int = 1) -> bool:
        return (await self.read(unit))[0].active


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.start()
    yield bench
    await bench.bus.close()
    await bench.cable.stop()


MADE_OF: dict[FaultKind, type[DriverError] | None] = {
    FaultKind.CHECK: BadFrame,
    FaultKind.LOST: NoReply,
    FaultKind.LATE: NoReply,
    FaultKind.WRONG_UNIT: WrongUnit,
    FaultKind.WRONG_FUNCTION: DriverError,
    FaultKind.SHORT: WrongReply,
    FaultKind.ECHO: None,
    FaultKind.ECHO_SPLIT: None,
    FaultKind.NOISE_BEFORE: None,
    FaultKind.NOISE_AFTER: None,
    FaultKind.PARTIAL: NoReply,
    FaultKind.SPLIT: None,
    FaultKind.CLASH: DriverError,
    FaultKind.GARBAGE: DriverError,
    FaultKind.EXCEPTION: DeviceBusy,
    FaultKind.STUCK_LOW: DriverError,
    FaultKind.STUCK_HIGH: DriverError,
    FaultKind.BABBLE: DriverError,
    FaultKind.UNPLUGGED: LinkDown,
    FaultKind.DROPPED: LinkDown,
    FaultKind.HALF_OPEN: NoReply,
}
"""None: the true value, in spite of it."""


@pytest.mark.parametrize("kind", FaultKind)
async def test_a_fault_is_an_error_or_nothing_and_healed_it_is_gone(bench: Bench, kind: FaultKind) -> None:
    assert await bench.is_open()
    number = await bench.cable.inject(Fault(kind, ms=1_500 * TIMEOUT_S))
    error = MADE_OF[kind]
    if error is None:
        assert await bench.is_open()
    else:
        with pytest.raises(error):
            await bench.read()
    await bench.cable.heal(number)
    async with asyncio.timeout(10):
        while True:
            try:
                assert await bench.is_open()
                break
            except DriverError:
                await asyncio.sleep(0.02)


async def test_a_late_reply_of_one_unit_is_not_believed_of_the_other(bench: Bench) -> None:
    await bench.read(2)
    await bench.cable.inject(Fault(FaultKind.LATE, unit=1, count=1, ms=1_100 * TIMEOUT_S))
    with pytest.raises(NoReply):
        await bench.read(1)
    await bench.cable.inject(Fault(FaultKind.LATE, unit=2, count=1, ms=300 * TIMEOUT_S))
    assert not await bench.is_open(2)
    assert bench.bus.counters.late == 1


async def test_an_exception_of_configuration_is_refused_and_of_the_moment_is_busy(bench: Bench) -> None:
    await bench.cable.inject(Fault(FaultKind.EXCEPTION, code=2, count=1))
    with pytest.raises(DeviceRefused, match="exception 2"):
        await bench.read()
    await bench.cable.inject(Fault(FaultKind.EXCEPTION, code=6, count=1))
    with pytest.raises(DeviceBusy, match="exception 6"):
        await bench.read()


async def test_a_fault_strikes_its_unit_every_so_often_and_so_many_times(bench: Bench) -> None:
    await bench.cable.inject(Fault(FaultKind.EXCEPTION, unit=1, every=2, count=2))
    outcomes = []
    for _ in range(6):
        assert not await bench.is_open(2)
        try:
            outcomes.append(await bench.is_open(1))
        except DeviceBusy:
            outcomes.append(False)
    assert outcomes == [True, False, True, False, True, True]
    assert not bench.cable.faults.active


async def test_frames_are_kept_with_their_words_and_what_struck_them(bench: Bench) -> None:
    await bench.read()
    await bench.cable.inject(Fault(FaultKind.ECHO))
    await bench.read()
    frames = bench.cable.frames(0)
    assert [(frame.from_host, frame.faults) for frame in frames] == [
        (True, []),
        (False, []),
        (True, []),
        (False, ["echo"]),
        (False, ["echo"]),
    ]
    assert all("unit 1" in frame.text for frame in frames), [frame.text for frame in frames]
    assert bench.cable.frames(frames[-2].n) == frames[-1:]


async def test_a_unit_that_is_not_there_cannot_be_struck(bench: Bench) -> None:
    with pytest.raises(BadValue, match="unit 9"):
        await bench.cable.inject(Fault(FaultKind.LOST, unit=9))


@pytest.mark.parametrize(
    ("protocol", "fault", "why"),
    [
        ("lock-8a", Fault(FaultKind.EXCEPTION), "no exceptions"),
        ("rfid-m100", Fault(FaultKind.WRONG_UNIT), "names its unit"),
        ("at", Fault(FaultKind.WRONG_UNIT), "names its unit"),
        ("unheard-of", Fault(FaultKind.CLASH), "not known"),
        ("unheard-of", Fault(FaultKind.WRONG_FUNCTION), "not known"),
        ("unheard-of", Fault(FaultKind.SHORT), "not known"),
        ("modbus-rtu", Fault(FaultKind.DROPPED), "no connection"),
        ("modbus-rtu", Fault(FaultKind.HALF_OPEN), "no connection"),
        ("modbus-rtu", Fault(FaultKind.STUCK_LOW, unit=1), "whole line"),
        ("modbus-rtu", Fault(FaultKind.UNPLUGGED, count=3), "whole line"),
    ],
)
def test_a_fault_that_could_strike_nothing_is_refused(protocol: str, fault: Fault, why: str) -> None:
    layer = FaultLayer(1, SEALINGS.get(protocol))
    with pytest.raises(BadValue, match=f"{fault.kind.value}: .*{why}"):
        layer.inject(fault)
    assert not layer.active


def test_a_cable_has_so_many_faults_and_no_more() -> None:
    layer = FaultLayer(1, None)
    for _ in range(32):
        layer.inject(Fault(FaultKind.LOST))
    with pytest.raises(BadValue, match="32 faults"):
        layer.inject(Fault(FaultKind.LOST))
    layer.heal(1)
    layer.inject(Fault(FaultKind.LOST))


def test_a_frame_that_a_fault_leaves_as_it_was_is_not_struck() -> None:
    layer = FaultLayer(1, SEALINGS["modbus-rtu"])
    layer.inject(Fault(FaultKind.SHORT, count=1))
    refusal = Reply(1, b"\x01\x04", bytes.fromhex("01840282c1"))
    assert layer.transmit(refusal) == ([Emission(0.0, refusal.frame)], [])
    reading = Reply(1, b"\x01\x04", bytes.fromhex("010403000af8f4"))
    assert layer.transmit(reading)[1] == ["short"]
    assert not layer.active


def test_a_burst_of_check_errors_strikes_three_in_a_row() -> None:
    layer = FaultLayer(1, SEALINGS["modbus-rtu"])
    layer.inject(Fault(FaultKind.CHECK, count=3))
    reply = Reply(1, b"\x01\x04", bytes.fromhex("010403000af8f4"))
    assert [layer.transmit(reply)[1] for _ in range(5)] == [["check"]] * 3 + [[]] * 2


def test_the_same_seed_strikes_the_same_replies() -> None:
    reply = Reply(1, b"\x01\x02", bytes.fromhex("010403000af8f4"))

    def played(seed: int) -> list[object]:
        layer = FaultLayer(seed, SEALINGS["modbus-rtu"])
        layer.inject(Fault(FaultKind.CHECK, p=0.5))
        return [layer.transmit(reply) for _ in range(50)]

    assert played(1) == played(1)
    assert played(1) != played(2)


def test_every_fault_has_its_row_and_its_words() -> None:
    assert faults.__doc__ is not None
    assert set(FAULT_WORDS) == set(FaultKind)
    assert [kind for kind in FaultKind if f"`{kind.value}`" not in faults.__doc__] == []
