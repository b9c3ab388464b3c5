"""What a probe asks, and what it makes of the answers. Pure.

A probe leaves no trace, because everything it sends is a read that no device remembers:

    function 3, then 2, address 0, one      is anybody there? An exception is an answer too
    function 43/14                          vendor, product, revision: constants of the firmware
    functions 1-4, address 0, one           which of them answer
    the input levels of each profile        which profiles fit. Not the counters: some modules can be set to
                                            clear a counter when it is read
    status of all locks                     feedback contacts as they are; boards keep no latch of them

Latches and sticky inputs are cleared by a write only, and a `Question` cannot encode one. A lock opens on its
own family's command alone, with a check over it, and no read contains one (the tests look for it).
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from device_drivers import registry
from device_drivers.driver import Driver
from device_drivers.errors import ProfileFault
from device_drivers.modbus import frame
from device_drivers.modbus.analogue_profile import AnalogueProfile, load_analogue_profile
from device_drivers.modbus.profile import Profile, load_profile
from device_drivers.modbus.question import Identity
from device_drivers.site import MODBUS, SERIAL, BusKind, Site
from edge.settings import BusSettings

AnyProfile: TypeAlias = Profile | AnalogueProfile

PINGS = (frame.read_request(3, 0, 1), frame.read_request(2, 0, 1))
"""Two: a device may stay silent to a function that it does not know."""
TIMEOUT_MS = 300
"""For each answer. Slower devices show as late replies, and those are counted."""
TCP_UNIT = 255
"""Asked on Modbus TCP beside the others: makers who ignore the unit like this number."""
LOCK_UNIT = 0
"""Asked of lock boards beside the others: two families number them from 0."""
UNIT_MAX = 255
DIGITS_MAX = 6
LOCK_KINDS = tuple(name for name, kind in registry.DRIVERS.items() if kind.can_probe)
"""Families whose status read is asked on a serial line."""
_ABSENT_EXCEPTIONS = (10, 11)
"""A gateway's word that nobody is there."""


class Target(msgspec.Struct, frozen=True):
    """One way of asking on one line. `lock_kinds`: the families that may be there, if it is a line of locks.

    `expected` are the devices that the settings have there, by unit.
    """

    bus: BusSettings
    expected: dict[int, str] = {}
    lock_kinds: tuple[str, ...] = LOCK_KINDS


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that answered. `candidates`: profiles or drivers that its answers fit, none certain."""

    unit: int
    kind: BusKind
    baud: int = 0
    identity: Identity | None = None
    functions: tuple[int, ...] = ()
    candidates: tuple[str, ...] = ()
    settings: str = ""
    """The device that the settings have here."""
    status: str = ""
    """Its contacts, where one read tells all of them."""
    is_any_unit: bool = False
    """It answers to whatever number it is called by."""


class ProbeReport(msgspec.Struct, frozen=True):
    """What a probe of one line found. `missing`: devices of the settings that did not answer."""

    where: str
    found: list[Found]
    missing: list[str]
    units_asked: int
    took_s: float
    notes: list[str]


def parse_units(text: str) -> tuple[int, ...]:
    """`1-32,255` as numbers, in order, each once. Raises ValueError with a sentence."""
    units: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not is_number(first) or (dash and not is_number(last)):
            raise ValueError(f"{part.strip()!r} is neither a unit such as 5 nor a range such as 1-32")
        low, high = int(first), int(last or first)
        if not low <= high <= UNIT_MAX:
            raise ValueError(f"{part.strip()}: units are 0 to {UNIT_MAX}, the lower first")
        units.update(range(low, high + 1))
    return tuple(sorted(units))


def is_number(text: str) -> bool:
    """Whether these are digits as a keyboard has them, and no more than any option needs."""
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX


def ranges(numbers: Iterable[int]) -> str:
    """`1-3, 7` for 1, 2, 3, 7."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def units_of(target: Target, units: Sequence[int]) -> list[int]:
    """Those of `units` that can be asked there, and those that are always asked."""
    asked = {*units, *target.expected}
    if target.bus.kind == "modbus_tcp":
        return sorted({*asked, TCP_UNIT})
    if kind_of(target.bus.kind) == "locks":
        return sorted({*asked, LOCK_UNIT})
    return sorted(unit for unit in asked if 1 <= unit <= 247)


