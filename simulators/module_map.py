"""Where each module keeps its inputs, counters, latches and switches: 0-based Modbus addresses.

Sources: ADAM-6050W manual, mapping pages; ADAM-4100 manual, B-8; ADAM-6000 manual, mapping tables; Moxa
E1200 manual, appendix A; Moxa R1200 manual, A-2; Waveshare's wiki; manuals of KonNaD C2000-A2-SDD8020 and
Ebyte E831; ZLAN6844 from one public program. The E1210's addresses are those printed for the E1212 and E1214,
the R1210's registers are taken as the E1210's, the ADAM-4150's counters as low word first: check them on the
first real module.
"""

from collections.abc import Iterator
from enum import Enum

import msgspec


class Use(Enum):
    """What stands at an address. All but LEVELS and OUTPUTS belong to one channel."""

    LEVEL = "input level"
    LEVELS = "all input levels, channel 0 in bit 0"
    COUNT = "counter of 16 bits"
    COUNT_LOW = "low word of the counter"
    COUNT_HIGH = "high word of the counter"
    START = "1 starts the counter, 0 stops it"
    CLEAR = "1 clears the counter"
    OVERFLOW = "counter overflow; writing clears it"
    LATCH = "1 once the input went on; writing clears it"
    OUTPUT = "digital output"
    OUTPUTS = "all digital outputs, output 0 in bit 0"
    VALUE = "analogue input, 0-65535 for 0-10 V"


WRITABLE = frozenset({Use.START, Use.CLEAR, Use.OVERFLOW, Use.LATCH, Use.OUTPUT})

Cells = dict[int, tuple[Use, int]]
"""Address to (use, channel)."""


class ModuleMap(msgspec.Struct, frozen=True):
    """One make of module. `refuses_zero`: writing 0 to a clearing coil is answered with exception 3."""

    name: str
    channels: int
    coils: Cells = {}
    discretes: Cells = {}
    holding: Cells = {}
    input: Cells = {}
    refuses_zero: bool = False
    uploads: bool = False
    """Over TCP it can send the state of its inputs unasked (auto-upload)."""

    @property
    def uses(self) -> set[Use]:
        return {use for use, _ in self._cells()}

    @property
    def counter_limit(self) -> int:
        """At so many its counters begin anew; 0 for a module that does not count."""
        return 1 << 16 if Use.COUNT in self.uses else 1 << 32 if Use.COUNT_LOW in self.uses else 0

    @property
    def has_writable_words(self) -> bool:
        return any(use in WRITABLE for use, _ in self.holding.values())

    @property
    def outputs(self) -> tuple[int, ...]:
        return tuple(sorted({channel for use, channel in self._cells() if use is Use.OUTPUT}))

    def _cells(self) -> Iterator[tuple[Use, int]]:
        for cells in (self.coils, self.discretes, self.holding, self.input):
            yield from cells.values()


def _row(use: Use, start: int, channels: int, step: int = 1) -> Cells:
    return {start + step * channel: (use, channel) for channel in range(channels)}


def _counters(start: int, channels: int, *, high_first: bool) -> Cells:
    high, low = (0, 1) if high_first else (1, 0)
    return _row(Use.COUNT_HIGH, start + high, channels, 2) | _row(Use.COUNT_LOW, start + low, channels, 2)


_MOXA_INPUT: Cells = _counters(0x10, 16, high_first=True) | {0x30: (Use.LEVELS, 0)}

ADAM_6050 = ModuleMap(
    name="adam-6050",
    channels=12,
    coils=_row(Use.LEVEL, 0, 12)
    | _row(Use.OUTPUT, 16, 6)
    | _row(Use.START, 32, 12, 4)
    | _row(Use.CLEAR, 33, 12, 4)
    | _row(Use.OVERFLOW, 34, 12, 4)
    | _row(Use.LATCH, 35, 12, 4),
    holding=_counters(0, 12, high_first=False),
)

ADAM_4150 = ModuleMap(
    name="adam-4150",
    channels=7,
    coils=_row(Use.LEVEL, 0, 7) | _row(Use.OUTPUT, 16, 8),
    holding=_counters(0, 7, high_first=False) | {300: (Use.LEVELS, 0), 302: (Use.OUTPUTS, 0)},
)

ADAM_6017 = ModuleMap(
    name="adam-6017", channels=8, coils=_row(Use.OUTPUT, 16, 2), holding=_row(Use.VALUE, 0, 8)
)

MOXA_E1210 = ModuleMap(
    name="moxa-e1210",
    channels=16,
    coils=_row(Use.START, 0x100, 16) | _row(Use.CLEAR, 0x110, 16),
    discretes=_row(Use.LEVEL, 0, 16),
    input=_MOXA_INPUT,
    refuses_zero=True,
)

MOXA_R1210 = ModuleMap(
    name="moxa-r1210",
    channels=16,
    coils=_row(Use.START, 0x00, 16) | _row(Use.CLEAR, 0x20, 16) | _row(Use.OVERFLOW, 0x40, 16),
    discretes=_row(Use.LEVEL, 0, 16),
    input=_MOXA_INPUT,
)

MOXA_E1240 = ModuleMap(name="moxa-e1240", channels=8, input=_row(Use.VALUE, 0, 8))

WAVESHARE_IO8 = ModuleMap(
    name="waveshare-io8", channels=8, coils=_row(Use.OUTPUT, 0, 8), discretes=_row(Use.LEVEL, 0, 8)
)

KONNAD_SDD8020 = ModuleMap(
    name="konnad-c2000-sdd8020",
    channels=8,
    coils=_row(Use.OUTPUT, 100, 2),
    discretes=_row(Use.LEVEL, 200, 8),
    uploads=True,
)

EBYTE_E831 = ModuleMap(
    name="ebyte-e831",
    channels=8,
    coils=_row(Use.OUTPUT, 0, 8),
    discretes=_row(Use.LEVEL, 0, 8),
    holding=_row(Use.COUNT, 0x30, 8),
)

ZLAN_6844 = ModuleMap(name="zlan-6844", channels=8, coils=_row(Use.LEVEL, 0, 8) | _row(Use.OUTPUT, 16, 8))

_MAKES = (
    ADAM_6050,
    ADAM_4150,
    ADAM_6017,
    MOXA_E1210,
    MOXA_R1210,
    MOXA_E1240,
    WAVESHARE_IO8,
    KONNAD_SDD8020,
    EBYTE_E831,
    ZLAN_6844,
)
MODULE_MAPS = {made.name: made for made in _MAKES}
