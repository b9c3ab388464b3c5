"""A room's picture on its way from an edge's media server through the centre to a browser.

Binary: four bytes of length (big endian), a JSON header, a JPEG; passed on as the bytes it came as.
Text: `{"type": "no_picture", "code", "since_ms"}`, there is none and why.
"""

import struct

import msgspec

from contract.errors import Malformed, TooLarge

HEADER_MAX_BYTES = 1_024
PICTURE_MAX_BYTES = 8 * 1024 * 1024

_LENGTH = struct.Struct(">I")


class PictureHeader(msgspec.Struct, frozen=True):
    """`seq` counts up; `camera_ms`: capture by the camera's clock; `at_ms`: arrival by the edge's."""

    seq: int
    camera_ms: int
    at_ms: int


class NoPicture(msgspec.Struct, frozen=True, tag_field="type", tag="no_picture"):
    """There is nothing to see, why, and since when (wall clock)."""

    code: str
    since_ms: int


_headers = msgspec.json.Decoder(PictureHeader)
_texts = msgspec.json.Decoder(NoPicture)


def encode_picture(header: PictureHeader, jpeg: bytes) -> bytes:
    """A binary message."""
    raw = msgspec.json.encode(header)
    return _LENGTH.pack(len(raw)) + raw + jpeg


def decode_header(message: bytes) -> PictureHeader:
    """The header of a binary message. Raises TooLarge or Malformed."""
    if len(message) < _LENGTH.size:
        raise Malformed("picture shorter than its length")
    (length,) = _LENGTH.unpack_from(message)
    if length > HEADER_MAX_BYTES:
        raise TooLarge(f"picture header of {length} bytes, limit {HEADER_MAX_BYTES}")
    try:
        return _headers.decode(message[_LENGTH.size : _LENGTH.size + length])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"picture header: {error}") from error


def encode_no_picture(none: NoPicture) -> str:
    """A text message."""
    return msgspec.json.encode(none).decode()


def decode_no_picture(message: str) -> NoPicture:
    """A text message. Raises Malformed."""
    try:
        return _texts.decode(message)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"no_picture: {error}") from error
