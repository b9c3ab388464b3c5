"""What the installation asks of every line: a cable with its devices, card readers, cameras."""

from typing import Protocol

from simulators.frame_log import WireFrame


class Line(Protocol):
    """Something that a driver can find at an `address`."""

    @property
    def address(self) -> str: ...

    async def start(self) -> None:
        """Raises PortBusy."""

    async def stop(self) -> None: ...

    async def set_online(self, *, online: bool) -> None:
        """Plug it in, or take it away. Raises PortBusy."""

    def acts(self) -> dict[int, tuple[str, ...]]:
        """Per unit what a hand at the device can do."""

    async def act(self, unit: int, act: str) -> None:
        """Raises UnknownAct."""

    def frames(self, after: int) -> list[WireFrame]:
        """Those numbered above `after`, oldest first, as far as they are kept."""
