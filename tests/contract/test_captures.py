"""Captured lines, played through the drivers again: the sights are those that the line gave then.

The files were made by `casewatch edge capture` from the simulators, while a hand opened something. A capture
of a real module belongs here too: it needs no device to be tested against for ever after.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from device_drivers.bus import Bus, BusSettings
from device_drivers.capture_file import Capture, CaptureWriter, read_capture
from device_drivers.driver import Driver, Observation
from device_drivers.transport.replay import Replay
from edge import plan
from edge.plan import build_bus, polls
from edge.settings import BusSettings as LineSettings
from edge.settings import DeviceSettings, PointSettings
from edge.technician.turns import one_turn
from simulators.input_module import InputModule
from simulators.modbus_units import ModbusTcpUnits
from simulators.module_map import MOXA_E1210
from simulators.plant import Plant
from tests.support.simulated_line import tcp_units_apart

FOLDER = Path(__file__).parent / "captures"
E1210 = FOLDER / "e1210-a-door-opens.jsonl"
LOCKS = FOLDER / "lock-8a-a-slot-opens.jsonl"


def drivers(capture: Capture) -> dict[str, Driver]:
    """As the header says they were."""
    told = capture.header
    line = LineSettings(id=told.bus, kind=told.kind, baud=told.baud, max_slice_ms=told.max_slice_ms)
    return {
        device.id: plan.build_driver(
            DeviceSettings(
                id=device.id,
                bus=line.id,
                driver=device.driver,
                unit=device.unit,
                profile=device.profile,
                options=device.options,
            ),
            line,
            [
                PointSettings(id="a.b.door", type="door", device=device.id, channel=channel)
                for channel in device.channels
            ],
            keeps_latches=True,
        )
        for device in capture.header.devices
    }


async def play(capture: Capture) -> list[tuple[str, list[Observation]]]:
    """Each turn of the capture again: the device, and what it said."""
    replay = Replay(capture.frames)
    is_mbap = capture.header.kind == "modbus_tcp"
    bus = Bus(replay, BusSettings(0.1, 0.0, has_transaction_ids=is_mbap))
    built = drivers(capture)
    turns = []
    while replay.left:
        frame = capture.frames[-replay.left]
        driver = built[frame.device]
        read = next(read for read in driver.reads() if read.name == frame.read)
        turns.append((frame.device, await bus.read(driver, read)))
    return turns


def levels(turns: list[tuple[str, list[Observation]]], device: str, channel: str) -> list[bool]:
    """The channel's levels, each change once."""
    seen = [o for name, sights in turns if name == device for o in sights if o.channel == channel]
    return [o.active for n, o in enumerate(seen) if n == 0 or seen[n - 1].active is not o.active]


async def test_a_door_opens_again_in_a_capture_of_a_module_with_counters() -> None:
    turns = await play(read_capture(E1210))
    assert levels(turns, "io1", "di:3") == [False, True, False]
    counts = [o.counter for _, sights in turns for o in sights if o.channel == "di:3"]
    assert counts[-1] == counts[0] + 1
    assert levels(turns, "io1", "di:2") == [False], "no other door moved"


async def test_a_slot_opens_again_in_a_capture_of_lock_boards() -> None:
    turns = await play(read_capture(LOCKS))
    assert levels(turns, "locks1", "lock:5") == [False, True, False]
    assert levels(turns, "items1", "item:5") == [True], "the item stayed"


@pytest.fixture
def module() -> Iterator[tuple[Plant, int]]:
    plant = Plant(["a.int1.door"])
    module = InputModule(MOXA_E1210, {0: "a.int1.door"}, plant)
    with tcp_units_apart(ModbusTcpUnits({1: module})) as port:
        yield plant, port


async def test_a_replay_gives_the_very_sights_of_the_line(module: tuple[Plant, int], tmp_path: Path) -> None:
    plant, port = module
    device = DeviceSettings(id="io1", bus="io", driver="modbus_di", profile="moxa-e1210")
    point = PointSettings(id="a.int1.door", type="door", device="io1", channel="di:0")
    line = LineSettings(id="io", kind="modbus_tcp", host="127.0.0.1", port=port)
    built = {"io1": plan.build_driver(device, line, [point])}
    (poll,) = polls([device], built, [point])
    bus, path = build_bus(line), tmp_path / "c.jsonl"
    header = read_capture(E1210).header
    io1 = msgspec.structs.replace(header.devices[0], channels=(point.channel,))
    header = msgspec.structs.replace(header, devices=(io1,))
    live = []
    with path.open("w") as file:
        writer = CaptureWriter(file, header, 0)
        for value in ("closed", "open", "open", "closed", "open"):
            plant.change("a.int1.door", value, 0, 0)
            turn = await one_turn(bus, built["io1"], poll)
            live.append(("io1", turn.sights))
            for exchange in turn.exchanges:
                writer.write(exchange, "io1", "inputs")
    await bus.close()
    assert await play(read_capture(path)) == live
    assert levels(live, "io1", "di:0") == [False, True, False, True]
