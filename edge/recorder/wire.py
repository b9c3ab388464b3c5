"""What a camera's process and the supervisor say over their socket pair: a length, then one message.

Up: Arrived (I live, pictures come), Seen, Shown, Ended. Down: Watch.
"""

import struct

import msgspec

LENGTH = struct.Struct(">I")
MESSAGE_MAX_BYTES = 8 * 1024 * 1024


class _Message(msgspec.Struct, frozen=True, tag=True):
    pass


class Arrived(_Message, frozen=True):
    """Packets came since the last one of these. `is_decodable`: the newest key frame gave a picture."""

    is_decodable: bool


class Seen(_Message, frozen=True):
    """Health, about once a second. `verdict` is None while the pictures do not agree yet.

    `reference`: how the camera looks when all is well, said once when learnt; opaque to the supervisor,
    who gives it to the camera's next process. Without that, covering and rebooting a camera would teach
    us the cover.
    """

    verdict: str | None
    reference: bytes | None = None


class Shown(_Message, frozen=True):
    """One picture for those who watch. `camera_ms`: the camera's clock; `at_ms`: ours at arrival."""

    camera_ms: int
    at_ms: int
    jpeg: bytes


class Ended(_Message, frozen=True):
    """The process's last word: the code of the error that ended it."""

    code: str
    detail: str


class Watch(_Message, frozen=True):
    """Whether anybody looks: only then is every picture decoded."""

    is_on: bool


Up = Arrived | Seen | Shown | Ended

_encoder = msgspec.msgpack.Encoder()
_up = msgspec.msgpack.Decoder(Up)
_down = msgspec.msgpack.Decoder(Watch)


def encode(message: Up | Watch) -> bytes:
    """A message with its length before it."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def decode_up(body: bytes) -> Up:
    """A message of a camera's process, without its length."""
    message: Up = _up.decode(body)
    return message


def decode_down(body: bytes) -> Watch:
    """A message of the supervisor, without its length."""
    return _down.decode(body)
