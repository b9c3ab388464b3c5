"""A technician's reads take nothing away that the agent's journal has not told."""

import pytest

from edge import plan
from edge.errors import NotThere
from edge.settings import BrokerSettings, BusSettings, DeviceSettings, EdgeSettings, PointSettings, Settings
from edge.technician import capture_command, read_command
from edge.technician.commission_command import points_of
from edge.technician.untouched import untouched


def settings(profile: str) -> Settings:
    edge, broker = EdgeSettings(id="a", data_dir="data"), BrokerSettings(host="127.0.0.1")
    bus = BusSettings(id="io", kind="modbus_tcp", host="127.0.0.1")
    device = DeviceSettings(id="io1", bus="io", driver="modbus_di", profile=profile)
    point = PointSettings(id="a.int1.door", type="door", device="io1", channel="di:0")
    return Settings(edge=edge, broker=broker, bus=(bus,), device=(device,), point=(point,))


def test_a_module_with_latches_is_read_by_its_level_alone() -> None:
    latching = settings("adam-6050-latch")
    (usual,), (ours,) = plan.plan(latching), untouched(latching)
    assert [poll.read.exchanges for poll in ours.polls] == [1]
    assert usual.polls[0].read.exchanges > 1
    assert [poll.read.channels for poll in ours.polls] == [poll.read.channels for poll in usual.polls]
    assert capture_command.find(latching, "io").polls == ours.polls


def test_a_module_without_latches_is_read_as_ever() -> None:
    counting = settings("moxa-e1210")
    (usual,), (ours,) = plan.plan(counting), untouched(counting)
    assert ours.polls == usual.polls


def test_a_modem_is_asked_by_nobody_but_the_agent() -> None:
    edge, broker = EdgeSettings(id="a", data_dir="data"), BrokerSettings(host="127.0.0.1")
    bus = BusSettings(id="m", kind="serial", device="/dev/x")
    device = DeviceSettings(id="modem1", bus="m", driver="sms_modem", interval_ms=5_000)
    point = PointSettings(id="a.duty.modem", type="modem", device="modem1", channel="modem")
    with_modem = Settings(edge=edge, broker=broker, bus=(bus,), device=(device,), point=(point,))
    assert plan.plan(with_modem), "the agent asks it"
    assert untouched(with_modem) == []
    assert points_of(with_modem) == []
    with pytest.raises(NotThere, match="the agent's alone"):
        read_command.find(with_modem, point.id)
    with pytest.raises(NotThere, match="the agent's alone"):
        capture_command.find(with_modem, "m")
