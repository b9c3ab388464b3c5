"""RTSP 1.0 as a camera speaks it (RFC 2326): requests in, responses and session descriptions out. Pure."""

import base64
import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from simulators.camera.rtp import CLOCK_HZ, PAYLOAD_TYPE

HEAD_MAX_BYTES = 8_192
METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN")

_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
}
_INTERLEAVED = re.compile(r"interleaved=(\d{1,3})-(\d{1,3})")
_CLIENT_PORT = re.compile(r"client_port=(\d{1,5})-(\d{1,5})")


class RtspFault(Exception):
    """What a client sent is no RTSP, or longer than any request of a player."""


class Request(msgspec.Struct, frozen=True):
    """One request. Header names are in lower case."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The camera that is meant: the first part of the URL's path."""
        return unquote(urlsplit(self.url).path).strip("/").split("/")[0]


class Transport(msgspec.Struct, frozen=True):
    """How a client wants its packets: two channels of the connection, or two UDP ports of its own."""

    kind: Literal["tcp", "udp"]
    rtp: int
    rtcp: int


def take_request(buffer: bytearray) -> Request | None:
    """The next whole request, taken out of `buffer`; None while none is whole.

    Interleaved packets between requests (a player's receiver reports) are skipped. Raises RtspFault.
    """
    while buffer[:1] == b"$":
        if len(buffer) < 4:
            return None
        end = 4 + int.from_bytes(buffer[2:4], "big")
        if len(buffer) < end:
            return None
        del buffer[:end]
    head, separator, _ = buffer.partition(b"\r\n\r\n")
    if not separator:
        if len(buffer) > HEAD_MAX_BYTES:
            raise RtspFault("no end of request head")
        return None
    request = _parse(head)
    length_text = request.headers.get("content-length", "0")
    if not length_text.isdigit() or int(length_text) > HEAD_MAX_BYTES:
        raise RtspFault("content length")
    end = len(head) + 4 + int(length_text)
    if len(buffer) < end:
        return None
    del buffer[:end]
    return request


def response(request: Request, status: int, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A response to `request`; CSeq and Content-Length are added."""
    lines = [f"RTSP/1.0 {status} {_REASONS[status]}", f"CSeq: {request.headers.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def transport(header: str) -> Transport | None:
    """The first transport of a SETUP that a camera can serve; None if there is none."""
    for offer in header.split(","):
        channels = _INTERLEAVED.search(offer)
        if "RTP/AVP/TCP" in offer and channels:
            rtp, rtcp = int(channels[1]), int(channels[2])
            if max(rtp, rtcp) <= 255:
                return Transport("tcp", rtp, rtcp)
        ports = _CLIENT_PORT.search(offer)
        if "RTP/AVP/TCP" not in offer and "multicast" not in offer and ports:
            rtp, rtcp = int(ports[1]), int(ports[2])
            if min(rtp, rtcp) > 0 and max(rtp, rtcp) <= 65_535:
                return Transport("udp", rtp, rtcp)
    return None


def description(name: str, host: str, fps: int, parameter_sets: Sequence[bytes]) -> bytes:
    """The SDP of one H.264 stream; `parameter_sets` are its SPS and PPS without start codes."""
    sprop = ",".join(base64.b64encode(nal).decode() for nal in parameter_sets)
    fmtp = f"packetization-mode=1;profile-level-id={parameter_sets[0][1:4].hex()}"
    lines = (
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        f"s={name}",
        f"c=IN IP4 {host}",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} {fmtp};sprop-parameter-sets={sprop}",
        f"a=framerate:{fps}",
        "a=control:track1",
    )
    return ("\r\n".join(lines) + "\r\n").encode()


def _parse(head: bytes | bytearray) -> Request:
    try:
        first, *rest = bytes(head).decode().split("\r\n")
    except UnicodeDecodeError as error:
        raise RtspFault("request head is no text") from error
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/"):
        raise RtspFault(f"request line {first[:80]!r}")
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon:
            raise RtspFault(f"header {line[:80]!r}")
        headers[name.strip().lower()] = value.strip()
    return Request(words[0], words[1], headers)
