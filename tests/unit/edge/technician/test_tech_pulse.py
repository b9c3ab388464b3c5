"""The walk's one pulse, all the way to the line: on a key, once; the lock is judged by what is read then."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_drivers import registry
from device_drivers.driver import Answer, Command, Outcome, Read
from device_drivers.lock_8a import codec
from device_drivers.lock_8a.driver import Lock8a, Lock8aOptions
from device_drivers.site import SERIAL, PolledKind
from edge.settings import BrokerSettings, BusSettings, DeviceSettings, EdgeSettings, PointSettings, Settings
from edge.technician.commission_command import Walking, now
from edge.technician.commissioning import Result, Stage
from edge.technician.turns import one_turn
from simulators.locks.board import LockBoard
from simulators.locks.lock_8a import Line8a
from simulators.plant import Plant
from tests.support.simulated_line import TappedPty, serial_units_apart

LOCKS = [f"a.cab1.s{n:02}.lock" for n in range(1, 13)]


class PulsingLock(Lock8a):
    """A board that can be told to open: the least that `Commanded` asks for."""

    command_gap_s = 0.0

    def command(self, command: Command) -> Read:
        assert command == Command("open", "lock:1")
        return Read("open", 1, (), 5, 5)

    def encode(self, read: Read) -> bytes:
        return codec.encode_open(1, 1) if read.name == "open" else super().encode(read)

    def reply_length(self, read: Read, received: bytes) -> int | None:
        return 5 if read.name == "open" else super().reply_length(read, received)

    def decode(self, read: Read, reply: bytes) -> Answer:
        return Outcome.ACKNOWLEDGED if read.name == "open" else super().decode(read, reply)


def settings(line: str) -> Settings:
    bus = BusSettings(id="cab", kind="serial", device=line, quarantine_ms=20)
    device = DeviceSettings(id="locks1", bus="cab", driver="lock_8a")
    point = PointSettings(id="a.cab1.s01.lock", type="lock", device="locks1", channel="lock:1")
    edge, broker = EdgeSettings(id="a", data_dir="data"), BrokerSettings(host="127.0.0.1")
    return Settings(edge=edge, broker=broker, bus=(bus,), device=(device,), point=(point,))


@pytest.fixture
def plant() -> Plant:
    return Plant(LOCKS)


@pytest.fixture
def boards(tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Iterator[TappedPty]:
    kind = PolledKind(lambda _: PulsingLock(1, Lock8aOptions()), "8a", SERIAL, {"lock": ("lock",)})
    monkeypatch.setitem(registry.DRIVERS, "lock_8a", kind)
    board = LockBoard(LOCKS, plant, lambda lock: plant.change(lock, "open", 0, 0))
    with serial_units_apart(Line8a({1: board}), tmp_path / "locks") as far:
        yield far


async def read(walking: Walking) -> None:
    (line,) = walking._lines
    turn = await one_turn(walking._buses["locks1"], line.drivers["locks1"], line.polls[0])
    assert turn.sights is not None, turn.error
    walking._walk.see("locks1", turn.sights, now())


async def test_one_key_is_one_pulse_on_the_line(boards: TappedPty, plant: Plant) -> None:
    walking = Walking(settings(boards.address), now())
    await read(walking)
    assert walking._walk.stage is Stage.AWAY
    await walking._send_pulse()
    assert 0x8A not in boards.heard, "nobody has pressed the key"
    for key in "ooo":
        walking._pressed(key)
    await asyncio.gather(*(walking._send_pulse() for _ in range(3)))
    assert boards.heard.count(codec.encode_open(1, 1)) == 1
    assert walking._walk.trials[0].pulse == "acknowledged"
    assert walking._walk.stage is Stage.AWAY, "an acknowledgement proves nothing"
    await read(walking)
    assert walking._walk.stage is Stage.BACK
    plant.change(LOCKS[0], "closed", 0, 0)
    await read(walking)
    assert walking._walk.trials[0].result is Result.PASSED
    await walking._buses["locks1"].close()
