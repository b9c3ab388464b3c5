"""Profiles of I/O modules: where a model keeps the state of its inputs and their counters. Data, no code."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from device_drivers.errors import ProfileFault
from device_drivers.modbus.frame import WORD_FUNCTIONS

READ_MAX_WORDS = 125
Address = Annotated[int, Meta(ge=0, le=0xFFFF)]


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State of the inputs: functions 1 and 2 as bits, 3 and 4 as words whose bit 0 is the first input."""

    function: Literal[1, 2, 3, 4]
    address: Address


class Counters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """32 bits an input, in order, read with the level's function: a pair is only true within one frame."""

    address: Address
    word_order: Literal["high_first", "low_first"]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model. `inputs` are numbered from 0: channels `di:0` …"""

    model: Annotated[str, Meta(min_length=1, max_length=80)]
    inputs: Annotated[int, Meta(ge=1, le=128)]
    level: Level
    counters: Counters | None = None

    @property
    def level_words(self) -> int:
        return (self.inputs + 15) // 16

    @property
    def counter_words(self) -> int:
        return 0 if self.counters is None else 2 * self.inputs

    def span(self) -> tuple[int, int]:
        """(address, count) of the one read that holds everything."""
        if self.counters is None:
            is_words = self.level.function in WORD_FUNCTIONS
            return self.level.address, self.level_words if is_words else self.inputs
        first = min(self.level.address, self.counters.address)
        end = max(self.level.address + self.level_words, self.counters.address + self.counter_words)
        return first, end - first


def load_profile(path: Path) -> Profile:
    """The profile in a TOML file. Raises ProfileFault that names file and key."""
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=Profile)
    except OSError as error:
        raise ProfileFault(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProfileFault(f"{path}: {error}") from error
    fault = _misfit(profile)
    if fault:
        raise ProfileFault(f"{path}: {fault}")
    return profile


def _misfit(profile: Profile) -> str:
    """What the types cannot say; empty when all is well."""
    address, count = profile.span()
    if address + count > 0x10000:
        return f"level.address: {count} from {address} end beyond 65535"
    counters = profile.counters
    if counters is None:
        return ""
    if profile.level.function not in WORD_FUNCTIONS:
        return "level.function: counters need a level in words (3 or 4), so that one frame holds both"
    if count > READ_MAX_WORDS:
        return (
            f"counters.address: one read of level and counters takes {count} words, at most {READ_MAX_WORDS}"
        )
    level_end = profile.level.address + profile.level_words
    counters_end = counters.address + profile.counter_words
    if profile.level.address < counters_end and counters.address < level_end:
        return "counters.address: level and counters overlap"
    return ""
