"""Use and blind time of a bus, by hand."""

import msgspec
import pytest

from device_drivers.driver import Read
from edge.bus_load import bus_load
from edge.schedule import Poll, PollClass
from edge.settings import BusSettings

TCP = BusSettings(id="io", kind="modbus_tcp", host="192.0.2.1")
LINE = BusSettings(id="io", kind="modbus_rtu", device="/dev/ttyS0", timeout_ms=300, quarantine_ms=700)
READ = Read("inputs", 1, ("di:0",), 8, 7)
"""15 characters: 17.2 ms at 9600 baud, 8.0 ms of silence around, 10 ms in the device."""


def poll(device: str, interval_ms: int, poll_class: PollClass = PollClass.SECURITY) -> Poll:
    return Poll(device, READ, poll_class, interval_ms * 1_000_000)


def test_use_is_the_share_of_time_that_exchanges_take() -> None:
    load = bus_load(LINE, [poll("io1", 200), poll("io2", 400)])
    assert load.utilisation == pytest.approx(35.2 / 200 + 35.2 / 400, rel=0.01)


def test_blind_time_is_period_and_exchanges_and_commit() -> None:
    load = bus_load(TCP, [poll("io1", 100)])
    assert load.blind_ms == 100 + 5 + 5 + 10


def test_slow_cabinet_is_not_the_security_points_blind_time_but_its_exchange_is() -> None:
    alone = bus_load(LINE, [poll("io1", 100)])
    beside = bus_load(LINE, [poll("io1", 100), poll("locks", 2_000, PollClass.CABINET)])
    assert beside.blind_ms == alone.blind_ms


def test_dead_unit_costs_its_timeout_and_no_silence() -> None:
    load = bus_load(LINE, [poll("io1", 100), poll("io2", 100)])
    assert load.blind_dead_ms - load.blind_ms == 300


def test_unit_alone_on_its_bus_has_no_dead_neighbour() -> None:
    load = bus_load(LINE, [poll("io1", 100)])
    assert load.blind_dead_ms == load.blind_ms


def test_bus_without_reads_is_idle() -> None:
    assert bus_load(TCP, []).utilisation == 0


def test_exchanges_of_the_doors_count_wherever_their_module_stands_in_the_file() -> None:
    long_read = msgspec.structs.replace(READ, reply_bytes=200)
    door = Poll("io1", long_read, PollClass.SECURITY, 1_000_000_000)
    locks = poll("locks", 2_000, PollClass.CABINET)
    assert bus_load(LINE, [locks, door]) == bus_load(LINE, [door, locks])
