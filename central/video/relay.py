"""The relay: one pull a camera however many watch, begun when a door opens, before anybody asks."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import aiohttp

from central.settings import StationSettings
from central.video.pictures import Mailbox
from central.video.pull import Pull, Source
from contract.certificates import media_name
from contract.pictures import NoPicture

PREFETCHED_MAX = 8
"""Pulls that nobody watches yet; a county whose doors all open at once fetches no more ahead."""


class Relay:
    """`tokens`: what each station's media server asks for, by the station's id. `tls` is asked anew for
    each connection; None: plain, without keys.
    """

    def __init__(
        self,
        stations: Sequence[StationSettings],
        tokens: Mapping[str, str],
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._tls = tls
        self._pulls: dict[str, Pull] = {}
        self._begun: asyncio.Queue[tuple[str, Pull]] = asyncio.Queue()
        self._sources = {
            room.id: _source(station, room.camera, tokens.get(station.id))
            for station in stations
            for room in station.rooms
            if room.camera is not None
        }

    def has_camera(self, room: str) -> bool:
        return room in self._sources

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
        source = self._sources.get(room)
        if source is None:
            return None
        if room not in self._pulls:
            self._pulls[room] = Pull(source, self._tls)
            self._begun.put_nowait((room, self._pulls[room]))
        return self._pulls[room]


def _source(station: StationSettings, camera: str, token: str | None) -> Source | None:
    """None where the centre's settings have not both address and token."""
    if station.media_url is None or token is None:
        return None
    return Source(f"{station.media_url}/live/{camera}", token, media_name(station.edge))
