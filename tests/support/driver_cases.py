"""One case a driver, for the conformance suite and the fuzzers: where it stands, and a far end that answers.

A driver is in the suite as soon as it is in `registry.DRIVERS` and a case of its kind stands in CASES.
"""

import functools
import itertools
import operator
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from device_drivers import registry
from device_drivers.driver import Command, Driver
from device_drivers.lock_8a import codec as lock_8a
from device_drivers.lock_wkly import codec as wkly
from device_drivers.modbus.frame import rtu_frame
from device_drivers.rfid_uhf18.codec import crc as uhf18_crc
from device_drivers.site import BusKind, Site
from simulators.input_module import InputModule
from simulators.locks.board import LockBoard
from simulators.locks.krcu import Cu48Line, KrcuLine
from simulators.locks.lock_8a import Line8a
from simulators.locks.winnsen import WinnsenLine
from simulators.locks.wkly import WklyLine
from simulators.modbus_units import ModbusRtuUnits, ModbusTcpUnits
from simulators.module_map import MODULE_MAPS
from simulators.plant import VALUES, Plant, point_kind
from simulators.rfid_readers import M100Line, TagReader, Uhf18Line
from simulators.sms_modem import SmsModemLine
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
    notice: bytes = b""
    """What this device may say unasked."""
    words: tuple[bytes, ...] = ()
    """Of a protocol in words: what its devices say besides sound replies, so that fuzzers know it."""

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


def _plant(points: Iterable[str], *, is_active: bool) -> Plant:
    """Every point at rest, or every one moved. An item at rest is there: it is what an input sees."""
    plant = Plant(points)
    for point in plant.points:
        values = VALUES[point_kind(point)]
        is_on = is_active is not point.endswith(".item")
        plant.change(point, values[1] if is_on else values[0], 0, 0)
    return plant


def _module(make: str) -> Callable[[int, bool], Answerer]:
    """A Modbus module on a line, its inputs wired to doors."""
    return lambda unit, is_active: heard_by(ModbusRtuUnits({unit: _inputs(make, is_active=is_active)}))


def _tcp_module(make: str) -> Callable[[int, bool], Answerer]:
    return lambda unit, is_active: heard_by(ModbusTcpUnits({unit: _inputs(make, is_active=is_active)}))


def _inputs(make: str, *, is_active: bool) -> InputModule:
    """A module that was there before its doors moved, so that it has counted them."""
    wiring = {n: f"liuxu.int{n}.door" for n in range(MODULE_MAPS[make].channels)}
    plant = _plant(wiring.values(), is_active=False)
    module = InputModule(MODULE_MAPS[make], wiring, plant)
    for point in wiring.values() if is_active else ():
        plant.change(point, "open", 0, 0)
    return module


def _boards(
    line: Callable[[dict[int, LockBoard]], Responder], kind: str, size: int
) -> Callable[[int, bool], Answerer]:
    """A cabinet's board with `size` locks, items or both. A pulse moves nothing: a test knows what to see."""

    def far_end(unit: int, is_active: bool) -> Answerer:
        names = {part: [f"cab.s{n:02}.{part}" for n in range(1, size + 1)] for part in kind.split("+")}
        plant = _plant([name for part in names.values() for name in part], is_active=is_active)
        locks, items = names.get("lock", []), names.get("item", [])
        return heard_by(line({unit: LockBoard(locks, plant, lambda _: None, items=items)}))

    return far_end


def _tag_reader(
    line: Callable[[int, TagReader], Responder], antennas: int
) -> Callable[[int, bool], Answerer]:
    """A dossier's tag before the first antenna."""

    def far_end(unit: int, is_active: bool) -> Answerer:
        tags: dict[int, dict[str, str]] = {n: {} for n in range(1, antennas + 1)}
        tags[1] = {EPC: "cab.s01.item"}
        return heard_by(line(unit, TagReader(tags, _plant(["cab.s01.item"], is_active=is_active))))

    return far_end


def _modem(unit: int, is_active: bool) -> Answerer:
    """Active: it is registered with its network."""
    modem = SmsModemLine(unit=unit)
    if not is_active:
        modem.act(unit, "unregister")
    return heard_by(modem)


def _xored(body: bytes) -> bytes:
    return body + bytes([functools.reduce(operator.xor, body, 0)])


def _summed(body: bytes) -> bytes:
    return body + bytes([sum(body) & 0xFF])


