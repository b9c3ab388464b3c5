"""What those who watch a camera are given: the newest picture, or that there is none."""

import asyncio

import msgspec

from contract.pictures import NoPicture, PictureHeader


class Frame(msgspec.Struct, frozen=True):
    """One JPEG and what stands before it on the wire."""

    header: PictureHeader
    jpeg: bytes


class Mailbox:
    """Holds the newest thing only: who reads slowly misses pictures and delays nobody."""

    def __init__(self) -> None:
        self._newest: Frame | NoPicture | None = None
        self._arrived = asyncio.Event()

    def put(self, newest: Frame | NoPicture) -> None:
        self._newest = newest
        self._arrived.set()

    async def take(self) -> Frame | NoPicture:
        """Waits for the next thing. Cancelling loses nothing."""
        await self._arrived.wait()
        self._arrived.clear()
        assert self._newest is not None
        return self._newest
