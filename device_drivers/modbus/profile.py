"""Profiles of input modules: where a model keeps its inputs, their counters or latches. Data, no code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from device_drivers.errors import ProfileFault
from device_drivers.modbus.frame import WORD_FUNCTIONS

ADDRESSES = 0x10000
INPUTS_MAX = 128
Address = Annotated[int, Meta(ge=0, lt=ADDRESSES)]
Stride = Annotated[int, Meta(ge=1, le=64)]
Kind = TypeVar("Kind", bound=msgspec.Struct)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Level(_Table, frozen=True):
    """State of the inputs: functions 1 and 2 as bits, 3 and 4 as words whose bit 0 is the first input."""

    function: Literal[1, 2, 3, 4]
    address: Address


class Counters(_Table, frozen=True):
    """One an input, in order. `function`: None is the level's.

    Where one frame holds counters and level they are read in one; else the level, the counters, and the
    level again in one turn, for a pair of two moments would be reported as an opening that never was.
    """

    address: Address
    word_order: Literal["high_first", "low_first"] | None = None
    function: Literal[3, 4] | None = None
    bits: Literal[16, 32] = 32

    @property
    def words(self) -> int:
        return self.bits // 16


class Clear(_Table, frozen=True):
    """How the latch of input n is cleared: `value` to `address` + `stride` * n, a coil (5, 15) or a word."""

    function: Literal[5, 6, 15]
    address: Address
    stride: Stride = 1
    value: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0


class Latches(_Table, frozen=True):
    """A bit an input, at `address` + `stride` * n, that an `edge` of the input sets until it is cleared:
    rising, when it goes on; falling, when it goes off.
    """

    function: Literal[1, 2]
    address: Address
    clear: Clear
    stride: Stride = 1
    edge: Literal["rising", "falling"] = "rising"


class Profile(_Table, frozen=True):
    """One model. `inputs` are numbered from 0: channels `di:0` …"""

    model: Annotated[str, Meta(min_length=1, max_length=80)]
    inputs: Annotated[int, Meta(ge=1, le=INPUTS_MAX)]
    level: Level
    counters: Counters | None = None
    latches: Latches | None = None

    @property
    def counters_function(self) -> int:
        assert self.counters is not None
        return self.counters.function or self.level.function


def load_profile(path: Path) -> Profile:
    """The profile in a TOML file. Raises ProfileFault that names file and key."""
    profile = decode_profile(path, Profile)
    for fault in _misfits(profile):
        raise ProfileFault(f"{path}: {fault}")
    return profile


def decode_profile(path: Path, kind: type[Kind]) -> Kind:
    """A profile of a kind, as far as types can tell. Raises ProfileFault that names file and key."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ProfileFault(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProfileFault(f"{path}: {error}") from error


def _misfits(profile: Profile) -> Iterator[str]:
    """What the types cannot say."""
    level, counters, latches = profile.level, profile.counters, profile.latches
    is_words = level.function in WORD_FUNCTIONS
    level_count = (profile.inputs + 15) // 16 if is_words else profile.inputs
    yield from _beyond("level.address", level.address, level_count)
    if counters is not None:
        if profile.counters_function not in WORD_FUNCTIONS:
            yield "counters.function: missing; the level's reads bits, counters are words (3 or 4)"
        if counters.bits == 32 and counters.word_order is None:
            yield "counters.word_order: missing; counters of 32 bits have one"
        count = counters.words * profile.inputs
        yield from _beyond("counters.address", counters.address, count)
        is_overlapping = (
            level.address < counters.address + count and counters.address < level.address + level_count
        )
        if profile.counters_function == level.function and is_overlapping:
            yield "counters.address: level and counters overlap"
    if latches is not None:
        if counters is not None:
            yield "latches: an input counts or latches, as its mode is set; leave counters or latches out"
        yield from _beyond("latches.address", latches.address, latches.stride * (profile.inputs - 1) + 1)
        clear = latches.clear
        yield from _beyond("latches.clear.address", clear.address, clear.stride * (profile.inputs - 1) + 1)
        if clear.function != 6 and clear.value > 1:
            yield f"latches.clear.value: {clear.value} where a coil is 0 or 1"


def _beyond(key: str, address: int, count: int) -> Iterator[str]:
    if address + count > ADDRESSES:
        yield f"{key}: {count} from {address} end beyond {ADDRESSES - 1}"
