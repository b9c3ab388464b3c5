"""Where each module keeps its inputs, counters and switches: 0-based Modbus addresses.

Sources: ADAM-6050W manual, mapping pages; Moxa E1200 manual, appendix A; Moxa R1200 manual, A-2. Addresses of
the E1210 are those printed for the E1212 and E1214, and the R1210's registers are taken as the E1210's: check
both on the first real module.
"""

from enum import Enum

import msgspec


class Use(Enum):
    """What stands at an address. All but LEVELS belong to one channel."""

    LEVEL = "input level"
    LEVELS = "all input levels, channel 0 in bit 0"
    COUNT_LOW = "low word of the counter"
    COUNT_HIGH = "high word of the counter"
    START = "1 starts the counter, 0 stops it"
    CLEAR = "1 clears the counter"
    OVERFLOW = "counter overflow; writing clears it"
    LATCH = "1 once the input went on; writing clears it"
    OUTPUT = "digital output"


Cells = dict[int, tuple[Use, int]]
"""Address to (use, channel)."""


class ModuleMap(msgspec.Struct, frozen=True):
    """One make of module. `refuses_zero`: writing 0 to a clearing coil is answered with exception 3."""

    name: str
    channels: int
    coils: Cells
    discretes: Cells
    holding: Cells
    input: Cells
    refuses_zero: bool = False


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
    discretes={},
    holding=_counters(0, 12, high_first=False),
    input={},
)

MOXA_E1210 = ModuleMap(
    name="moxa-e1210",
    channels=16,
    coils=_row(Use.START, 0x100, 16) | _row(Use.CLEAR, 0x110, 16),
    discretes=_row(Use.LEVEL, 0, 16),
    holding={},
    input=_MOXA_INPUT,
    refuses_zero=True,
)

MOXA_R1210 = ModuleMap(
    name="moxa-r1210",
    channels=16,
    coils=_row(Use.START, 0x00, 16) | _row(Use.CLEAR, 0x20, 16) | _row(Use.OVERFLOW, 0x40, 16),
    discretes=_row(Use.LEVEL, 0, 16),
    holding={},
    input=_MOXA_INPUT,
)

MODULE_MAPS = {made.name: made for made in (ADAM_6050, MOXA_E1210, MOXA_R1210)}
