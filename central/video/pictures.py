"""A picture at the centre, and the place where a viewer finds the newest one."""

import asyncio

import msgspec

from contract.pictures import NoPicture, PictureHeader


class Picture(msgspec.Struct, frozen=True):
    """One picture; `message` is header and JPEG as they came and go to the browser."""

    header: PictureHeader
    message: bytes


class Mailbox:
    """Holds the newest thing only: who reads slowly misses pictures and delays nobody."""

    def __init__(self) -> None:
        self._newest: Picture | NoPicture | None = None
        self._arrived = asyncio.Event()

    def put(self, newest: Picture | NoPicture) -> None:
        self._newest = newest
        self._arrived.set()

    async def take(self) -> Picture | NoPicture:
        """Waits for the next thing. Cancelling loses nothing."""
        await self._arrived.wait()
        self._arrived.clear()
        assert self._newest is not None
        return self._newest