def _m100_sealed(body: bytes) -> bytes:
    return body + bytes([sum(body[1:]) & 0xFF, 0x7E])


def _rtu_sealed(body: bytes) -> bytes:
    return rtu_frame(body[0], body[1:]) if body else b""


def _modbus_case(profile: str, kind: str = "modbus_di", bus_kind: BusKind = "modbus_rtu") -> DriverCase:
    is_tcp = bus_kind == "modbus_tcp"
    make = profile.removesuffix("-latch")
    return DriverCase(
        name=f"{kind}-{profile}",
        kind=kind,
        site=Site(
            bus_kind=bus_kind, unit=3, baud=0 if is_tcp else 9600, profile=PROFILES / f"{profile}.toml"
        ),
        far_end=_tcp_module(make) if is_tcp else _module(make),
        has_check=not is_tcp,
        seal=None if is_tcp else _rtu_sealed,
    )


def _serial(unit: int = 3, channels: tuple[str, ...] = (), **options: object) -> Site:
    return Site(bus_kind="serial", unit=unit, baud=9600, channels=channels, options=options)


OPEN = (Command("open", "lock:5"),)
EPC = "E28011700000020F1234ABCD"
CASES: list[DriverCase] = [
    _modbus_case("moxa-e1210", bus_kind="modbus_tcp"),
    _modbus_case("adam-6050-latch", bus_kind="modbus_tcp"),
    _modbus_case("moxa-r1210"),
    _modbus_case("ebyte-e831"),
    _modbus_case("waveshare-io8", bus_kind="modbus_rtu_tcp"),
    _modbus_case("moxa-e1240", "modbus_ai_supervised"),
    DriverCase(
        "lock_8a-locks",
        "lock_8a",
        _serial(),
        _boards(Line8a, "lock", 24),
        OPEN,
        seal=_xored,
        notice=lock_8a.encode_one(3, 1, is_short=True, head=lock_8a.NOTICE_HEAD),
    ),
    DriverCase(
        "lock_8a-items", "lock_8a", _serial(channels=("item:1",)), _boards(Line8a, "item", 24), seal=_xored
    ),
    DriverCase("lock_krcu", "lock_krcu", _serial(), _boards(KrcuLine, "lock+item", 16), OPEN, seal=_summed),
    DriverCase(
        "lock_krcu-cu48",
        "lock_krcu",
        _serial(board="cu48"),
        _boards(Cu48Line, "lock", 48),
        OPEN,
        seal=_summed,
    ),
    DriverCase(
        "lock_winnsen",
        "lock_winnsen",
        _serial(channels=("lock:1", "lock:5")),
        _boards(WinnsenLine, "lock", 16),
        OPEN,
        has_check=False,
    ),
    DriverCase(
        "lock_wkly",
        "lock_wkly",
        _serial(),
        _boards(WklyLine, "lock", 24),
        OPEN,
        seal=_xored,
        notice=wkly.encode_reply(wkly.Moved(3, 1, wkly.OPEN)),
    ),
    DriverCase(
        "rfid_m100",
        "rfid_m100",
        _serial(channels=(f"tag:{EPC}",)),
        _tag_reader(lambda unit, reader: M100Line(reader, unit), 1),
        seal=_m100_sealed,
    ),
    DriverCase(
        "rfid_uhf18",
        "rfid_uhf18",
        _serial(channels=(f"tag:{EPC}",), antenna_ports=2),
        _tag_reader(lambda unit, reader: Uhf18Line({unit: reader}), 2),
        seal=lambda body: body + uhf18_crc(body),
    ),
    DriverCase(
        "sms_modem",
        "sms_modem",
        _serial(),
        _modem,
        (Command("send", "modem", {"to": "+10000000000", "text": "泽湖县"}),),
        reply_varies=True,
        has_check=False,
        notice=b"\r\nRING\r\n",
        words=(
            b"\r\n+CMS ERROR: 33",
            b"\r\n+CMGL: 1,1",
            b"\r\n+CREG: 0,1",
            b"\r\nRING",
            b"\x1e",
            b"\r\n> ",
            b"\r\n",
        ),
    ),
]

LISTENER_CASES = {"osdp_reader", "onvif_camera"}
"""Kinds of `registry.LISTENERS` that have tests of their own: their lines cannot be played by one answer."""
