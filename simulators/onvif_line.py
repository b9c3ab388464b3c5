"""A network camera as a line of its own: its ONVIF side; the stream behind it is the scenario's cameras'."""

from simulators.onvif_device import OnvifDevice


class OnvifLine:
    """`unit`: the one device of the line."""

    def __init__(self, device: OnvifDevice, unit: int) -> None:
        self._device = device
        self._unit = unit

    @property
    def address(self) -> str:
        return self._device.base.removeprefix("http://")

    async def start(self) -> None:
        """Raises PortBusy."""
        await self._device.start()

    async def stop(self) -> None:
        await self._device.stop()

    async def set_online(self, *, online: bool) -> None:
        """Off the network, or back on it."""
        await self._device.act("back" if online else "away")

    def acts(self) -> dict[int, tuple[str, ...]]:
        return {self._unit: self._device.acts()}

    async def act(self, unit: int, act: str) -> None:
        """Raises UnknownAct."""
        del unit
        await self._device.act(act)
