"""What a viewer is given: the newest frame, and its bytes on the wire."""

import asyncio
import json

import pytest

from edge.media import encode_frame
from edge.recorder.frames import Frame, Mailbox, NoPicture


def test_frame_on_the_wire_is_length_header_jpeg():
    raw = encode_frame(Frame(seq=7, camera_ms=11, at_ms=13, jpeg=b"\xff\xd8..."))
    length = int.from_bytes(raw[:4], "big")
    assert json.loads(raw[4 : 4 + length]) == {"seq": 7, "camera_ms": 11, "at_ms": 13}
    assert raw[4 + length :] == b"\xff\xd8..."


async def test_slow_reader_gets_the_newest_only():
    mailbox = Mailbox()
    for seq in (1, 2, 3):
        mailbox.put(Frame(seq, 0, 0, b""))
    taken = await mailbox.take()
    assert isinstance(taken, Frame)
    assert taken.seq == 3
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mailbox.take(), 0.01)


async def test_waiting_that_was_cancelled_loses_nothing():
    mailbox = Mailbox()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mailbox.take(), 0.01)
    mailbox.put(NoPicture("camera.lost", 5))
    assert await mailbox.take() == NoPicture("camera.lost", 5)
