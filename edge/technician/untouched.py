"""Plans whose reads leave a device as it is. Only latches need it: the agent's own turn clears what it tells.

What a latch kept while the agent was stopped is evidence, and it is for the agent's journal alone. So a
technician's read takes the level and leaves the latch; the agent finds it at its next start.
"""

import msgspec

from device_drivers.driver import Driver
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import load_profile
from edge import plan
from edge.plan import BusPlan
from edge.settings import BusSettings, DeviceSettings, Settings


def untouched(settings: Settings) -> list[BusPlan]:
    """The plans of all buses that ask, with drivers that clear no latch. Raises ProfileFault."""
    plans = []
    for entry in plan.plan(settings):
        devices = [device for device in settings.device if device.id in entry.drivers]
        drivers = {d.id: _without_latches(d, entry.bus, settings) or entry.drivers[d.id] for d in devices}
        plans.append(BusPlan(entry.bus, drivers, plan.polls(devices, drivers, settings.point)))
    return plans


def has_latches(device: DeviceSettings) -> bool:
    """Whether the agent's reads of this device clear latches."""
    if device.driver != ModbusDi.kind or not device.profile:
        return False
    return load_profile(plan.profile_path(device.profile)).latches is not None


def _without_latches(device: DeviceSettings, bus: BusSettings, settings: Settings) -> Driver | None:
    if not has_latches(device):
        return None
    site = plan.site(device, bus, settings.point)
    assert site.profile is not None
    return ModbusDi(
        msgspec.structs.replace(load_profile(site.profile), latches=None),
        site.unit,
        "mbap" if bus.kind == "modbus_tcp" else "rtu",
        channels=site.channels,
        baud=site.baud,
        max_slice_ms=site.max_slice_ms,
    )
