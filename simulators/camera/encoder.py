"""One camera's own thread: draws, encodes and hands out access units while anybody is connected."""

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import cv2
import msgspec
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from simulators.camera.drawing import Picture, draw
from simulators.camera.rtp import nal_units
from simulators.scene import CameraSettings, SceneState

_SPS, _PPS, _IDR = 7, 8, 5


class AccessUnit(msgspec.Struct, frozen=True):
    """One encoded picture. `wall_ns` is the camera's own clock when it was drawn."""

    nals: list[bytes]
    wall_ns: int
    is_key: bool


class Encoder:
    """H.264 as a small camera makes it: no B frames, a key frame a second, parameter sets before each."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        context = VideoCodecContext.create("libx264", "w")
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, fps)
        context.framerate = Fraction(fps)
        context.gop_size = fps
        context.thread_count = 1
        context.options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1", "crf": "26"}
        self._context = context
        self._count = 0

    def encode(self, picture: Picture, *, must_be_key: bool = False) -> list[bytes]:
        """The NAL units of one picture."""
        planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
        frame = VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = self._count
        if must_be_key:
            frame.pict_type = PictureType.I
        self._count += 1
        return [nal for packet in self._context.encode(frame) for nal in nal_units(bytes(packet))]


@lru_cache(maxsize=16)
def parameter_sets(width: int, height: int, fps: int) -> tuple[bytes, ...]:
    """SPS and PPS that an `Encoder` of this size writes."""
    nals = Encoder(width, height, fps).encode(np.zeros((height, width, 3), np.uint8))
    return tuple(nal for nal in nals if nal[0] & 0x1F in (_SPS, _PPS))


class CameraThread:
    """Runs one camera at its rate. `publish` is called in this thread with each access unit."""

    def __init__(
        self, camera: CameraSettings, scene: Callable[[], SceneState], publish: Callable[[AccessUnit], None]
    ) -> None:
        self._camera = camera
        self._scene = scene
        self._publish = publish
        self._key_wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def want_key(self) -> None:
        """The next picture shall be a key frame: somebody has just connected."""
        self._key_wanted.set()

    def stop(self) -> None:
        """End the thread after the picture it is at."""
        self._stopped.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        camera = self._camera
        encoder = Encoder(camera.width, camera.height, camera.fps)
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1 / camera.fps, time.monotonic() - 1)
            must_be_key = self._key_wanted.is_set()
            self._key_wanted.clear()
            wall_ns = time.time_ns()
            nals = encoder.encode(draw(camera, self._scene(), wall_ns), must_be_key=must_be_key)
            self._publish(AccessUnit(nals, wall_ns, any(nal[0] & 0x1F == _IDR for nal in nals)))
