"""Every make of device there is: what it speaks, how a technician sees it, and its firmware on a cable."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from simulators.input_module import InputModule
from simulators.locks.board import LockBoard
from simulators.locks.krcu import Cu48Line, KrcuLine
from simulators.locks.lock_8a import Line8a
from simulators.locks.winnsen import WinnsenLine
from simulators.locks.wkly import WklyLine
from simulators.modbus_units import ModbusRtuUnits, ModbusTcpUnits
from simulators.module_map import MODULE_MAPS, ModuleMap
from simulators.plant import Plant
from simulators.profile_map import profile_map
from simulators.rfid_readers import M100Line, TagReader, Uhf18Line
from simulators.sms_modem import SmsModemLine
from simulators.wire import Responder

Protocol = Literal[
    "modbus-tcp",
    "modbus-rtu",
    "lock-8a",
    "lock-krcu",
    "lock-cu48",
    "lock-winnsen",
    "lock-wkly",
    "rfid-m100",
    "rfid-uhf18",
    "at",
    "osdp",
    "onvif",
]
Kind = Literal["module", "cabinet", "reader", "modem", "card_reader", "camera"]
MODBUS: tuple[Protocol, ...] = ("modbus-tcp", "modbus-rtu")
ON_THEIR_OWN: tuple[Protocol, ...] = ("onvif",)
"""Their devices are programs that own their line: no fault layer of ours stands on it."""


class Make(msgspec.Struct, frozen=True):
    """`channels`: its inputs, or locks; 0 where wires name what is there."""

    kind: Kind
    speaks: tuple[Protocol, ...]
    channels: int = 0


class Wiring(msgspec.Struct, frozen=True):
    """A device's place in the plant: points by the channel they are wired to, locks and items in order."""

    make: str
    wires: Mapping[str, str]
    locks: list[str]
    items: list[str]


MAKES: dict[str, Make] = {
    **{name: Make("module", MODBUS, made.channels) for name, made in MODULE_MAPS.items()},
    "lock-8a": Make("cabinet", ("lock-8a",), 24),
    "kr-cu12": Make("cabinet", ("lock-krcu",), 12),
    "kr-cu16": Make("cabinet", ("lock-krcu",), 16),
    "kr-cu48": Make("cabinet", ("lock-cu48",), 48),
    "winnsen": Make("cabinet", ("lock-winnsen",), 16),
    "wkly": Make("cabinet", ("lock-wkly",), 24),
    "m100": Make("reader", ("rfid-m100",)),
    "uhf18": Make("reader", ("rfid-uhf18",)),
    "sms-modem": Make("modem", ("at",)),
    "osdp-reader": Make("card_reader", ("osdp",)),
    "onvif-camera": Make("camera", ("onvif",)),
}


def make_of(name: str) -> Make | None:
    """A make by its name, or `profile:NAME` for a module that is known by its profile alone."""
    made = profile_map(name)
    return Make("module", MODBUS, made.channels) if made else MAKES.get(name)


def module_map_of(name: str) -> ModuleMap:
    made = profile_map(name)
    return made or MODULE_MAPS[name]


Units = Mapping[int, Wiring]
OpenLock = Callable[[str], None]


def _modules(units: Units, plant: Plant) -> dict[int, InputModule]:
    return {
        unit: InputModule(module_map_of(own.make), {int(n): point for n, point in own.wires.items()}, plant)
        for unit, own in units.items()
    }


def _boards(units: Units, plant: Plant, open_lock: OpenLock) -> dict[int, LockBoard]:
    return {unit: LockBoard(own.locks, plant, open_lock, items=own.items) for unit, own in units.items()}


def _readers(units: Units, plant: Plant) -> dict[int, TagReader]:
    return {unit: TagReader({1: own.wires}, plant) for unit, own in units.items()}


def _m100(readers: Mapping[int, TagReader]) -> Responder:
    ((unit, reader),) = readers.items()  # its replies name no unit: it is alone on its line
    return M100Line(reader, unit)


RESPONDERS: dict[Protocol, Callable[[Units, Plant, OpenLock], Responder]] = {
    "modbus-tcp": lambda units, plant, _: ModbusTcpUnits(_modules(units, plant)),
    "modbus-rtu": lambda units, plant, _: ModbusRtuUnits(_modules(units, plant)),
    "lock-8a": lambda units, plant, open_lock: Line8a(_boards(units, plant, open_lock)),
    "lock-krcu": lambda units, plant, open_lock: KrcuLine(_boards(units, plant, open_lock)),
    "lock-cu48": lambda units, plant, open_lock: Cu48Line(_boards(units, plant, open_lock)),
    "lock-winnsen": lambda units, plant, open_lock: WinnsenLine(_boards(units, plant, open_lock)),
    "lock-wkly": lambda units, plant, open_lock: WklyLine(_boards(units, plant, open_lock)),
    "rfid-m100": lambda units, plant, _: _m100(_readers(units, plant)),
    "rfid-uhf18": lambda units, plant, _: Uhf18Line(_readers(units, plant)),
    "at": lambda units, _, __: SmsModemLine(unit=next(iter(units))),
}
"""The firmware of all units on one cable, by what is spoken there. Locks open by `open_lock`."""
