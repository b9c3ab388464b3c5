"""The relay: one pull a camera however many watch, begun when a door opens, before anybody asks."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import aiohttp

from central.settings import StationSettings
from central.video.pictures import Mailbox
from central.video.pull import Pull
from contract.pictures import NoPicture

PREFETCHED_MAX = 8
"""Pulls that nobody watches yet; a county whose doors all open at once fetches no more ahead."""


class Relay:
    """`token`: what the stations' media servers ask for; None where the centre has no [media]."""

    def __init__(self, stations: Sequence[StationSettings], token: str | None) -> None:
        self._token = token
        self._pulls: dict[str, Pull] = {}
        self._begun: asyncio.Queue[tuple[str, Pull]] = asyncio.Queue()
        self._urls = {
            room.id: f"{station.media_url}/live/{room.camera}" if station.media_url else None
            for station in stations
            for room in station.rooms
            if room.camera is not None
        }

    def has_camera(self, room: str) -> bool:
        return room in self._urls

    def prefetch(self, room: str) -> None:
        """A door there has opened: have its picture ready. Does nothing where there is no camera."""
        if room in self._pulls:
            self._pulls[room].want()
        elif sum(not pull.is_watched for pull in self._pulls.values()) < PREFETCHED_MAX:
            self._pull(room)

    @contextmanager
    def watch(self, room: str) -> Iterator[Mailbox]:
        """Pictures of a room that has a camera, while the block runs."""
        pull = self._pull(room)
        if pull is None:
            mailbox = Mailbox()
            mailbox.put(NoPicture("video.not_configured", time.time_ns() // 1_000_000))
            yield mailbox
            return
        with pull.watched() as mailbox:
            yield mailbox

    async def run(self) -> None:
        """Does the pulling; until cancelled."""
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
            while True:
                room, pull = await self._begun.get()
                tasks.create_task(self._run(room, pull, http), name=f"pull-{room}")

    async def _run(self, room: str, pull: Pull, http: aiohttp.ClientSession) -> None:
        await pull.run(http)
        del self._pulls[room]

    def _pull(self, room: str) -> Pull | None:
        url = self._urls.get(room)
        if url is None or self._token is None:
            return None
        if room not in self._pulls:
            self._pulls[room] = Pull(url, self._token)
            self._begun.put_nowait((room, self._pulls[room]))
        return self._pulls[room]
