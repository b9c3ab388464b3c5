"""What is asked of a module in one turn, and what the replies say together. Pure: a generator a kind of turn.

A generator yields what is to be asked next, gets the data of the reply, and returns the observations. Level
and counter fit only if both are of one moment: they come in one frame, or the level is the same before and
after the counters were read. A level that differed is read again with its counter; one that does not hold
still is told without a count.
"""

import struct
from collections.abc import Generator
from typing import TypeAlias

import msgspec

from device_drivers.driver import Observation, Sight
from device_drivers.modbus.frame import WORD_FUNCTIONS
from device_drivers.modbus.profile import INPUTS_MAX, Counters, Level, Profile
from device_drivers.modbus.slices import Slice, Span

CHANNELS = tuple(f"di:{n}" for n in range(INPUTS_MAX))
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
    if profile.counters is None:
        return [Observation(CHANNELS[n], bool(level >> n & 1)) for n in range(part.first, part.last + 1)]
    counts, bits = _counts(profile.counters, part.level, part, data), profile.counters.bits
    return [
        Observation(CHANNELS[n], bool(level >> n & 1), count, bits)
        for n, count in enumerate(counts, start=part.first)
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
    bits = profile.counters.bits
    return [
        Observation(CHANNELS[n], bool(level >> n & 1), None if moved >> n & 1 else count, bits)
        for n, count in enumerate(counts, start=part.first)
    ]


def _latched(profile: Profile, part: Slice, pending: set[int]) -> Turn:
    """A latch that is set while its input is as before the edge tells of an edge that the level missed.

    Only then it is cleared, and remembered before that: the reply to the clearing may get lost when the
    module has cleared it already.
    """
    latches, channels = profile.latches, range(part.first, part.last + 1)
    assert latches is not None
    clear = latches.clear
    assert part.beside is not None
    resting = latches.edge == "falling"
    level = _level(profile.level, part.level, part, (yield part.level))
    found = int.from_bytes((yield part.beside), "little")
    missed = [n for n in channels if found >> latches.stride * (n - part.first) & 1]
    missed = [n for n in missed if bool(level >> n & 1) is resting][:CLEARS_MAX]
    for n in missed:
        pending.add(n)
        yield Write(clear.function, clear.address + clear.stride * n, clear.value)
    level = _level(profile.level, part.level, part, (yield part.level))
    told: list[Sight] = []
    for n in channels:
        is_on = bool(level >> n & 1)
        told.append(Observation(CHANNELS[n], is_on, latched=n in pending and is_on is resting))
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


def _counts(counters: Counters, span: Span, part: Slice, data: bytes) -> list[int]:
    """The count of each of the slice's inputs, in order."""
    start = counters.address + counters.words * part.first - span.address
    end = start + counters.words * (part.last - part.first + 1)
    words = struct.unpack(f">{len(data) // 2}H", data)[start:end]
    if counters.bits == 16:
        return list(words)
    high, low = (0, 1) if counters.word_order == "high_first" else (1, 0)
    return [left << 16 | right for left, right in zip(words[high::2], words[low::2], strict=True)]
