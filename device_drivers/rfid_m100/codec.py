"""Frames of UHF modules of the M100 family, pure, for both ends of the cable. 115200 8N1.

    BB type cmd lenH lenL data SUM 7E        SUM = low byte of the sum from type to the end of data

    BB 00 22 00 00 22 7E                     one inventory                        host → module
    BB 02 22 00 11 C9 3400 <EPC> 3A76 EF 7E  a tag: RSSI, PC, EPC, its CRC        module → host, one a tag
    BB 01 FF 00 01 15 16 7E                  error 15: no tag                     module → host

RSSI is in dBm, a signed byte. The upper five bits of PC are the number of words of the EPC. The CRC is the
tag's own, over PC and EPC: polynomial 1021, initial value FFFF, inverted. Sources: a published handbook in
several copies, drivers for it, and frames that users caught.
"""

import binascii
import re
from collections.abc import Iterator

import msgspec

from device_drivers.errors import BadFrame

HEAD = 0xBB
END = 0x7E
COMMAND = 0x00
REPLY = 0x01
NOTICE = 0x02
INVENTORY = 0x22
MANY_INVENTORIES = 0x27
STOP = 0x28
ERROR = 0xFF
NO_TAG = 0x15
BAD_COMMAND = 0x17
NO_CHANNEL = 0x20
ERRORS = {
    0x09: "no tag to read",
    0x10: "no tag to write",
    0x13: "no tag to lock",
    NO_TAG: "no tag",
    BAD_COMMAND: "bad command",
    NO_CHANNEL: "no free channel to hop to",
}
OVERHEAD_BYTES = 7
TAG_OVERHEAD_BYTES = 5
EPC_MAX_BYTES = 62
TAG_BYTES = OVERHEAD_BYTES + TAG_OVERHEAD_BYTES + 12
"""The notice of a tag with the usual EPC of 96 bits."""
FRAME_MAX_BYTES = OVERHEAD_BYTES + TAG_OVERHEAD_BYTES + EPC_MAX_BYTES
_WORDS_SHIFT = 11
_HEAD = re.compile(rb"\xbb[\x00-\x02].\x00[\x00-\x43]", re.DOTALL)
"""Of a frame of any type with up to 67 bytes of data."""


class Frame(msgspec.Struct, frozen=True):
    """One frame of either side."""

    type: int
    command: int
    data: bytes


class Tag(msgspec.Struct, frozen=True):
    """A tag that was heard. `rssi` in dBm."""

    epc: bytes
    rssi: int


class Heard(msgspec.Struct, frozen=True):
    """All that stands in what was received. `is_whole`: every byte of it belongs to a sound frame."""

    frames: tuple[Frame, ...]
    is_whole: bool


def encode(frame: Frame) -> bytes:
    content = bytes([frame.type, frame.command, *len(frame.data).to_bytes(2)]) + frame.data
    return bytes([HEAD, *content, sum(content) & 0xFF, END])


def encode_inventory() -> bytes:
    return encode(Frame(COMMAND, INVENTORY, b""))


def encode_tag(tag: Tag) -> bytes:
    said = (len(tag.epc) // 2 << _WORDS_SHIFT).to_bytes(2) + tag.epc
    return encode(Frame(NOTICE, INVENTORY, tag.rssi.to_bytes(1, signed=True) + said + _tag_crc(said)))


def encode_error(code: int) -> bytes:
    return encode(Frame(REPLY, ERROR, bytes([code])))


def decode(received: bytes) -> Heard:
    """The sound frames in what was received, past whatever is none. Never raises."""
    frames, used, is_whole = [], 0, True
    for start, end, frame in _frames(received):
        frames.append(frame)
        is_whole = is_whole and start == used
        used = end
    return Heard(tuple(frames), is_whole and used == len(received))


def decode_tag(frame: Frame) -> Tag:
    """The tag of a notice. Raises BadFrame: the module garbled what the tag said, too."""
    is_notice = (frame.type, frame.command) == (NOTICE, INVENTORY)
    if not is_notice or len(frame.data) < TAG_OVERHEAD_BYTES:
        raise BadFrame(f"no tag: {encode(frame).hex(' ')}")
    said, epc = frame.data[1:-2], frame.data[3:-2]
    if _tag_crc(said) != frame.data[-2:] or 2 * (said[0] >> 3) != len(epc):
        raise BadFrame(f"the tag's CRC or length does not fit: {encode(frame).hex(' ')}")
    return Tag(epc, int.from_bytes(frame.data[:1], signed=True))


def decode_error(frame: Frame) -> int | None:
    """The code of an error; None for any other frame."""
    is_error = (frame.type, frame.command) == (REPLY, ERROR)
    return frame.data[0] if is_error and frame.data else None


def split_commands(received: bytes) -> tuple[list[Frame], int]:
    """A module's view: the commands in what came, and the bytes that are done with."""
    commands, used = [], 0
    for _, end, frame in _frames(received):
        used = end
        if frame.type == COMMAND:
            commands.append(frame)
    begun = received.find(HEAD, max(used, len(received) - FRAME_MAX_BYTES))
    return commands, len(received) if begun < 0 else begun


def _tag_crc(said: bytes) -> bytes:
    return (binascii.crc_hqx(said, 0xFFFF) ^ 0xFFFF).to_bytes(2)


def _frames(received: bytes) -> Iterator[tuple[int, int, Frame]]:
    """Start, end and content of each sound frame. A head that begins none costs one byte."""
    head = _HEAD.search(received)
    while head:
        start, data = head.start(), head.end()
        end = data + received[data - 1] + 2
        is_sound = (
            end <= len(received)
            and received[end - 1] == END
            and sum(received[start + 1 : end - 2]) & 0xFF == received[end - 2]
        )
        if is_sound:
            yield start, end, Frame(received[start + 1], received[start + 2], received[data : end - 2])
        head = _HEAD.search(received, end if is_sound else start + 1)
