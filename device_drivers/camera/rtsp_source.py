"""Coded H.264 or H.265 pictures of one camera, by RTSP over TCP, with the camera's own time of each.

What libav does here, and what follows from it (measured with PyAV 18 against `simulators/camera`):
- With its defaults it studies the stream for seconds; `probesize` and `analyzeduration` end that.
- The first packet is a key frame and has no time stamp: it is the stream's first, not a broken one.
- At the first read timeout libav returns the packet it still held, without error. The next packet then
  has no time stamp either: the stream was interrupted, and that ends the source.
- `prft` side data is the camera's clock at capture, known from the first RTCP sender report on. A camera
  that sends no reports leaves only the time of arrival.
- A picture is handed out when the next one begins: one frame interval late.
"""

import struct
import time
from collections.abc import Iterator

import av
import msgspec
from av.codec.context import Flags as CodecFlags
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from device_drivers.errors import BadFrame, LinkDown, NoReply

READ_TIMEOUT_S = 1.0

_PRFT = struct.Struct("<q")


class CodedPicture(msgspec.Struct, frozen=True):
    """One access unit. `camera_ms`: capture by the camera's clock, else arrival; `at_ms`: arrival by ours."""

    packet: "Packet[VideoStream]"
    is_key: bool
    camera_ms: int
    at_ms: int


class RtspSource:
    """One connection to one camera. Blocks; belongs to one thread, which alone may close it."""

    def __init__(self, url: str) -> None:
        """Connect. Raises LinkDown where nobody answers or no video is offered."""
        options = {
            "rtsp_transport": "tcp",
            "probesize": "32",
            "analyzeduration": "0",
            "timeout": str(int(READ_TIMEOUT_S * 1e6)),
        }
        try:
            self._container = av.open(url, options=options)
        except (FFmpegError, OSError) as error:
            raise LinkDown(f"camera: {_reason(error)}") from None
        if not self._container.streams.video:
            self._container.close()
            raise LinkDown("camera: offers no video")
        self._stream = self._container.streams.video[0]

    def decoder(self) -> VideoCodecContext:
        """A new decoder for this stream that gives each picture at once and uses one thread."""
        template = self._stream.codec_context
        decoder = VideoCodecContext.create(template.codec.name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.extradata = template.extradata
        decoder.thread_count = 1
        decoder.flags |= CodecFlags.low_delay
        return decoder

    def pictures(self) -> Iterator[CodedPicture]:
        """Pictures from the first key frame on.

        Raises NoReply where the camera falls silent, LinkDown where it ends the stream.
        """
        count = 0
        try:
            for packet in self._container.demux(self._stream):
                if packet.size == 0:
                    continue
                if packet.pts is None and count:
                    raise NoReply("camera: stream was interrupted")
                if count or packet.is_keyframe:
                    count += 1
                    yield _coded(packet)
        except (FFmpegError, OSError) as error:
            raise NoReply(f"camera: {_reason(error)}") from None
        raise LinkDown("camera: stream ended")

    def close(self) -> None:
        self._container.close()


def decode(decoder: VideoCodecContext, picture: CodedPicture) -> VideoFrame | None:
    """The picture that this packet completes; None where the decoder still waits. Raises BadFrame."""
    try:
        frames = decoder.decode(picture.packet)
    except FFmpegError as error:
        raise BadFrame(f"camera: {_reason(error)}") from None
    return frames[-1] if frames else None


def _reason(error: FFmpegError | OSError) -> str:
    """What was wrong, without the address: a login may stand in it, and libav's errors quote it."""
    return error.strerror or type(error).__name__


def _coded(packet: "Packet[VideoStream]") -> CodedPicture:
    at_ms = time.time_ns() // 1_000_000
    camera_ms = at_ms
    if packet.has_sidedata("prft"):
        (wall_us,) = _PRFT.unpack_from(bytes(packet.get_sidedata("prft")))
        camera_ms = wall_us // 1_000
    return CodedPicture(packet, packet.is_keyframe, camera_ms, at_ms)
