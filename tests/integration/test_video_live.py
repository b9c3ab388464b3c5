"""The way of a picture: simulated camera, recorder process, media server, relay, mailbox of a viewer."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from multiprocessing import forkserver
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import pytest

from central.settings import Name, RoomKind, RoomSettings, StationSettings
from central.video.pictures import Picture
from central.video.relay import Relay
from contract.pictures import NoPicture
from edge.media import MediaServer
from edge.recorder.supervisor import Recorder
from edge.settings import CameraSettings, MediaSettings
from simulators.camera.farm import CameraFarm
from simulators.scene import CameraSettings as SimulatedCamera
from simulators.scene import SceneState

ROOM = "liuxu.int1"
POINT = "liuxu.int1.picture"
TOKEN = "a-shared-secret"


class Station:
    """One camera, its recorder, and its media server."""

    def __init__(self, folder: Path) -> None:
        self.scene = SceneState(in_use=False, covered=False, dark=False)
        self.values: asyncio.Queue[str] = asyncio.Queue()
        self.farm = CameraFarm(
            "127.0.0.1", 0, [SimulatedCamera(ROOM, "讯问室一", "柳圩派出所")], lambda _: self.scene
        )
        self._token_file = folder / "media.token"

    async def start(self) -> None:
        self._token_file.write_text(f"{TOKEN}\n")
        await self.farm.start()
        camera = CameraSettings(point=POINT, url=f"rtsp://127.0.0.1:{self.farm.port}/{ROOM}")
        self.recorder = Recorder([camera], lambda _point, value, _quality: self.values.put_nowait(value))
        settings = MediaSettings(listen="127.0.0.1", port=0, token_file=str(self._token_file))
        self.media = MediaServer(settings, self.recorder, None)
        await self.media.start()
        self._running = asyncio.create_task(self.recorder.run(), name="recorder")

    async def stop(self) -> None:
        await self.media.stop()
        self._running.cancel()
        await asyncio.wait([self._running])
        await self.farm.stop()

    async def value(self, wanted: str) -> None:
        """Waits until the picture's point has this value."""
        while await self.values.get() != wanted:
            pass

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.media.port}"


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    started = Station(tmp_path)
    await started.start()
    yield started
    await started.stop()


@contextlib.asynccontextmanager
async def relay(station: Station, token: str = TOKEN) -> AsyncIterator[Relay]:
    name = Name(zh="讯问室一", en="Interrogation 1")
    room = RoomSettings(
        id=ROOM, kind=RoomKind.INTERROGATION_ROOM, name=name, doors=("liuxu.int1.door",), camera=POINT
    )
    url = f"ws://{station.address}"
    settings = StationSettings(id="liuxu", edge="liuxu", name=name, media_url=url, rooms=(room,))
    running = Relay([settings], {"liuxu": token, "linhu": "another"})
    task = asyncio.create_task(running.run(), name="relay")
    yield running
    task.cancel()
    await asyncio.wait([task])


def room_of(picture: Picture) -> np.ndarray:
    """The pixels between clock and name, grey."""
    length = int.from_bytes(picture.message[:4], "big")
    jpeg = np.frombuffer(picture.message[4 + length :], np.uint8)
    return cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)[60:300]


async def test_room_is_seen_as_it_is(station: Station):
    async with relay(station) as running, asyncio.timeout(50):
        await station.value("ok")
        with running.watch(ROOM) as mailbox:
            empty = await mailbox.take()
            assert isinstance(empty, Picture)
            assert empty.header.seq == 1
            station.scene = SceneState(in_use=True, covered=False, dark=False)
            while True:
                occupied = await mailbox.take()
                assert isinstance(occupied, Picture)
                if (cv2.absdiff(room_of(empty), room_of(occupied)) > 40).sum() > 1_000:
                    break
        station.scene = SceneState(in_use=True, covered=True, dark=False)
        await station.value("covered")
        with running.watch(ROOM) as mailbox:
            covered = await mailbox.take()
            while isinstance(covered, Picture) and room_of(covered).std() > 5:
                covered = await mailbox.take()


async def test_two_viewers_are_served_by_one_pull(station: Station):
    async with relay(station) as running, asyncio.timeout(50):
        await station.value("ok")
        with running.watch(ROOM) as one, running.watch(ROOM) as other:
            assert await one.take() == await other.take()
            assert len(station.media._viewers) == 1


async def test_silent_camera_is_lost_and_its_process_ended(station: Station):
    async with relay(station) as running, asyncio.timeout(50):
        await station.value("ok")
        (pid,) = camera_processes()
        with running.watch(ROOM) as mailbox:
            assert isinstance(await mailbox.take(), Picture)
            await station.farm.stop()
            while not isinstance(missing := await mailbox.take(), NoPicture):
                pass
            assert missing.code in {"video.stalled", "camera.lost"}
        await station.value("lost")
        assert pid not in camera_processes()
        await station.farm.start()


async def test_camera_process_that_hangs_is_replaced(station: Station):
    async with asyncio.timeout(50):
        await station.value("ok")
        (pid,) = camera_processes()
        os.kill(pid, signal.SIGSTOP)  # nothing of it answers any more
        while pid in camera_processes() or not camera_processes():  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.05)
        while not station.values.empty():
            station.values.get_nowait()
        await station.value("ok")


async def test_media_server_asks_for_its_token(station: Station):
    url = f"http://{station.address}/live/{POINT}"
    async with aiohttp.ClientSession() as http:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            async with http.get(url, headers=headers) as response:
                assert response.status == 401
        async with http.get(f"{url}x", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            assert response.status == 404
    reader, writer = await asyncio.open_connection("127.0.0.1", station.media.port)
    writer.write(
        f"GET /live/{POINT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ".encode() + b"\xff\r\n\r\n"
    )
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()
    await writer.wait_closed()


async def test_relay_with_a_wrong_token_says_why_there_is_no_picture(station: Station):
    async with relay(station, token="wrong") as running, asyncio.timeout(20):
        with running.watch(ROOM) as mailbox:
            missing = await mailbox.take()
        assert isinstance(missing, NoPicture)
        assert missing.code == "video.not_authorised"


def camera_processes() -> list[int]:
    """Live camera processes of this test: children of our fork server."""
    server = forkserver._forkserver._forkserver_pid
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [int(pid) for pid in children]
