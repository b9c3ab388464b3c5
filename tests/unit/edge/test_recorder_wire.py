"""Messages between a camera's process and the supervisor."""

import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recorder import wire

MESSAGES = [
    wire.Arrived(is_decodable=True),
    wire.Seen("covered", None),
    wire.Seen(None, b"\x00\xff"),
    wire.Shown(1, 2, b"\xff\xd8jpeg"),
    wire.Ended("driver.link_down", "camera: refused"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_message_comes_back_as_it_went(message: wire.Up):
    raw = wire.encode(message)
    (length,) = wire.LENGTH.unpack_from(raw)
    assert length == len(raw) - wire.LENGTH.size
    assert wire.decode_up(raw[wire.LENGTH.size :]) == message


def test_watch_goes_down():
    assert wire.decode_down(wire.encode(wire.Watch(is_on=True))[wire.LENGTH.size :]) == wire.Watch(is_on=True)


@given(st.binary(max_size=64))
def test_bytes_of_no_message_are_refused(raw: bytes):
    with pytest.raises(msgspec.DecodeError):
        wire.decode_down(raw)


def test_supervisor_loads_neither_libav_nor_opencv():
    loaded = (
        "import sys, edge.media, edge.recorder.supervisor; print({'av', 'cv2', 'numpy'} & set(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=30
    )
    assert out.stdout.strip() == "set()"
