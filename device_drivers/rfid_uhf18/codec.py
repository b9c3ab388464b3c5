"""Frames of UHF readers of the UHFReader18 family, pure, for both ends of the cable. 57600 8N1.

    Len Adr Cmd data crcL crcH           host → reader       Len: all that follows it
    Len Adr Cmd Status data crcL crcH    reader → host       crc: 8408 reflected, init FFFF

    04 00 01 DB 4B                                     one inventory
    09 00 01 Q session target antenna scan crc         the same at one port: 80 is port 1; scan × 100 ms
    Len Adr 01 Status Num (Len EPC)… crc               what a reader with one antenna heard
    Len Adr 01 Status Ant Num (Len EPC RSSI)… crc      what a reader with ports heard; Ant: bit 0 is port 1

An inventory is answered by one frame or many; each but the last has status 03. Sources: makers' manuals, a
public driver with its test frames, and frames that users caught. RSSI has no unit: higher is nearer.
"""

import binascii
from collections.abc import Iterator, Sequence

import msgspec

from device_drivers.errors import WrongReply

INVENTORY = 0x01
BROADCAST = 0xFF
ADDRESS_MAX = 0xFE
PORTS_MAX = 4

COMPLETE = 0x01
OUT_OF_TIME = 0x02
MORE = 0x03
BUFFER_FULL = 0x04
ANTENNA_OFF = 0xF8
POOR_CONTACT = 0xFA
NO_TAG = 0xFB
TAG_ERROR = 0xFC
BAD_LENGTH = 0xFD
BAD_COMMAND = 0xFE
STATUSES = {
    COMPLETE: "complete",
    OUT_OF_TIME: "out of time",
    MORE: "more follows",
    BUFFER_FULL: "buffer full",
    ANTENNA_OFF: "antenna off",
    POOR_CONTACT: "poor contact with a tag",
    NO_TAG: "no tag",
    TAG_ERROR: "a tag's error",
    BAD_LENGTH: "bad length",
    BAD_COMMAND: "bad command",
}
WITH_TAGS = (COMPLETE, OUT_OF_TIME, MORE, BUFFER_FULL)

REPLY_MIN_BYTES = 6
COMMAND_MIN_BYTES = 5
COMMAND_MAX_BYTES = 10
EPC_MAX_BYTES = 62
_Q = 4
_SESSION_0 = 0
_TARGET_A = 0
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Tag(msgspec.Struct, frozen=True):
    """A tag that was heard; `rssi` 0 where the reader tells none."""

    epc: bytes
    rssi: int = 0


class Command(msgspec.Struct, frozen=True):
    """What a host asks. `port` 0: the reader's only antenna."""

    address: int
    port: int = 0
    scan_ms: int = 0


class Reply(msgspec.Struct, frozen=True):
    """One frame of a reader's answer."""

    address: int
    code: int
    status: int
    data: bytes = b""


class Heard(msgspec.Struct, frozen=True):
    """All that stands in what was received. `is_whole`: every byte of it belongs to a sound frame."""

    replies: tuple[Reply, ...]
    is_whole: bool


def crc(data: bytes) -> bytes:
    """CRC-16/MCRF4XX, low byte first. A frame that ends in its own crc has the crc 0."""
    value = binascii.crc_hqx(data.translate(_REVERSED), 0xFFFF)
    return value.to_bytes(2).translate(_REVERSED)


