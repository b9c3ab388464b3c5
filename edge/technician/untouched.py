"""Plans whose reads leave a device as it is, where the agent's own turns take away what they have told.

What a device kept while the agent was stopped is for the agent's journal alone. So a technician's read takes
the level and leaves the latch. A modem is not read at all: a turn spends a try of its PIN, and deletes the
delivery reports that the one before told.
"""

import msgspec

from device_drivers import registry
from edge import plan
from edge.plan import BusPlan
from edge.settings import DeviceSettings, Settings


def untouched(settings: Settings) -> list[BusPlan]:
    """The plans of all buses but modems', with drivers that clear no latch. Raises ProfileFault."""
    devices = tuple(device for device in settings.device if not is_agents_alone(device))
    return plan.plan(msgspec.structs.replace(settings, device=devices), keeps_latches=True)


def is_agents_alone(device: DeviceSettings) -> bool:
    """Whether nobody but the agent may ask this device."""
    kind = registry.DRIVERS.get(device.driver)
    return kind is not None and kind.is_agents_alone
