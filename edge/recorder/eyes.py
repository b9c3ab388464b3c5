"""Decodes what has to be seen: a key frame a second for health, every picture while somebody watches."""

import time
from collections.abc import Callable

import cv2
import msgspec
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from device_drivers.camera import picture
from device_drivers.camera.picture import Measures, PictureJudge
from device_drivers.camera.rtsp_source import CodedPicture, decode
from device_drivers.errors import BadFrame
from edge.recorder.wire import Seen, Shown

HEALTH_INTERVAL_S = 0.9
"""Key frames that come every second do not come every second exactly."""
SHOWN_INTERVAL_S = 0.07
"""At most fourteen pictures a second: enough to see what happens in a room."""
SHOWN_MAX_WIDTH = 960
JPEG_QUALITY = 75


class Eyes:
    """One camera's decoder. `send` takes what was seen and may wait for whoever reads it."""

    def __init__(
        self, decoder: VideoCodecContext, reference: bytes | None, send: Callable[[Seen | Shown], None]
    ) -> None:
        known = msgspec.msgpack.decode(reference, type=Measures) if reference else None
        self.is_decodable = False
        """The newest key frame gave a picture."""
        self._decoder = decoder
        self._judge = PictureJudge(known)
        self._send = send
        self._judged_mono = -HEALTH_INTERVAL_S
        self._shown_mono = -SHOWN_INTERVAL_S

    def look(self, batch: list[CodedPicture], *, is_watched: bool) -> None:
        """Pictures in order; one that is not a key frame follows the last one given, or is of no use."""
        now_mono = time.monotonic()
        is_due = batch[0].is_key and now_mono - self._judged_mono >= HEALTH_INTERVAL_S
        if not is_watched:
            if is_due:
                self._judge_key(batch[0], now_mono)
            return
        if is_due:
            frame = self._judge_key(batch[0], now_mono)
        elif batch[0].is_key:
            frame = self._decode_key(batch[0])
        else:
            frame = self._decode(batch[0])
        for coded in batch[1:]:
            frame = self._decode(coded)
        if frame is not None and now_mono - self._shown_mono >= SHOWN_INTERVAL_S:
            self._shown_mono = now_mono
            newest = batch[-1]
            self._send(Shown(newest.camera_ms, newest.at_ms, _jpeg(frame)))

    def _judge_key(self, key: CodedPicture, now_mono: float) -> VideoFrame | None:
        self._judged_mono = now_mono
        frame = self._decode_key(key)
        if frame is not None:
            pixels = frame.reformat(picture.WIDTH, picture.HEIGHT, "gray").to_ndarray()
            known = self._judge.reference
            verdict = self._judge.judge(
                picture.measure(pixels.astype(np.uint8, copy=False)), int(now_mono * 1_000)
            )
            learnt = self._judge.reference if known is None else None
            self._send(Seen(verdict, msgspec.msgpack.encode(learnt) if learnt else None))
        return frame

    def _decode_key(self, key: CodedPicture) -> VideoFrame | None:
        self._decoder.flush_buffers()
        frame = self._decode(key)
        self.is_decodable = frame is not None
        return frame

    def _decode(self, coded: CodedPicture) -> VideoFrame | None:
        try:
            return decode(self._decoder, coded)
        except BadFrame:
            return None


def _jpeg(frame: VideoFrame) -> bytes:
    width = min(frame.width, SHOWN_MAX_WIDTH)
    height = frame.height * width // frame.width
    pixels = frame.reformat(width, height, "bgr24").to_ndarray()
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes()
