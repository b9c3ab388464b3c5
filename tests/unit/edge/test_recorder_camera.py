"""What the supervisor believes of a camera's process."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from edge.recorder import wire
from edge.recorder.camera import Camera
from edge.settings import CameraSettings


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