def tcp_kinds() -> tuple[BusKind, ...]:
    """What may be behind an address, the likeliest first; the next is tried where nothing answered."""
    return ("modbus_tcp", "modbus_rtu_tcp", "serial_tcp")


def serial_kinds() -> tuple[BusKind, ...]:
    return ("modbus_rtu", "serial")


def kind_of(protocol_kind: BusKind) -> Literal["modbus", "locks"] | None:
    """How a bus of this kind is probed; None: its devices cannot be asked who they are."""
    if protocol_kind in MODBUS:
        return "modbus"
    return "locks" if protocol_kind in SERIAL else None


def is_there(reply: bytes | None) -> bool:
    """Whether a reply to a ping is a unit's own."""
    return reply is not None and not (reply[0] & 0x80 and reply[1:] and reply[1] in _ABSENT_EXCEPTIONS)


def level_question(profile: AnyProfile) -> bytes:
    """The PDU that reads a profile's input levels, and nothing else of it."""
    return frame.read_request(*_levels(profile))


def fits(profile: AnyProfile, reply: bytes | None) -> bool:
    """Whether this is a good reply to the profile's `level_question`."""
    if reply is None or len(reply) < 2:
        return False
    function, _, count = _levels(profile)
    return reply[0] == function and reply[1] == frame.data_bytes(function, count) == len(reply) - 2


def load_profiles(paths: Mapping[str, Path]) -> dict[str, AnyProfile]:
    """Those that can be read, of inputs or of analogue values; `check` tells of the others."""
    profiles: dict[str, AnyProfile] = {}
    for name, path in paths.items():
        for load in (load_profile, load_analogue_profile):
            with suppress(ProfileFault):
                profiles[name] = load(path)
    return profiles


def function_questions() -> dict[int, bytes]:
    """One small read by each function."""
    return {function: frame.read_request(function, 0, 1) for function in frame.READ_FUNCTIONS}


def lock_drivers(bus: BusSettings, kind: str, units: Iterable[int]) -> dict[int, Driver]:
    """A family's drivers for those of these boards that it can have, by number."""
    drivers = {}
    for unit in units:
        with suppress(ProfileFault):  # the family has no such board
            drivers[unit] = registry.build(kind, Site(bus_kind=bus.kind, unit=unit, baud=bus.baud))
    return drivers


def folded(found: Sequence[Found], asked: int) -> list[Found]:
    """One line for a TCP module that answers to whatever unit it is called by."""
    same = {msgspec.structs.replace(entry, unit=0, settings="") for entry in found}
    if len(same) != 1 or len(found) != asked or asked == 1:
        return list(found)
    first = next((entry for entry in found if entry.settings), found[0])
    return [msgspec.structs.replace(first, is_any_unit=True)]


def missing(expected: dict[int, str], found: Iterable[Found]) -> list[str]:
    """Devices of the settings that did not answer."""
    seen = {entry.unit for entry in found}
    if any(entry.is_any_unit for entry in found):
        return []
    return [f"{device} (unit {unit})" for unit, device in expected.items() if unit not in seen]


def _levels(profile: AnyProfile) -> tuple[int, int, int]:
    """(function, address, count) of all inputs' levels or values."""
    if isinstance(profile, AnalogueProfile):
        return profile.values.function, profile.values.address, profile.inputs
    is_words = profile.level.function in frame.WORD_FUNCTIONS
    count = (profile.inputs + 15) // 16 if is_words else profile.inputs
    return profile.level.function, profile.level.address, count
