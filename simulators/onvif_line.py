"""A network camera as a line of its own: its ONVIF side; the stream behind it is the scenario's cameras'."""

from contextlib import suppress

from simulators.frame_log import WireFrame
from simulators.onvif_device import OnvifDevice
from simulators.onvif_discovery import DiscoveryResponder

LOOPBACK = "127.0.0.1"


class OnvifLine:
    """`unit`: the one device of the line. Discovery finds it on loopback, where that carries multicast."""

    def __init__(self, device: OnvifDevice, unit: int, name: str) -> None:
        self._device = device
        self._unit = unit
        self._name = name
        self._discovery: DiscoveryResponder | None = None

    @property
    def address(self) -> str:
        return self._device.base.removeprefix("http://")

    async def start(self) -> None:
        """Raises PortBusy."""
        await self._device.start()
        discovery = DiscoveryResponder(f"{self._device.base}/onvif/device_service", self._name, LOOPBACK)
        with suppress(OSError):
            await discovery.start()
            self._discovery = discovery

    async def stop(self) -> None:
        if self._discovery is not None:
            self._discovery.stop()
        await self._device.stop()

    async def set_online(self, *, online: bool) -> None:
        """Off the network, or back on it."""
        await self._device.act("back" if online else "away")

    def acts(self) -> dict[int, tuple[str, ...]]:
        return {self._unit: self._device.acts()}

    def frames(self, after: int) -> list[WireFrame]:
        """Questions and answers by the names of their operations."""
        return self._device.frames.after(after)

    async def act(self, unit: int, act: str) -> None:
        """Raises UnknownAct."""
        del unit
        await self._device.act(act)
