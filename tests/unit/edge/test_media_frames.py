"""What a viewer is given: the newest frame."""

import asyncio

import pytest

from contract.pictures import NoPicture, PictureHeader
from edge.recorder.frames import Frame, Mailbox


async def test_slow_reader_gets_the_newest_only():
    mailbox = Mailbox()
    for seq in (1, 2, 3):
        mailbox.put(Frame(PictureHeader(seq, 0, 0), b""))
    taken = await mailbox.take()
    assert isinstance(taken, Frame)
    assert taken.header.seq == 3
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mailbox.take(), 0.01)


async def test_waiting_that_was_cancelled_loses_nothing():
    mailbox = Mailbox()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mailbox.take(), 0.01)
    mailbox.put(NoPicture("camera.lost", 5))
    assert await mailbox.take() == NoPicture("camera.lost", 5)
