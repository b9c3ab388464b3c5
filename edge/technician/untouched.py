"""Plans whose reads leave a device as it is, where the agent's own turns take away what they have told.

What a device kept while the agent was stopped is for the agent's journal alone. So a technician's read takes
the level and leaves the latch. A modem is not read at all: a turn spends a try of its PIN, and deletes the
delivery reports that the one before told.
"""

import msgspec

from device_drivers.driver import Driver
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import load_profile
from device_drivers.sms_modem.driver import SmsModem
from edge import plan
from edge.plan import BusPlan
from edge.settings import BusSettings, DeviceSettings, Settings


def untouched(settings: Settings) -> list[BusPlan]:
    """The plans of all buses but modems', with drivers that clear no latch. Raises ProfileFault."""
    plans = []
    for entry in plan.plan(settings):
        devices = [d for d in settings.device if d.id in entry.drivers and not is_agents_alone(d)]
        drivers = {d.id: _untouched(d, entry.bus, settings, entry.drivers[d.id]) for d in devices}
        if drivers:
            plans.append(BusPlan(entry.bus, drivers, plan.polls(devices, drivers, settings.point)))
    return plans


def is_agents_alone(device: DeviceSettings) -> bool:
    """Whether nobody but the agent may ask this device."""
    return device.driver == SmsModem.kind


def has_latches(device: DeviceSettings) -> bool:
    """Whether the agent's reads of this device clear latches."""
    if device.driver != ModbusDi.kind or not device.profile:
        return False
    return load_profile(plan.profile_path(device.profile)).latches is not None


def _untouched(device: DeviceSettings, bus: BusSettings, settings: Settings, usual: Driver) -> Driver:
    if not has_latches(device):
        return usual
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
