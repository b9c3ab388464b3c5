"""How the inputs of a module are cut into turns, none of which keeps the line longer than it may. Pure.

A slice is a contiguous group of channels with all that is read of them. Merging as many as the protocol
allows (125 words) would keep a line of 9600 baud for 300 ms; so a slice grows only while its whole turn,
level and counters together, takes no more than `max_slice_ms` of wire time. Where the speed of the line does
not matter (Modbus TCP) only the protocol's caps hold.
"""

from collections.abc import Callable, Iterator

import msgspec

from device_drivers.bus import wire_time_ms
from device_drivers.driver import Read
from device_drivers.modbus import frame
from device_drivers.modbus.profile import Latches, Level, Profile


class Span(msgspec.Struct, frozen=True):
    """One request: `count` words or bits from `address`."""

    function: int
    address: int
    count: int

    @property
    def is_allowed(self) -> bool:
        is_words = self.function in frame.WORD_FUNCTIONS
        return self.count <= (frame.READ_MAX_WORDS if is_words else frame.READ_MAX_BITS)


class Slice(msgspec.Struct, frozen=True):
    """Channels `first` to `last`. `beside` is what is read between two readings of the level: counters that
    one frame cannot hold with it, or latches.
    """

    first: int
    last: int
    level: Span
    beside: Span | None = None

    @property
    def spans(self) -> tuple[Span, ...]:
        """The requests of a good turn, in order."""
        return (self.level,) if self.beside is None else (self.level, self.beside, self.level)


class Line(msgspec.Struct, frozen=True):
    """What a turn may cost. `baud` 0: no serial line whose speed is known."""

    overhead_bytes: int
    baud: int = 0
    max_slice_ms: float = 100.0

    def cost_ms(self, spans: tuple[Span, ...]) -> float:
        return wire_time_ms(read_of("", 0, (), spans, self.overhead_bytes), self.baud) if self.baud else 0.0


def read_of(
    name: str, unit: int, channels: tuple[str, ...], spans: tuple[Span, ...], overhead_bytes: int
) -> Read:
    """A turn of these requests, with the lengths of all of them together."""
    return Read(
        name=name,
        unit=unit,
        channels=channels,
        request_bytes=sum(overhead_bytes + frame.READ_REQUEST_BYTES for _ in spans),
        reply_bytes=sum(overhead_bytes + 2 + frame.data_bytes(span.function, span.count) for span in spans),
        exchanges=len(spans),
    )


def used_range(prefix: str, inputs: int, channels: tuple[str, ...]) -> tuple[int, int]:
    """The lowest and the highest input that points use. All, if none is used or one is not there: then
    whoever checks the settings can say which there are.
    """
    names = {f"{prefix}:{n}": n for n in range(inputs)}
    used = [names[channel] for channel in channels if channel in names]
    is_all = not used or len(used) < len(channels)
    return (0, inputs - 1) if is_all else (min(used), max(used))


def input_slices(profile: Profile, used: tuple[int, int], line: Line) -> list[Slice]:
    """The turns that read the used inputs of a module."""
    return cut(used, line, lambda first, last: _forms(profile, first, last))


def cut(used: tuple[int, int], line: Line, forms: Callable[[int, int], Iterator[Slice]]) -> list[Slice]:
    """The widest slices that fit, one after another. `forms`: the ways to read these channels in one turn.

    Where not even one channel fits, the cheapest turn that there is.
    """
    first, last = used
    slices: list[Slice] = []
    while first <= last:
        found = [
            (line.cost_ms(form.spans), form)
            for end in range(first, last + 1)
            for form in forms(first, end)
            if all(span.is_allowed for span in form.spans)
        ]
        fitting = [(cost, form) for cost, form in found if cost <= line.max_slice_ms]
        _, best = (
            min(fitting, key=lambda choice: (-choice[1].last, len(choice[1].spans), choice[0]))
            if fitting
            else min(found, key=lambda choice: (choice[0], -choice[1].last))
        )
        slices.append(best)
        first = best.last + 1
    return slices


def _forms(profile: Profile, first: int, last: int) -> Iterator[Slice]:
    level = _level_span(profile.level, first, last)
    if profile.latches is not None:
        yield Slice(first, last, level, _latch_span(profile.latches, first, last))
    elif profile.counters is None:
        yield Slice(first, last, level)
    else:
        width = profile.counters.words
        start = profile.counters.address + width * first
        counters = Span(profile.counters_function, start, width * (last - first + 1))
        if counters.function == level.function:
            address = min(level.address, counters.address)
            end = max(level.address + level.count, counters.address + counters.count)
            yield Slice(first, last, Span(level.function, address, end - address))
        yield Slice(first, last, level, counters)


def _level_span(level: Level, first: int, last: int) -> Span:
    if level.function in frame.WORD_FUNCTIONS:
        return Span(level.function, level.address + first // 16, last // 16 - first // 16 + 1)
    return Span(level.function, level.address + first, last - first + 1)


def _latch_span(latches: Latches, first: int, last: int) -> Span:
    return Span(
        latches.function, latches.address + latches.stride * first, latches.stride * (last - first) + 1
    )
