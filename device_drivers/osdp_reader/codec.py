"""The envelope of OSDP's frames, pure: who says what to whom, not what is inside. libosdp speaks the rest.

    [FF] 53 addr lenL lenH ctrl [security block] code data crcL crcH

addr: the reader's, with bit 7 set in a reply. Length: from 53 to the end. ctrl: bits 0-1 sequence (0 only
after a reset), bit 2 CRC (else one byte of sum), bit 3 a security block, whose first byte is its length.
CRC-16, polynomial 1021, initial value 1D0F, over all before it. Frames of the form were recorded between two
libosdp peers; the standard is SIA OSDP 2.1.7 and 2.2.
"""

import binascii

import msgspec

MARK = 0xFF
START = 0x53
ADDRESS_MAX = 0x7E
BROADCAST = 0x7F
FRAME_MAX_BYTES = 1440
"""The longest frame the standard allows."""

POLL = 0x60
ID = 0x61
ACK = 0x40
NAK = 0x41
BUSY = 0x79

_REPLY = 0x80
_CRC = 0x04
_SECURE = 0x08
_CONTROL_MAX = 0x0F
_SMALLEST = 7
_WORDS = {
    False: {
        POLL: "poll",
        ID: "who are you",
        0x62: "capabilities?",
        0x64: "local status?",
        0x65: "inputs?",
        0x6E: "set communication",
        0x69: "light",
        0x6A: "buzzer",
        0x75: "set key",
        0x76: "challenge",
        0x77: "server cryptogram",
    },
    True: {
        ACK: "ack",
        NAK: "nak",
        0x45: "identification",
        0x46: "capabilities",
        0x48: "local status",
        0x49: "inputs",
        0x50: "card",
        0x53: "keys pressed",
        0x76: "client cryptogram",
        0x78: "initial MAC",
        BUSY: "busy",
    },
}


class Frame(msgspec.Struct, frozen=True):
    """One sound frame. `security`: the security block without its length byte, empty where there is none.

    `data` of a frame in a secure channel is ciphertext and a MAC.
    """

    address: int
    is_reply: bool
    sequence: int
    code: int
    data: bytes = b""
    security: bytes = b""


def encode(frame: Frame) -> bytes:
    """A frame with a CRC and without the mark before it."""
    control = frame.sequence | _CRC
    block = b""
    if frame.security:
        control |= _SECURE
        block = bytes([len(frame.security) + 1]) + frame.security
    body = bytes([control]) + block + bytes([frame.code]) + frame.data
    length = 4 + len(body) + 2
    address = frame.address | (_REPLY if frame.is_reply else 0)
    head = bytes([START, address]) + length.to_bytes(2, "little")
    return head + body + crc16(head + body).to_bytes(2, "little")


def split(received: bytes) -> tuple[list[Frame], bytes]:
    """Every sound frame in what was received, and the beginning of one that is not whole yet."""
    frames: list[Frame] = []
    begun = b""
    at = 0
    while (start := received.find(START, at)) >= 0:
        head = received[start : start + 5]
        length = int.from_bytes(head[2:4], "little")
        is_head = len(head) == 5 and _SMALLEST <= length <= FRAME_MAX_BYTES and head[4] <= _CONTROL_MAX
        if len(head) < 5 or (is_head and start + length > len(received)):
            begun = begun or received[start:]
        elif is_head and (frame := _frame(received[start : start + length])) is not None:
            frames.append(frame)
            begun = b""
            at = start + length
            continue
        at = start + 1
    return frames, begun


def describe(received: bytes) -> str:
    """A frame of either side in a technician's words, one line."""
    frames, _ = split(received)
    if not frames:
        return f"no whole frame: {received[:16].hex(' ')}"
    frame = frames[0]
    word = _WORDS[frame.is_reply].get(frame.code, f"{frame.code:02x}")
    if frame.code == NAK and frame.is_reply and frame.data and not frame.security:
        word = f"nak {frame.data[0]}"
    arrow = "from" if frame.is_reply else "to"
    secure = ", in secure channel" if frame.security and frame.security[0] >= 0x15 else ""
    return f"{word} {arrow} reader {frame.address}, sequence {frame.sequence}{secure}"


def crc16(data: bytes) -> int:
    return binascii.crc_hqx(data, 0x1D0F)


def _frame(whole: bytes) -> Frame | None:
    """The frame, or None where its check or its shape is wrong."""
    control = whole[4]
    check_bytes = 2 if control & _CRC else 1
    body = whole[:-check_bytes]
    if check_bytes == 2:
        is_sound = crc16(body) == int.from_bytes(whole[-2:], "little")
    else:
        is_sound = -sum(body) & 0xFF == whole[-1]
    at = 5
    security = b""
    if control & _SECURE and len(body) > at:
        security = body[at + 1 : at + body[at]]
        at += max(body[at], 1)
    if not is_sound or at >= len(body):
        return None
    return Frame(
        address=whole[1] & ~_REPLY,
        is_reply=bool(whole[1] & _REPLY),
        sequence=control & 0x03,
        code=body[at],
        data=body[at + 1 :],
        security=security,
    )
