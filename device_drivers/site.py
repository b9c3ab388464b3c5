"""Where a device stands, what kinds of drivers there are, and how a driver takes its options."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar, get_args

import msgspec

from device_drivers.driver import Driver, Listener
from device_drivers.errors import ProfileFault

BusKind = Literal["modbus_tcp", "modbus_rtu_tcp", "modbus_rtu", "serial", "serial_tcp", "osdp", "onvif"]
BUS_KINDS: tuple[BusKind, ...] = get_args(BusKind)
TCP_KINDS: tuple[BusKind, ...] = ("modbus_tcp", "modbus_rtu_tcp", "serial_tcp", "onvif")
"""Kinds at a host and port; the others are at a serial device."""
MODBUS: tuple[BusKind, ...] = ("modbus_tcp", "modbus_rtu_tcp", "modbus_rtu")
SERIAL: tuple[BusKind, ...] = ("serial", "serial_tcp")

Options = Mapping[str, object]
OptionsOf = TypeVar("OptionsOf", bound=msgspec.Struct)


class Site(msgspec.Struct, frozen=True):
    """Where a device stands, and what is wanted of it.

    `baud` 0: no serial line whose speed is known. `channels`: those that points use, none: all there are.
    """

    bus_kind: BusKind
    unit: int = 1
    baud: int = 0
    max_slice_ms: float = 100.0
    """No turn on the line may take longer than this, if it can be cut in two."""
    channels: tuple[str, ...] = ()
    profile: Path | None = None
    options: Options = {}


class PolledKind(msgspec.Struct, frozen=True):
    """A driver for a bus that asks. Kinds of one `protocol` may share a line, if units are `addressed`."""

    build: Callable[[Site], Driver]
    protocol: str
    buses: tuple[BusKind, ...]
    takes_profile: bool = False
    is_addressed: bool = True
    is_supervised: bool = False
    """Its inputs know a cut or bridged wire."""


class ListenerSite(msgspec.Struct, frozen=True):
    """A line whose devices speak by themselves: `devices` by their id."""

    address: str
    """`/dev/serial/by-id/…`, or `host:port`."""
    baud: int
    devices: dict[str, Site]


class ListenerKind(msgspec.Struct, frozen=True):
    """A driver for a line of its own."""

    build: Callable[[ListenerSite], Listener]
    bus: BusKind
    devices_max: int = 1


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For a driver that has none."""


def typed_options(options: Options, kind: type[OptionsOf]) -> OptionsOf:
    """A driver's options. Raises ProfileFault that names the key."""
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        raise ProfileFault(f"options: {error}") from error


def check_unit(unit: int, lowest: int, highest: int) -> None:
    """Raises ProfileFault for a unit number that no device of the kind can have."""
    if not lowest <= unit <= highest:
        raise ProfileFault(f"unit: {unit} is not between {lowest} and {highest}")
