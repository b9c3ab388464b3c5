"""What the supervisor believes of a camera's process."""

import asyncio
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from device_drivers.camera.rtsp_source import RtspSource
from device_drivers.errors import DeviceRefused, LinkDown, LoginRefused
from edge.recorder import wire
from edge.recorder.camera import Camera
from edge.recorder.watchdog import START_PATIENCE_TICKS
from edge.settings import CameraSettings
from tests.support.virtual_time import in_virtual_time


async def test_message_too_long_to_be_true_is_not_waited_for() -> None:
    said: list[str] = []
    settings = CameraSettings(point="liuxu.int1.picture", url="rtsp://192.0.2.31/1")
    with ThreadPoolExecutor(1) as processes:
        camera = Camera(settings, lambda _point, value, _quality: said.append(value), processes)
        reader = asyncio.StreamReader()
        reader.feed_data(wire.encode(wire.Seen("covered")))
        reader.feed_data(wire.LENGTH.pack(wire.MESSAGE_MAX_BYTES + 1))
        await asyncio.wait_for(camera._follow(reader), 5)
    assert said == ["covered"]


async def test_a_camera_that_cannot_be_asked_for_its_stream_is_lost_and_asked_again(monkeypatch) -> None:
    async def refused(_settings: CameraSettings) -> str:
        raise DeviceRefused("user or password")

    monkeypatch.setattr("edge.recorder.camera.stream_url", refused)
    said: list[str] = []
    settings = CameraSettings(point="liuxu.int1.picture", onvif="192.0.2.31:80")
    with ThreadPoolExecutor(1) as processes:
        camera = Camera(settings, lambda _point, value, _quality: said.append(value), processes)
        with capture_logs() as logs:
            for _ in range(START_PATIENCE_TICKS):
                await camera._run_process()
                camera.tick()
    assert said == ["lost"]
    assert [(entry["event"], entry["code"]) for entry in logs] == [("picture_lost", "driver.refused")]


@pytest.mark.parametrize(
    ("error", "least_s", "most_s"),
    [(LoginRefused("user or password"), 600, 601), (DeviceRefused("not ready yet"), 0, 1)],
)
def test_a_camera_that_refuses_our_login_is_left_alone_for_ten_minutes(
    monkeypatch: pytest.MonkeyPatch, error: DeviceRefused, least_s: float, most_s: float
) -> None:
    asked: list[float] = []

    @in_virtual_time
    async def play() -> None:
        async def refused(_settings: CameraSettings) -> str:
            asked.append(asyncio.get_running_loop().time())
            if len(asked) == 2:
                raise asyncio.CancelledError
            raise error

        monkeypatch.setattr("edge.recorder.camera.stream_url", refused)
        settings = CameraSettings(point="liuxu.int1.picture", onvif="192.0.2.31:80")
        with ThreadPoolExecutor(1) as processes, pytest.raises(asyncio.CancelledError):
            await Camera(settings, lambda *_: None, processes).run()

    play()
    assert least_s <= asked[1] - asked[0] <= most_s


def test_a_cameras_login_stands_in_no_error() -> None:
    secret = "s3cret"
    with pytest.raises(LinkDown) as down:
        RtspSource(f"rtsp://viewer:{secret}@127.0.0.1:1/main")
    assert "Connection refused" in str(down.value)
    assert secret not in "".join(traceback.format_exception(down.value))
