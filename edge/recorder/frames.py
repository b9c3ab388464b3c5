"""What those who watch a camera are given: the newest picture, or that there is none."""

import asyncio

import msgspec


class Frame(msgspec.Struct, frozen=True):
    """One JPEG. `seq` counts up; `camera_ms`: capture by the camera's clock; `at_ms`: arrival by ours."""

    seq: int
    camera_ms: int
    at_ms: int
    jpeg: bytes


class NoPicture(msgspec.Struct, frozen=True, tag_field="type", tag="no_picture"):
    """There is nothing to see, why, and since when (our wall clock)."""

    code: str
    since_ms: int


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
