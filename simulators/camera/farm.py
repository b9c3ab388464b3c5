"""All simulated cameras of a scenario behind one RTSP port: `rtsp://host:port/{camera id}`."""

import asyncio
import time
from collections.abc import Callable, Sequence

import cv2

from simulators.camera import rtsp
from simulators.camera.drawing import draw
from simulators.camera.encoder import AccessUnit, CameraThread, parameter_sets
from simulators.camera.server import Player
from simulators.scene import CameraSettings, SceneState

SNAPSHOT_QUALITY = 70


class CameraFarm:
    """Serves the cameras; draws and encodes only those that somebody plays. Port 0 takes a free one."""

    def __init__(
        self,
        host: str,
        port: int,
        cameras: Sequence[CameraSettings],
        scene_of: Callable[[str], SceneState],
    ) -> None:
        self._host = host
        self._port = port
        self._feeds = {camera.id: _Feed(camera, scene_of) for camera in cameras}
        self._players: set[Player] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is really served, once started."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port)

    async def stop(self) -> None:
        """Close the port and every player; returns when no camera thread is left."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        for player in tuple(self._players):
            player.close()
        for feed in self._feeds.values():
            await feed.stop()

    def snapshot(self, camera: str) -> bytes:
        """What a camera sees now, as a JPEG. Raises KeyError."""
        return self._feeds[camera].snapshot()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        player = Player(reader, writer, self._feeds.get)
        self._players.add(player)
        try:
            await player.serve()
        finally:
            self._players.discard(player)


class _Feed:
    """One camera and who plays it. Everything here runs on the event loop but `_publish`."""

    def __init__(self, camera: CameraSettings, scene_of: Callable[[str], SceneState]) -> None:
        self._camera = camera
        self._scene_of = scene_of
        self._players: set[Player] = set()
        self._thread: CameraThread | None = None

    def description(self, host: str) -> bytes:
        camera = self._camera
        sets = parameter_sets(camera.width, camera.height, camera.fps)
        return rtsp.description(camera.id, host, camera.fps, sets)

    def snapshot(self) -> bytes:
        picture = draw(self._camera, self._scene_of(self._camera.id), time.time_ns())
        _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, SNAPSHOT_QUALITY])
        return encoded.tobytes()

    def attach(self, player: Player) -> None:
        self._players.add(player)
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = CameraThread(
                self._camera,
                lambda: self._scene_of(self._camera.id),
                lambda unit: _hand_over(loop, self._deliver, unit),
            )
            self._thread.start()
        self._thread.want_key()

    def detach(self, player: Player) -> None:
        self._players.discard(player)
        if not self._players and self._thread is not None:
            self._thread.stop()
            self._thread = None

    async def stop(self) -> None:
        self._players.clear()
        if self._thread is not None:
            self._thread.stop()
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _deliver(self, unit: AccessUnit) -> None:
        for player in tuple(self._players):
            player.deliver(unit)


def _hand_over(
    loop: asyncio.AbstractEventLoop, deliver: Callable[[AccessUnit], None], unit: AccessUnit
) -> None:
    """Give a picture to the event loop; one that has just ended wants none."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(deliver, unit)
