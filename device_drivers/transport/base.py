"""What a bus asks of whatever carries its bytes."""

from collections.abc import Callable
from typing import Protocol

ReplyLength = Callable[[bytes], int | None]
"""Told all that has come since the request: how long the awaited input is, None while that is open.
Never raises; may be called from the transport's own thread."""

INPUT_LIMIT_BYTES = 32_768
"""More than this without a reply in it is babble. A modem's full store of delivery reports is 23 kB, 200 tags
are 5 kB; no other frame of ours is a hundredth as long."""

DRAIN_LIMIT = 5
"""A line that is not quiet after so many quiet times is stuck."""


class Transport(Protocol):
    """One line to one or many devices. After LinkDown it may be opened again; errors leave out its name."""

    @property
    def name(self) -> str:
        """For messages: `tcp 10.0.0.7:502`, `serial /dev/serial/by-id/…`."""

    async def open(self) -> None:
        """Raises LinkDown."""

    async def close(self) -> None:
        """Never fails; harmless on a closed transport."""

    async def exchange(self, frame: bytes, reply_length: ReplyLength, timeout_s: float) -> bytes:
        """Throw away what lies in the input, send `frame`, give back as much as `reply_length` asks for.

        Raises NoReply with what came until then in its text, BadFrame for babble, LinkDown.
        """

    async def drain(self, quiet_s: float) -> int:
        """Throw away input until none has come for `quiet_s`; gives the number of bytes thrown away.

        Raises BadFrame when the line does not fall silent within DRAIN_LIMIT times that, LinkDown.
        """


def no_reply_text(received: bytes, timeout_s: float) -> str:
    """One wording for NoReply on every transport."""
    came = f"only {received[:32].hex(' ')} ({len(received)} bytes)" if received else "nothing"
    return f"{came} came within {timeout_s * 1000:.0f} ms"
