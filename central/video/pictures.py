"""Pictures on their way: what a station's media server sends, and the place where a viewer finds the newest.

A picture is a four-byte length, a JSON header, a JPEG; it is passed on as the bytes it came as. That there
is none is said by a text, `{"type": "no_picture", "code", "since_ms"}`.
"""

import asyncio
import struct

import msgspec

from central.video.errors import BadPicture

HEADER_MAX_BYTES = 1_024
PICTURE_MAX_BYTES = 8 * 1024 * 1024

_LENGTH = struct.Struct(">I")


class Header(msgspec.Struct, frozen=True):
    """`seq` counts up; `camera_ms`: capture by the camera's clock; `at_ms`: arrival by the station's."""

    seq: int
    camera_ms: int
    at_ms: int


class Picture(msgspec.Struct, frozen=True):
    """One picture; `message` is header and JPEG as they go to the browser."""

    header: Header
    message: bytes


class NoPicture(msgspec.Struct, frozen=True, tag_field="type", tag="no_picture"):
    """There is nothing to see, why, and since when (wall clock)."""

    code: str
    since_ms: int


_headers = msgspec.json.Decoder(Header)
_texts = msgspec.json.Decoder(NoPicture)


def read_picture(message: bytes) -> Picture:
    """A binary message. Raises BadPicture."""
    if len(message) < _LENGTH.size:
        raise BadPicture("shorter than its length")
    (length,) = _LENGTH.unpack_from(message)
    if length > HEADER_MAX_BYTES:
        raise BadPicture(f"header of {length} bytes")
    try:
        return Picture(_headers.decode(message[_LENGTH.size : _LENGTH.size + length]), message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadPicture(f"header: {error}") from error


def read_no_picture(message: str) -> NoPicture:
    """A text message. Raises BadPicture."""
    try:
        return _texts.decode(message)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadPicture(f"text: {error}") from error


class Mailbox:
    """Holds the newest thing only: who reads slowly misses pictures and delays nobody."""

    def __init__(self) -> None:
        self._newest: Picture | NoPicture | None = None
        self._arrived = asyncio.Event()

    def put(self, newest: Picture | NoPicture) -> None:
        self._newest = newest
        self._arrived.set()

    async def take(self) -> Picture | NoPicture:
        """Waits for the next thing. Cancelling loses nothing."""
        await self._arrived.wait()
        self._arrived.clear()
        assert self._newest is not None
        return self._newest
