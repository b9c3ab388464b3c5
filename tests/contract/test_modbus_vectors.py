"""Modbus frames that others wrote: the specification's examples, and requests of mbpoll 1.4.11 on a pty."""

from pathlib import Path

import pytest

from device_drivers import registry
from device_drivers.driver import Driver, Read
from device_drivers.errors import WrongReply
from device_drivers.modbus import frame
from device_drivers.site import BusKind, Site

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
        ("ebyte-e831", "01 02 00 00 00 08 79 cc"),
        ("zlan-6844", "01 01 00 00 00 08 3d cc"),
        ("konnad-c2000-sdd8020", "01 02 00 c8 00 08 f8 32"),
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
    ("function", "address", "value", "request_pdu", "reply_pdu"),
    [
        (5, 0xAC, 1, "05 00AC FF00", "05 00AC FF00"),
        (6, 0x01, 3, "06 0001 0003", "06 0001 0003"),
        (15, 0x13, 1, "0F 0013 0001 01 01", "0F 0013 0001"),
    ],
)
def test_the_writes_of_the_application_protocol_hold(
    function: int, address: int, value: int, request_pdu: str, reply_pdu: str
) -> None:
    """Modbus Application Protocol V1.1b3, 6.5, 6.6 and (with one coil) 6.11."""
    request = frame.write_request(function, address, value)
    assert request == bytes.fromhex(request_pdu)
    frame.check_write_reply(bytes.fromhex(reply_pdu), request)
    with pytest.raises(WrongReply):
        frame.check_write_reply(bytes.fromhex(reply_pdu)[:-1] + b"\x02", request)


def test_an_adam_6050_is_asked_for_level_counters_and_level() -> None:
    """`mbpoll -t 0 -r 1 -c 12`, and `-t 4:int -r 1 -c 12`, which reads the low word first."""
    driver = module("adam-6050", "modbus_rtu")
    read = driver.reads()[0]
    asked = []
    for reply_pdu in ("01 02 01 08", "03 30 0005 0000 0000 0001" + " 0000" * 20, "01 02 01 08"):
        asked.append(driver.encode(read).hex(" "))
        answer = driver.decode(read, frame.rtu_frame(1, bytes.fromhex(reply_pdu)))
        read = answer if isinstance(answer, Read) else read
    assert asked == ["01 01 00 00 00 0c 3c 0f", "01 03 00 00 00 18 45 c0", "01 01 00 00 00 0c 3c 0f"]
    assert isinstance(answer, list)
    assert [o.counter for o in answer[:3]] == [5, 65_536, 0]
    assert {o.channel for o in answer if o.active} == {"di:0", "di:11"}


@pytest.mark.parametrize(
    ("profile", "reply_pdu", "active", "counters"),
    [
        (
            "moxa-e1210",
            "04 42 0000 0001 0001 0000 FFFF FFFF" + " 0000 0000" * 13 + " 8005",
            {0, 2, 15},
            {0: 1, 1: 0x10000, 2: 0xFFFFFFFF, 15: 0},
        ),
        ("zlan-6844", "01 01 81", {0, 7}, {}),
        ("konnad-c2000-sdd8020", "02 01 03", {0, 1}, {}),
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


def module(profile: str, bus_kind: BusKind) -> Driver:
    return registry.build("modbus_di", Site(bus_kind=bus_kind, profile=PROFILES / f"{profile}.toml"))
