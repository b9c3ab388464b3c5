"""What a station's media server sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.video.errors import BadPicture
from central.video.pictures import Header, Mailbox, NoPicture, read_no_picture, read_picture
from edge.media import encode_frame
from edge.recorder.frames import Frame


def test_frame_of_the_edge_is_read_and_kept_as_it_came():
    raw = encode_frame(Frame(seq=7, camera_ms=11, at_ms=13, jpeg=b"\xff\xd8..."))
    picture = read_picture(raw)
    assert picture.header == Header(7, 11, 13)
    assert picture.message == raw


def test_absence_of_a_picture_is_read():
    text = '{"type":"no_picture","code":"camera.lost","since_ms":5}'
    assert read_no_picture(text) == NoPicture("camera.lost", 5)


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(raw: bytes):
    with pytest.raises(BadPicture):
        read_picture(raw)


@pytest.mark.parametrize("raw", [b"\0\0\xff\xff{}", b'\0\0\0\x0a{"seq":"1"}', b"\0\0\0\x02\xff\xff"])
def test_broken_headers_are_refused(raw: bytes):
    with pytest.raises(BadPicture):
        read_picture(raw)


@pytest.mark.parametrize("text", ["", "[]", '{"type":"other"}', "[" * 100_000])
def test_other_texts_are_refused(text: str):
    with pytest.raises(BadPicture):
        read_no_picture(text)


async def test_viewer_is_given_the_newest_only():
    mailbox = Mailbox()
    mailbox.put(NoPicture("a", 1))
    mailbox.put(NoPicture("b", 2))
    assert await mailbox.take() == NoPicture("b", 2)
