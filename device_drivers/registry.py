"""Which buses and drivers there are, by the names that settings use: one explicit table each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

import msgspec

from device_drivers.bus import Bus, BusSettings
from device_drivers.driver import Driver
from device_drivers.errors import ProfileFault
from device_drivers.lock_8a.codec import BOARD_MAX
from device_drivers.lock_8a.driver import Lock8a, Lock8aOptions
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import load_profile
from device_drivers.transport.serial_port import SerialPort
from device_drivers.transport.tcp import TcpTransport

BusKind = Literal["modbus_tcp", "modbus_rtu_tcp", "modbus_rtu", "serial"]
BUS_KINDS: tuple[BusKind, ...] = get_args(BusKind)
TCP_KINDS: tuple[BusKind, ...] = ("modbus_tcp", "modbus_rtu_tcp")

Options = Mapping[str, object]
Factory = Callable[[int, BusKind, Path | None, Options], Driver]


def tcp_bus(kind: BusKind, host: str, port: int, *, timeout_s: float, quarantine_s: float) -> Bus:
    """A bus over TCP: `modbus_tcp` (MBAP), or `modbus_rtu_tcp` (a gateway that passes RTU frames)."""
    return Bus(TcpTransport(host, port), _settings(kind, timeout_s, quarantine_s))


def serial_bus(kind: BusKind, device: str, baud: int, *, timeout_s: float, quarantine_s: float) -> Bus:
    """A bus on a serial port, 8N1."""
    return Bus(SerialPort(device, baud), _settings(kind, timeout_s, quarantine_s))


def build(
    kind: str, *, unit: int, bus_kind: BusKind, profile: Path | None = None, options: Options | None = None
) -> Driver:
    """A driver by its name in settings. Raises ProfileFault for whatever it cannot be made from."""
    factory = DRIVERS.get(kind)
    if factory is None:
        raise ProfileFault(f"driver: {kind!r} is none of {', '.join(DRIVERS)}")
    return factory(unit, bus_kind, profile, options or {})


def _settings(kind: BusKind, timeout_s: float, quarantine_s: float) -> BusSettings:
    return BusSettings(timeout_s, quarantine_s, has_transaction_ids=kind == "modbus_tcp")


def _modbus_di(unit: int, bus_kind: BusKind, profile: Path | None, options: Options) -> Driver:
    if profile is None:
        raise ProfileFault("profile: modbus_di needs one")
    if options:
        raise ProfileFault(f"options: modbus_di takes none, not {', '.join(options)}")
    if bus_kind == "modbus_tcp":
        _check_unit(unit, 0, 255)
        return ModbusDi(load_profile(profile), unit, "mbap")
    _check_unit(unit, 1, 247)
    return ModbusDi(load_profile(profile), unit, "rtu")


def _lock_8a(unit: int, bus_kind: BusKind, profile: Path | None, options: Options) -> Driver:
    if profile is not None:
        raise ProfileFault("profile: lock_8a takes none")
    if bus_kind == "modbus_tcp":
        raise ProfileFault("bus: lock_8a does not speak Modbus TCP")
    _check_unit(unit, 1, BOARD_MAX)
    try:
        return Lock8a(unit, msgspec.convert(dict(options), Lock8aOptions))
    except msgspec.ValidationError as error:
        raise ProfileFault(f"options: {error}") from error


def _check_unit(unit: int, lowest: int, highest: int) -> None:
    if not lowest <= unit <= highest:
        raise ProfileFault(f"unit: {unit} is not between {lowest} and {highest}")


DRIVERS: dict[str, Factory] = {"modbus_di": _modbus_di, "lock_8a": _lock_8a}
