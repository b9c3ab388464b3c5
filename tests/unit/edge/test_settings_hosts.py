"""Hosts that a settings file may name: those that a connection can be tried to, and no other."""

import ipaddress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.settings import BrokerSettings, CameraSettings

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
NAMES = ("localhost", "plc_1", "io-1.liuxu.example", "3com.example", "a" * 63, LONGEST, "192.0.2.1")
WRONG = (
    "",
    "a..b",
    ".a",
    "a.",
    "a" * 64,
    "-a",
    "a-",
    f"{LONGEST}d",
    "256.0.0.1",
    "1.2.3",
    "a b",
    "a\n",
    "泽湖",
)


def is_host(text: str) -> bool:
    try:
        msgspec.convert({"host": text}, BrokerSettings)
    except msgspec.ValidationError:
        return False
    return True


def is_camera(text: str) -> bool:
    try:
        msgspec.convert({"point": "a.b.picture", "onvif": text}, CameraSettings)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", [*NAMES, "::1", "fe80::1", "2001:db8:0:1:2:3:4:5", "::", "2001:DB8::"])
def test_a_name_or_an_address_is_taken(name: str) -> None:
    assert is_host(name)


@pytest.mark.parametrize("name", [*WRONG, ":", ":::", "1::2::3", "1:2:3", "12345::", "1:2:3:4:5:6:7:8:9"])
def test_what_is_neither_is_refused(name: str) -> None:
    assert not is_host(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_cameras_address_is_a_host_and_a_port(name: str) -> None:
    assert is_camera(f"{name}:80")
    assert not is_camera(name)


@pytest.mark.parametrize("name", WRONG)
def test_a_cameras_host_is_held_to_the_same(name: str) -> None:
    assert not is_camera(f"{name}:80")


@given(st.text("a1-._:f", max_size=12))
def test_whatever_is_taken_can_be_looked_up(text: str) -> None:
    if is_host(text):
        assert ipaddress.ip_address(text) if ":" in text else text.encode("idna")


@given(st.ip_addresses())
def test_every_address_is_taken(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert is_host(str(address))
