"""The simulated camera as npm's onvif client sees it."""

import shutil

import pytest

from simulators.onvif_device import OnvifDevice
from tests.support.peers import PEERS, told

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (PEERS / "node_modules/onvif").is_dir()),
    reason="node or tests/peers/node_modules (npm ci) is missing: npm onvif was not tried",
)
CLIENT = ("node", str(PEERS / "onvif_client.cjs"))


@pytest.fixture
async def camera():
    device = OnvifDevice(
        "rtsp://127.0.0.1:8554/main", user="viewer", password="pass+word/7", clock_offset_s=-7200
    )
    await device.start()
    yield device
    await device.stop()


async def test_the_foreign_client_finds_profile_stream_and_every_state(camera):
    answer = await told(*CLIENT, str(camera.port), "viewer", "pass+word/7")
    topics = answer.pop("topics")
    assert answer == {"model": "Simulated camera", "profile": "main", "stream": "rtsp://127.0.0.1:8554/main"}
    assert topics == [
        "tns1:VideoSource/GlobalSceneChange/ImagingService",
        "tns1:VideoSource/ImageTooDark/ImagingService",
        "tns1:VideoSource/ImageTooBlurry/ImagingService",
        "tns1:Device/Trigger/DigitalInput",
    ]
    assert camera.subscriptions == 0


async def test_the_foreign_client_is_refused_with_another_password(camera):
    answer = await told(*CLIENT, str(camera.port), "viewer", "another")
    assert "wrong, old or repeated login" in answer["error"]
