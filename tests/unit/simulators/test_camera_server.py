"""All cameras as one line: what they see as a picture for the control page, and what comes of a power cut."""

import cv2
import numpy as np
import pytest

from simulators.camera_server import CameraServer
from simulators.errors import UnknownDevice
from simulators.scenario_file import parse_scenario
from simulators.scene import SceneState

NAME = {"zh": "讯问室", "en": "Interrogation"}
SCENARIO = parse_scenario(
    {
        "cameras": {"port": 0},
        "station": [{"id": "a", "name": NAME, "room": [{"id": "a.r1", "name": NAME}]}],
    }
)


def brightness(jpeg):
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (360, 640, 3)
    return float(picture.mean())


async def test_a_snapshot_is_what_stands_before_the_lens_now():
    scenes = [
        SceneState(in_use=True, covered=False, dark=False),
        SceneState(in_use=True, covered=False, dark=True),
    ]
    server = CameraServer(SCENARIO, lambda _: scenes[0])
    await server.start()
    light = brightness(server.snapshot("a.r1"))
    scenes.pop(0)
    assert brightness(server.snapshot("a.r1")) < light / 3
    await server.stop()


async def test_there_is_no_snapshot_of_a_room_without_a_camera_nor_without_power():
    scene = SceneState(in_use=False, covered=False, dark=False)
    server = CameraServer(SCENARIO, lambda _: scene)
    await server.start()
    with pytest.raises(UnknownDevice):
        server.snapshot("a.lawyer")
    await server.set_online(online=False)
    with pytest.raises(UnknownDevice):
        server.snapshot("a.r1")
