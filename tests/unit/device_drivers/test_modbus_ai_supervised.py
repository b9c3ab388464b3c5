"""Contacts with resistors at their end: four states and the fault, told at the right reading."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers import registry
from device_drivers.driver import Fault, Observation
from device_drivers.errors import DriverError, WrongReply
from device_drivers.modbus.analogue_profile import AnalogueProfile, Values
from device_drivers.modbus.end_of_line import Band, Bands, EndOfLine, band_of
from device_drivers.modbus.frame import rtu_frame
from device_drivers.modbus.modbus_ai_supervised import ModbusAiSupervised
from device_drivers.site import Site

PROFILES = Path(__file__).parents[3] / "config/profiles"
CLOSED, OPEN, CUT, SHORT, BETWEEN = 2.5, 10 / 3, 5.0, 0.0, 1.3


def told(*volts: float) -> list[Band | None]:
    loop = EndOfLine(Bands())
    return [loop.tell(reading) for reading in volts]


@pytest.mark.parametrize(
    ("volts", "band"),
    [
        (0.0, Band.SHORT),
        (0.8, Band.SHORT),
        (1.3, Band.BETWEEN),
        (1.9, Band.CLOSED),
        (2.9, Band.CLOSED),
        (2.95, Band.BETWEEN),
        (3.0, Band.OPEN),
        (3.9, Band.OPEN),
        (4.2, Band.BETWEEN),
        (4.5, Band.CUT),
        (5.0, Band.CUT),
    ],
)
def test_the_bands_are_those_of_the_resistors(volts: float, band: Band) -> None:
    assert band_of(volts, Bands()) is band


def test_open_is_told_by_the_first_reading_and_closed_too() -> None:
    assert told(CLOSED, OPEN, CLOSED) == [Band.CLOSED, Band.OPEN, Band.CLOSED]


@pytest.mark.parametrize(("volts", "band"), [(CUT, Band.CUT), (SHORT, Band.SHORT), (BETWEEN, Band.BETWEEN)])
def test_a_fault_is_told_by_its_second_reading(volts: float, band: Band) -> None:
    assert told(CLOSED, volts, volts, CLOSED) == [Band.CLOSED, Band.CLOSED, band, Band.CLOSED]


def test_a_contact_that_is_met_on_its_way_is_no_fault() -> None:
    assert told(CLOSED, 2.97, OPEN, 4.2, OPEN) == [Band.CLOSED, Band.CLOSED, *[Band.OPEN] * 3]


def test_nothing_is_told_of_a_wire_that_is_broken_from_the_first_until_that_is_sure() -> None:
    assert told(CUT, CUT) == [None, Band.CUT]


def test_an_open_door_is_told_at_once_though_its_wire_was_a_fault() -> None:
    assert told(CUT, CUT, OPEN)[-1] is Band.OPEN


def test_drift_to_an_edge_with_hum_on_it_makes_no_fault() -> None:
    hum = [2.9 + 0.04 * math.sin(n) for n in range(100)]
    assert set(told(CLOSED, *hum)) == {Band.CLOSED}


def test_drift_beyond_an_edge_is_a_fault_and_stays_one() -> None:
    hum = [2.97 + 0.02 * math.sin(n) for n in range(100)]
    assert set(told(CLOSED, *hum)[2:]) == {Band.BETWEEN}


@given(st.lists(st.floats(-1, 6), max_size=50))
def test_open_is_never_kept_back_and_no_fault_told_by_one_reading(volts: list[float]) -> None:
    bands = told(*volts)
    for n, reading in enumerate(volts):
        if 3.0 <= reading <= 3.9:
            assert bands[n] is Band.OPEN
        if bands[n] in {Band.CUT, Band.SHORT, Band.BETWEEN}:
            assert n > 0
            assert not any(1.95 <= v <= 2.85 or 3.05 <= v <= 3.85 for v in volts[n - 1 : n + 1])


PROFILE = AnalogueProfile(model="any", inputs=4, values=Values(function=4, address=0))


def reply(*volts: float) -> bytes:
    words = b"".join(round(v / 10 * 0xFFFF).to_bytes(2) for v in volts)
    return rtu_frame(1, bytes([4, len(words)]) + words)


def test_each_input_has_its_level_or_its_fault() -> None:
    driver = ModbusAiSupervised(PROFILE, 1, "rtu")
    (read,) = driver.reads()
    assert driver.encode(read) == rtu_frame(1, bytes.fromhex("0400000004"))
    first = driver.decode(read, reply(CLOSED, OPEN, CUT, SHORT))
    assert first == [Observation("ai:0", False), Observation("ai:1", True)]
    assert driver.decode(read, reply(CLOSED, OPEN, CUT, SHORT)) == [
        Observation("ai:0", False),
        Observation("ai:1", True),
        Observation("ai:2", False, fault=Fault.LINE_OPEN),
        Observation("ai:3", False, fault=Fault.LINE_SHORT),
    ]


def test_a_voltage_in_no_band_is_a_fault_of_the_device() -> None:
    driver = ModbusAiSupervised(PROFILE, 1, "rtu", channels=("ai:2",))
    (read,) = driver.reads()
    assert read.channels == ("ai:2",)
    driver.decode(read, reply(BETWEEN))
    assert driver.decode(read, reply(BETWEEN)) == [Observation("ai:2", False, fault=Fault.DEVICE_ERROR)]


@pytest.mark.parametrize("profile", ["adam-6017", "moxa-e1240"])
def test_the_shipped_profiles_read_eight_inputs(profile: str) -> None:
    site = Site(bus_kind="modbus_tcp", profile=PROFILES / f"{profile}.toml")
    (read,) = registry.build("modbus_ai_supervised", site).reads()
    assert read.channels == tuple(f"ai:{n}" for n in range(8))


@given(garbage=st.binary(max_size=300))
def test_garbage_raises_driver_errors_only_from_supervision(garbage: bytes) -> None:
    driver = ModbusAiSupervised(PROFILE, 1, "rtu")
    (read,) = driver.reads()
    for attempt in (driver.reply_length, driver.decode):
        try:
            attempt(read, garbage)
        except DriverError:
            continue


def test_a_short_reply_is_not_scaled_into_voltages() -> None:
    driver = ModbusAiSupervised(PROFILE, 1, "rtu")
    with pytest.raises(WrongReply):
        driver.decode(driver.reads()[0], reply(CLOSED, OPEN))
