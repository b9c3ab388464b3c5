"""One case a driver, for the conformance suite and the fuzzers: where it stands, and a far end that answers.

A driver is in the suite as soon as it is in `registry.DRIVERS` and a case of its kind stands in CASES.
"""

import itertools
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec

from device_drivers import registry
from device_drivers.driver import Command, Driver
from device_drivers.errors import BadFrame
from device_drivers.lock_8a import codec as lock_8a
from device_drivers.modbus import frame as modbus
from device_drivers.registry import BusKind, Site
from simulators.wire import Responder

PROFILES = Path(__file__).parents[2] / "config/profiles"

Answerer = Callable[[bytes], bytes]
"""A device's end of the cable: a request in, all it sends back out; nothing for what is no request to it.
Any bytes may come in, and never raise."""


class DriverCase(msgspec.Struct, frozen=True):
    """`far_end(unit, is_active)`: the device, sound and fresh, with nothing active or with something.

    The two must differ in what the driver sees. `commands`: some that the far end carries out; a driver
    that takes commands has at least one.
    """

    name: str
    kind: str
    site: Site
    far_end: Callable[[int, bool], Answerer]
    commands: tuple[Command, ...] = ()
    reply_varies: bool = False
    """Lengths and exchanges of a good turn depend on what is seen: those of its reads are upper bounds."""
    has_check: bool = True
    """The frames carry a check that finds every single flipped bit."""
    seal: Callable[[bytes], bytes] | None = None
    """Adds the check to a frame without one, so that fuzzers get past it."""

    def driver(self, unit: int | None = None) -> Driver:
        site = self.site if unit is None else msgspec.structs.replace(self.site, unit=unit)
        return registry.build(self.kind, site)

    @property
    def is_packet(self) -> bool:
        """Whether frames carry the number of their request, as the registry's buses have it."""
        return self.site.bus_kind == "modbus_tcp"

    @property
    def is_addressed(self) -> bool:
        return registry.DRIVERS[self.kind].is_addressed

    @property
    def other_unit(self) -> int:
        """Another device on the same cable."""
        return self.site.unit + 1


def heard_by(responder: Responder) -> Answerer:
    """A simulated device as a far end. Its clock goes on by a second a request."""
    seconds = itertools.count(1.0)

    def answer(request: bytes) -> bytes:
        replies, _ = responder.hear(request, next(seconds))
        return b"".join(reply.frame for reply in replies)

    return answer


def _modbus_pdu(request: bytes, is_active: bool) -> bytes:
    """A reply PDU in which only the lowest bit of the last word, or of the only byte, tells of anything."""
    function, _, count = struct.unpack(">BHH", request)
    size = modbus.data_bytes(function, min(count, 125))
    return bytes([function, size, *bytes(size - 1), is_active])


def _rtu_module(unit: int, is_active: bool) -> Answerer:
    def answer(request: bytes) -> bytes:
        try:
            asked, pdu = modbus.rtu_content(request)
            return modbus.rtu_frame(unit, _modbus_pdu(pdu, is_active)) if asked == unit else b""
        except (BadFrame, struct.error):
            return b""

    return answer


def _tcp_module(unit: int, is_active: bool) -> Answerer:
    def answer(request: bytes) -> bytes:
        try:
            transaction, asked, pdu = modbus.mbap_content(request)
            return (
                modbus.mbap_frame(transaction, asked, _modbus_pdu(pdu, is_active)) if asked == unit else b""
            )
        except (BadFrame, struct.error):
            return b""

    return answer


def _lock_board(unit: int, is_active: bool) -> Answerer:
    """Every contact short, or none: all locked and every item there, or all open and none there."""

    def answer(request: bytes) -> bytes:
        try:
            asked = lock_8a.decode_request(request)
        except BadFrame:
            return b""
        if asked.board != unit:
            return b""
        if asked.is_open:
            return lock_8a.encode_one(unit, asked.lock, is_short=False, head=lock_8a.COMMAND_HEAD)
        if asked.lock == lock_8a.ALL_LOCKS:
            return lock_8a.encode_all(unit, (not is_active,) * lock_8a.LOCKS_MAX)
        return lock_8a.encode_one(unit, asked.lock, is_short=not is_active)

    return answer


def _xored(body: bytes) -> bytes:
    check = 0
    for byte in body:
        check ^= byte
    return body + bytes([check])


def _modbus_case(name: str, bus_kind: BusKind, profile: str) -> DriverCase:
    is_tcp = bus_kind == "modbus_tcp"
    return DriverCase(
        name=name,
        kind="modbus_di",
        site=Site(bus_kind=bus_kind, unit=3, profile=PROFILES / f"{profile}.toml"),
        far_end=_tcp_module if is_tcp else _rtu_module,
        has_check=not is_tcp,
        seal=None if is_tcp else lambda body: modbus.rtu_frame(body[0], body[1:]) if body else b"",
    )


def _lock_8a_case(name: str, channels: tuple[str, ...], commands: tuple[Command, ...]) -> DriverCase:
    return DriverCase(
        name=name,
        kind="lock_8a",
        site=Site(bus_kind="serial", unit=3, baud=9600, channels=channels),
        far_end=_lock_board,
        commands=commands,
        seal=_xored,
    )


CASES: list[DriverCase] = [
    _modbus_case("modbus_di-tcp", "modbus_tcp", "moxa-e1210"),
    _modbus_case("modbus_di-words", "modbus_rtu_tcp", "moxa-r1210"),
    _modbus_case("modbus_di-bits", "modbus_rtu", "waveshare-io8"),
    _lock_8a_case("lock_8a-locks", ("lock:5",), (Command("open", "lock:5"),)),
    _lock_8a_case("lock_8a-items", ("item:5",), ()),
]

LISTENER_CASES: set[str] = set()
"""Kinds of `registry.LISTENERS` that have tests of their own: their lines cannot be played by one answer."""
