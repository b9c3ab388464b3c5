"""Profiles of analogue modules that supervise contacts: where the values are, what they mean in volts."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from device_drivers.errors import ProfileFault
from device_drivers.modbus.end_of_line import Bands, Volts
from device_drivers.modbus.profile import ADDRESSES, Address, decode_profile

Raw = Annotated[int, Meta(ge=0, le=0xFFFF)]


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One word an input, in order; `raw` from … to stands for `volts` from … to."""

    function: Literal[3, 4]
    address: Address
    raw: tuple[Raw, Raw] = (0, 0xFFFF)
    volts: tuple[Volts, Volts] = (0.0, 10.0)

    def in_volts(self, raw: int) -> float:
        (raw_low, raw_high), (low, high) = self.raw, self.volts
        return low + (raw - raw_low) * (high - low) / (raw_high - raw_low)


class AnalogueProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model. `inputs` are numbered from 0: channels `ai:0` …"""

    model: Annotated[str, Meta(min_length=1, max_length=80)]
    inputs: Annotated[int, Meta(ge=1, le=64)]
    values: Values
    bands: Bands = Bands()


def load_analogue_profile(path: Path) -> AnalogueProfile:
    """The profile in a TOML file. Raises ProfileFault that names file and key."""
    profile = decode_profile(path, AnalogueProfile)
    fault = _misfit(profile)
    if fault:
        raise ProfileFault(f"{path}: {fault}")
    return profile


def _misfit(profile: AnalogueProfile) -> str:
    """What the types cannot say; empty when all is well."""
    values, bands = profile.values, profile.bands
    if values.address + profile.inputs > ADDRESSES:
        return f"values.address: {profile.inputs} from {values.address} end beyond {ADDRESSES - 1}"
    if values.raw[0] >= values.raw[1]:
        return "values.raw: the first is not below the second"
    if values.volts[0] >= values.volts[1]:
        return "values.volts: the first is not below the second"
    if bands.cut_min_v > values.volts[1] or bands.short_max_v < values.volts[0]:
        return "bands: a cut or a short lies beyond what the module measures (values.volts)"
    lower, upper = sorted((bands.closed_v, bands.open_v))
    edges = [bands.short_max_v, *lower, *upper, bands.cut_min_v]
    if edges != sorted(set(edges)):
        return "bands: they overlap, or one is written from high to low"
    gaps = [edges[n + 1] - edges[n] for n in (0, 2, 4)]
    return (
        "bands.hysteresis_v: wider than the gap between two bands" if bands.hysteresis_v > min(gaps) else ""
    )