def encode_inventory(address: int, port: int = 0, scan_ms: int = 0) -> bytes:
    """One inventory, at one port of a reader that has them (from 1)."""
    at_port = [_Q, _SESSION_0, _TARGET_A, 0x7F + port, scan_ms // 100] if port else []
    return _sealed(bytes([address, INVENTORY, *at_port]))


def encode_reply(reply: Reply) -> bytes:
    return _sealed(bytes([reply.address, reply.code, reply.status]) + reply.data)


def encode_tags(tags: Sequence[Tag], port: int = 0) -> bytes:
    """The data of an inventory's reply."""
    if port:
        listed = b"".join(bytes([len(t.epc)]) + t.epc + bytes([t.rssi]) for t in tags)
        return bytes([1 << (port - 1), len(tags)]) + listed
    return bytes([len(tags)]) + b"".join(bytes([len(t.epc)]) + t.epc for t in tags)


def decode_tags(data: bytes, *, has_ports: bool) -> list[Tag]:
    """The tags of a sound reply. Raises WrongReply: a reader of the other sort sent it."""
    head = 2 if has_ports else 1
    if len(data) < head:
        raise WrongReply(f"no count of tags in {data.hex(' ')}")
    tags, at = [], head
    for _ in range(data[head - 1]):
        end = at + 1 + data[at] if at < len(data) else at
        if end == at or data[at] > EPC_MAX_BYTES or end + has_ports > len(data):
            raise WrongReply(f"{data[head - 1]} tags do not stand in {data.hex(' ')}")
        tags.append(Tag(data[at + 1 : end], data[end] if has_ports else 0))
        at = end + has_ports
    if at != len(data):
        raise WrongReply(f"{len(data) - at} bytes after the last tag: {data.hex(' ')}")
    return tags


def decode(received: bytes) -> Heard:
    """The sound replies to inventories in what was received, past whatever is none. Never raises."""
    replies, used, is_whole = [], 0, True
    for start, end in _sound(received, REPLY_MIN_BYTES):
        replies.append(_reply(received[start:end]))
        is_whole = is_whole and start == used
        used = end
    return Heard(tuple(replies), is_whole and used == len(received))


def has_ended(received: bytes) -> bool:
    """Whether an inventory's last frame stands at the very end of what was received."""
    for length in range(REPLY_MIN_BYTES - 1, min(len(received), 256)):
        start = len(received) - 1 - length
        if received[start] == length and received[start + 3] != MORE and _is_sound(received, start):
            return True
    return False


def split_commands(received: bytes) -> tuple[list[Command], int]:
    """A reader's view: the inventories in what came, and the bytes that are done with."""
    commands, used = [], 0
    for start, end in _sound(received, COMMAND_MIN_BYTES):
        is_at_port = end - start == COMMAND_MAX_BYTES
        at_port = (received[start + 6] - 0x7F, received[start + 7] * 100) if is_at_port else (0, 0)
        commands.append(Command(received[start + 1], *at_port))
        used = end
    return commands, max(used, len(received) - COMMAND_MAX_BYTES)


def _reply(frame: bytes) -> Reply:
    return Reply(frame[1], frame[2], frame[3], frame[4:-2])


def _sound(received: bytes, shortest: int) -> Iterator[tuple[int, int]]:
    """Start and end of each sound frame; bytes that begin none are passed over."""
    mirrored = received.translate(_REVERSED)  # once, not a frame: noise may hold thousands of beginnings
    start = received.find(INVENTORY, 2) - 2
    while start >= 0:
        end = start + 1 + received[start]
        is_whole = shortest <= end - start and end <= len(received) and received[start + 1] <= ADDRESS_MAX
        is_sound = is_whole and not binascii.crc_hqx(mirrored[start:end], 0xFFFF)
        if is_sound:
            yield start, end
        start = received.find(INVENTORY, (end if is_sound else start + 1) + 2) - 2


def _is_sound(received: bytes, start: int) -> bool:
    """Whether an inventory's frame, as long as its first byte says, stands here whole."""
    frame = received[start : start + 1 + received[start]]
    is_inventory = received[start + 2] == INVENTORY and received[start + 1] <= ADDRESS_MAX
    return is_inventory and not binascii.crc_hqx(frame.translate(_REVERSED), 0xFFFF)


def _sealed(content: bytes) -> bytes:
    frame = bytes([len(content) + 2]) + content
    return frame + crc(frame)
