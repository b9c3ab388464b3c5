"""A contact with resistors at its end: one voltage that tells closed, open, cut and short apart. Pure.

An open door is told by the first sample. A fault must show in two readings in a row, since a voltage passes
other bands while a contact moves; until then what was told last holds. To leave the band that it is in, a
voltage must go beyond its edge by the hysteresis: drift and hum at an edge make no rows.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from device_drivers.driver import Fault

FAULT_READS_MIN = 2
Volts = Annotated[float, Meta(ge=-100.0, le=100.0)]


class Bands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Voltages of the four states; as they stand, for 5 V over 4k7, and 4k7 + 4k7 at a closing contact."""

    short_max_v: Volts = 0.8
    closed_v: tuple[Volts, Volts] = (1.9, 2.9)
    open_v: tuple[Volts, Volts] = (3.0, 3.9)
    cut_min_v: Volts = 4.5
    hysteresis_v: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.05


class Band(StrEnum):
    SHORT = "short"
    CLOSED = "closed"
    OPEN = "open"
    CUT = "cut"
    BETWEEN = "between"
    """In no band: a resistor that is not ours, water in the cable, a supply that sags."""


FAULTS = {
    Band.SHORT: Fault.LINE_SHORT,
    Band.CUT: Fault.LINE_OPEN,
    Band.BETWEEN: Fault.DEVICE_ERROR,
}


def band_of(volts: float, bands: Bands, present: Band = Band.BETWEEN) -> Band:
    """The band that a voltage is in, or still in."""
    edges = {
        Band.SHORT: (float("-inf"), bands.short_max_v),
        Band.CLOSED: bands.closed_v,
        Band.OPEN: bands.open_v,
        Band.CUT: (bands.cut_min_v, float("inf")),
    }
    low, high = edges.get(present, (float("inf"), float("-inf")))
    if low - bands.hysteresis_v <= volts <= high + bands.hysteresis_v:
        return present
    return next((band for band, (low, high) in edges.items() if low <= volts <= high), Band.BETWEEN)


class EndOfLine:
    """One loop, reading by reading."""

    def __init__(self, bands: Bands) -> None:
        self._bands = bands
        self._band = Band.BETWEEN
        self._told: Band | None = None
        self._faulty_reads = 0

    def tell(self, volts: float) -> Band | None:
        """What this reading tells; None while nothing is known yet."""
        self._band = band_of(volts, self._bands, self._band)
        self._faulty_reads = self._faulty_reads + 1 if self._band in FAULTS else 0
        if not 0 < self._faulty_reads < FAULT_READS_MIN:
            self._told = self._band
        return self._told
