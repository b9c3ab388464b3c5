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

PointTypes = Mapping[str, tuple[str, ...]]
"""What a point on a channel may be, by the channel's word before its colon."""
CONTACT = ("door", "lock", "item", "tamper")
"""What a contact of no known use may be wired to."""

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
    keeps_latches: bool = False
    """Latches in the device are left as they are, for whoever may tell what they hold."""


class PolledKind(msgspec.Struct, frozen=True):
    """A driver for a bus that asks. Kinds of one `protocol` may share a line, if units are `addressed`."""

    build: Callable[[Site], Driver]
    protocol: str
    buses: tuple[BusKind, ...]
    point_types: PointTypes
    takes_profile: bool = False
    is_addressed: bool = True
    is_supervised: bool = False
    """Its inputs know a cut or bridged wire."""
    can_probe: bool = False
    """Its first read may be sent to any unit number of a line: a status that no device remembers."""
    is_agents_alone: bool = False
    """A turn takes away what it tells, so only the agent, which has a journal, may ask."""


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
    point_types: PointTypes
    devices_max: int = 1
    is_camera: bool = False
    """It sees the room that its points are in."""


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
