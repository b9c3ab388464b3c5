"""The recorder: every camera of the station, each in a process of its own."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from contract.ids import PointId
from edge.recorder.camera import Camera, OnPicture
from edge.recorder.frames import Mailbox
from edge.recorder.watchdog import TICK_S
from edge.settings import CameraSettings


class Recorder:
    """`on_picture` is told each camera's value about once a second: `ok`, `covered`, `dark` or `lost`."""

    def __init__(self, cameras: Sequence[CameraSettings], on_picture: OnPicture) -> None:
        self._processes = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._cameras = {
            PointId(settings.point): Camera(settings, on_picture, self._processes) for settings in cameras
        }

    @property
    def points(self) -> frozenset[PointId]:
        """The cameras that can be watched."""
        return frozenset(self._cameras)

    def watch(self, point: PointId) -> AbstractContextManager[Mailbox]:
        """Pictures of one camera while the block runs: the first at once, then each as it comes."""
        return self._cameras[point].watched()

    async def run(self) -> None:
        """Until cancelled; no camera process is left then."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for point, camera in self._cameras.items():
                    tasks.create_task(camera.run(), name=f"camera-{point}")
                while True:
                    await asyncio.sleep(TICK_S)
                    for camera in self._cameras.values():
                        camera.tick()
        finally:
            self._processes.shutdown()
