"""All cameras of a scenario as one line: an RTSP server with a path for every room that has one."""

import os
from collections.abc import Callable

from simulators.errors import PortBusy, UnknownAct, UnknownDevice
from simulators.frame_log import WireFrame
from simulators.scenario import Scenario
from simulators.scene import SceneState


class CameraServer:
    """`scene_of` tells what stands before the camera of a room."""

    def __init__(self, scenario: Scenario, scene_of: Callable[[str], SceneState]) -> None:
        from simulators.camera.farm import CameraFarm  # noqa: PLC0415 - codecs cost memory; benches have none

        self._address = (scenario.cameras.host, scenario.cameras.port)
        self._farm = CameraFarm(*self._address, scenario.camera_settings(), scene_of)
        self._rooms = {camera.id for camera in scenario.camera_settings()}
        self._is_up = False

    @property
    def address(self) -> str:
        return "{}:{}".format(*self._address)

    async def start(self) -> None:
        """Listen. Raises PortBusy."""
        try:
            await self._farm.start()
        except OSError as fault:
            host, port = self._address
            raise PortBusy(f"port {host}:{port} cannot be used: {os.strerror(fault.errno or 0)}") from fault
        self._address = (self._address[0], self._farm.port)
        self._is_up = True

    async def stop(self) -> None:
        if self._is_up:
            self._is_up = False
            await self._farm.stop()

    async def set_online(self, *, online: bool) -> None:
        if not online:
            await self.stop()
        elif not self._is_up:
            await self.start()

    def snapshot(self, room: str) -> bytes:
        """A JPEG of what the camera of a room sees now. Raises UnknownDevice, also while it has no power."""
        if room not in self._rooms or not self._is_up:
            raise UnknownDevice(f"{room}: no camera is there, or it has no power")
        return self._farm.snapshot(room)

    def acts(self) -> dict[int, tuple[str, ...]]:
        return {}

    def frames(self, after: int) -> list[WireFrame]:  # noqa: ARG002 - pictures are looked at elsewhere
        return []

    async def act(self, unit: int, act: str) -> None:
        raise UnknownAct(f"camera {unit} knows no act {act!r}")
