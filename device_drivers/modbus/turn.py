"""What is asked of a module in one turn, and what the replies say together. Pure: a generator a kind of turn.

A generator yields what is to be asked next, gets the data of the reply, and returns the observations. Level
and counter fit only if both are of one moment: they come in one frame, or the level is the same before and
after the counters were read. A level that differed is read again with its counter; one that does not hold
still is told without a count.
"""

from collections.abc import Generator
from typing import TypeAlias

import msgspec

from device_drivers.driver import Observation, Sight
from device_drivers.modbus.frame import WORD_FUNCTIONS
from device_drivers.modbus.profile import Counters, Level, Profile
from device_drivers.modbus.slices import Slice, Span

COUNT_ROUNDS_MAX = 3
CLEARS_MAX = 12
"""Latches cleared in one turn, so that it ends. Those left over stay on in the module for the next."""


class Write(msgspec.Struct, frozen=True):
    """One coil or word to be written."""

    function: int
    address: int
    value: int


Ask: TypeAlias = Span | Write
Turn: TypeAlias = Generator[Ask, bytes, list[Sight]]


def begin(profile: Profile, part: Slice, pending: set[int]) -> Turn:
    """The turn that reads a slice. `pending`: inputs whose latch was seen on and not yet told of."""
    if profile.latches is not None:
        return _latched(profile, part, pending)
    if part.beside is not None:
        return _counted_apart(profile, part)
    return _one_frame(profile, part)


def _one_frame(profile: Profile, part: Slice) -> Turn:
    data = yield part.level
    level = _level(profile.level, part.level, part, data)
    counts = None if profile.counters is None else _counts(profile.counters, part.level, part, data)
    return [
        Observation(f"di:{n}", bool(level >> n & 1), counts[n] if counts else None, _bits(profile))
        for n in range(part.first, part.last + 1)
    ]


def _counted_apart(profile: Profile, part: Slice) -> Turn:
    assert profile.counters is not None
    assert part.beside is not None
    before = _level(profile.level, part.level, part, (yield part.level))
    for _ in range(COUNT_ROUNDS_MAX):
        counts = _counts(profile.counters, part.beside, part, (yield part.beside))
        level = _level(profile.level, part.level, part, (yield part.level))
        moved = before ^ level
        if not moved:
            break
        before = level
    return [
        Observation(f"di:{n}", bool(level >> n & 1), None if moved >> n & 1 else counts[n], _bits(profile))
        for n in range(part.first, part.last + 1)
    ]


def _latched(profile: Profile, part: Slice, pending: set[int]) -> Turn:
    """A latch is cleared while its input is off, and remembered before that: the reply to the clearing may
    get lost when the module has cleared it already.
    """
    assert profile.latches is not None
    assert part.beside is not None
    clear, stride = profile.latches.clear, profile.latches.stride
    before = _level(profile.level, part.level, part, (yield part.level))
    latches = int.from_bytes((yield part.beside), "little")
    channels = range(part.first, part.last + 1)
    seen = [n for n in channels if latches >> stride * (n - part.first) & 1 and not before >> n & 1]
    for n in seen[:CLEARS_MAX]:
        pending.add(n)
        yield Write(clear.function, clear.address + clear.stride * n, clear.value)
    level = _level(profile.level, part.level, part, (yield part.level))
    told: list[Sight] = [Observation(f"di:{n}", bool(level >> n & 1), latched=n in pending) for n in channels]
    pending.difference_update(channels)
    return told


def _level(level: Level, span: Span, part: Slice, data: bytes) -> int:
    """State of the slice's inputs, input n in bit n."""
    count = part.last - part.first + 1
    if level.function not in WORD_FUNCTIONS:
        bits = int.from_bytes(data, "little") << part.first
    else:
        first_word = part.first // 16
        at = 2 * (level.address + first_word - span.address)
        words = data[at : at + 2 * (part.last // 16 - first_word + 1)]
        bits = 0
        for n in range(len(words) // 2):
            bits |= int.from_bytes(words[2 * n : 2 * n + 2]) << 16 * (first_word + n)
    return bits & ((1 << count) - 1) << part.first


def _counts(counters: Counters, span: Span, part: Slice, data: bytes) -> dict[int, int]:
    """The count of each of the slice's inputs."""
    counts = {}
    for n in range(part.first, part.last + 1):
        at = 2 * (counters.address + counters.words * n - span.address)
        words = [int.from_bytes(data[at + 2 * m : at + 2 * m + 2]) for m in range(counters.words)]
        if counters.word_order == "low_first":
            words.reverse()
        counts[n] = words[0] if counters.bits == 16 else words[0] << 16 | words[1]
    return counts


def _bits(profile: Profile) -> int:
    return profile.counters.bits if profile.counters else 32
