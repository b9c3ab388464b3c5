"""The simulated camera, played by somebody else's player."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator

import pytest

from simulators.camera.farm import CameraFarm
from simulators.scene import CameraSettings, SceneState

pytestmark = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")

CAMERA = CameraSettings("liuxu.int1", "讯问室一", "柳圩派出所")


@pytest.fixture
async def farm() -> AsyncIterator[CameraFarm]:
    scene = SceneState(in_use=True, covered=False, dark=False)
    served = CameraFarm("127.0.0.1", 0, [CAMERA], lambda _: scene)
    await served.start()
    yield served
    await served.stop()


async def run(*command: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_ffprobe_plays_the_camera(farm: CameraFarm, transport: str):
    url = f"rtsp://127.0.0.1:{farm.port}/{CAMERA.id}"
    code, out, err = await run(
        "ffprobe", "-v", "error", "-rtsp_transport", transport, "-of", "json", "-show_streams", url
    )
    assert (code, err) == (0, "")
    (stream,) = json.loads(out)["streams"]
    assert stream["codec_name"] == "h264"
    assert (stream["width"], stream["height"], stream["has_b_frames"]) == (640, 360, 0)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_ffmpeg_decodes_two_seconds_without_complaint(farm: CameraFarm, transport: str):
    url = f"rtsp://127.0.0.1:{farm.port}/{CAMERA.id}"
    code, out, err = await run(
        "ffmpeg", "-v", "warning", "-analyzeduration", "500000", "-rtsp_transport", transport, "-i", url,
        "-frames:v", "10", "-f", "framemd5", "-",
    )  # fmt: skip
    assert (code, err) == (0, "")
    frames = [line.split(",") for line in out.splitlines() if not line.startswith("#")]
    assert len(frames) == 10
    assert len({frame[-1].strip() for frame in frames}) == 10, "every picture differs: the clock runs"


async def test_unknown_camera_is_not_found(farm: CameraFarm):
    code, _, err = await run("ffprobe", "-v", "error", f"rtsp://127.0.0.1:{farm.port}/liuxu.nowhere")
    assert code != 0
    assert "404" in err
