"""Where a viewer finds the newest picture."""

from central.video.pictures import Mailbox
from contract.pictures import NoPicture


async def test_viewer_is_given_the_newest_only():
    mailbox = Mailbox()
    mailbox.put(NoPicture("a", 1))
    mailbox.put(NoPicture("b", 2))
    assert await mailbox.take() == NoPicture("b", 2)
