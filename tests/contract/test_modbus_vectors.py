"""Modbus frames that others wrote: the specification's examples, and requests of mbpoll 1.4.11 on a pty."""

from pathlib import Path

import pytest

from device_drivers import registry
from device_drivers.driver import Driver
from device_drivers.modbus import frame

PROFILES = Path(__file__).parents[2] / "config/profiles"


@pytest.mark.parametrize(
    ("function", "address", "count", "request_pdu", "reply_pdu"),
    [
        (1, 0x13, 0x13, "01 0013 0013", "01 03 CD 6B 05"),
        (2, 0xC4, 0x16, "02 00C4 0016", "02 03 AC DB 35"),
        (3, 0x6B, 0x03, "03 006B 0003", "03 06 022B 0000 0064"),
        (4, 0x08, 0x01, "04 0008 0001", "04 02 000A"),
    ],
)
def test_the_examples_of_the_application_protocol_hold(
    function: int, address: int, count: int, request_pdu: str, reply_pdu: str
) -> None:
    """Modbus Application Protocol V1.1b3, 6.1 to 6.4."""
    reply = bytes.fromhex(reply_pdu)
    assert frame.read_request(function, address, count) == bytes.fromhex(request_pdu)
    assert frame.reply_data(reply, function, frame.data_bytes(function, count)) == reply[2:]


@pytest.mark.parametrize(
    ("profile", "request_frame"),
    [
        ("moxa-r1210", "01 04 00 10 00 21 31 d7"),
        ("moxa-e1210", "01 04 00 10 00 21 31 d7"),
        ("adam-6050", "01 01 00 00 00 0c 3c 0f"),
        ("adam-4150", "01 03 01 2c 00 01 44 3f"),
        ("waveshare-io8", "01 02 00 00 00 08 79 cc"),
    ],
)
def test_a_profile_is_read_with_the_frame_that_mbpoll_sends(profile: str, request_frame: str) -> None:
    """`mbpoll -m rtu -a 1 -t 3 -r 17 -c 33`, `-t 0 -r 1 -c 12`, `-t 4 -r 301 -c 1`, `-t 1 -r 1 -c 8`."""
    driver = module(profile, "modbus_rtu")
    assert driver.encode(driver.reads()[0]) == bytes.fromhex(request_frame)


def test_a_module_over_tcp_is_asked_with_number_and_length() -> None:
    driver = module("moxa-e1210", "modbus_tcp")
    assert driver.encode(driver.reads()[0]).hex(" ") == "00 01 00 00 00 06 01 04 00 10 00 21"
    assert driver.encode(driver.reads()[0]).hex(" ") == "00 02 00 00 00 06 01 04 00 10 00 21"


@pytest.mark.parametrize(
    ("profile", "reply_pdu", "active", "counters"),
    [
        (
            "moxa-e1210",
            "04 42 0000 0001 0001 0000 FFFF FFFF" + " 0000 0000" * 13 + " 8005",
            {0, 2, 15},
            {0: 1, 1: 0x10000, 2: 0xFFFFFFFF, 15: 0},
        ),
        ("adam-6050", "01 02 01 08", {0, 11}, {}),
        ("adam-4150", "03 02 00 41", {0, 6}, {}),
        ("waveshare-io8", "02 01 82", {1, 7}, {}),
    ],
)
def test_a_profile_puts_each_input_where_the_manual_has_it(
    profile: str, reply_pdu: str, active: set[int], counters: dict[int, int]
) -> None:
    driver = module(profile, "modbus_rtu")
    reply = frame.rtu_frame(1, bytes.fromhex(reply_pdu))
    observations = {o.channel: o for o in driver.decode(driver.reads()[0], reply)}
    assert {name for name, o in observations.items() if o.active} == {f"di:{n}" for n in active}
    assert {n: observations[f"di:{n}"].counter for n in counters} == counters
    assert {o.counter is not None for o in observations.values()} == {bool(counters)}


def module(profile: str, bus_kind: registry.BusKind) -> Driver:
    return registry.build("modbus_di", registry.Site(bus_kind=bus_kind, profile=PROFILES / f"{profile}.toml"))
