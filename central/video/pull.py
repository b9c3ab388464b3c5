"""One camera's pictures, from its station, for everybody who watches it here."""

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import structlog
from msgspec import Struct

from central.video.pictures import Mailbox, Picture
from contract import limits
from contract.errors import ContractError
from contract.pictures import PICTURE_MAX_BYTES, NoPicture, decode_header, decode_no_picture

LINGER_S = 30.0
"""A pull outlives its last viewer, or its prefetch, by so much."""
STALLED_S = 2.0
"""So long without a picture, the last one is no longer shown as live."""
CONNECT_WITHIN_S = 3.0
PING_EVERY_S = 5.0

_REFUSALS = {401: "video.not_authorised", 404: "video.unknown_camera"}

log = structlog.get_logger()


class Source(Struct, frozen=True):
    """A camera at its station's media server, and the name that the server's certificate must have: the
    edge's own, whatever the address.
    """

    url: str
    token: str
    server_name: str


class Pull:
    """`is_over` once nobody has wanted it for LINGER_S."""

    def __init__(self, source: Source, tls: Callable[[], ssl.SSLContext] | None) -> None:
        self._url = source.url if tls else source.url.replace("wss:", "ws:", 1)
        self._headers = {"Authorization": f"Bearer {source.token}"}
        self._server_name = source.server_name
        self._tls = tls
        self._watching: set[Mailbox] = set()
        self._wanted_until_mono = time.monotonic() + LINGER_S
        self._newest: Picture | NoPicture | None = None

    @property
    def is_watched(self) -> bool:
        return bool(self._watching)

    @property
    def is_over(self) -> bool:
        return not self._watching and time.monotonic() > self._wanted_until_mono

    def want(self) -> None:
        """Somebody is likely to watch soon."""
        self._wanted_until_mono = time.monotonic() + LINGER_S

    @contextmanager
    def watched(self) -> Iterator[Mailbox]:
        """A mailbox that gets every picture while the block runs, the newest at once."""
        mailbox = Mailbox()
        self._watching.add(mailbox)
        if self._newest is not None:
            mailbox.put(self._newest)
        try:
            yield mailbox
        finally:
            self._watching.discard(mailbox)
            self.want()

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Pull until it is over, through every failure of the station."""
        while not self.is_over:
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    edge = await http.ws_connect(
                        self._url,
                        headers=self._headers,
                        heartbeat=PING_EVERY_S,
                        max_msg_size=PICTURE_MAX_BYTES,
                        **self._security(),
                    )
                async with edge:
                    await self._follow(edge)
            except aiohttp.WSServerHandshakeError as refusal:
                self._fail(_REFUSALS.get(refusal.status, "video.edge_refused"))
            except ContractError:
                self._fail("video.bad_picture")
            except (aiohttp.ClientError, OSError, TimeoutError):
                self._fail("video.edge_unreachable")
            await asyncio.sleep(random.random() * limits.RECONNECT_CAP_S)  # noqa: S311 (jitter)

    def _security(self) -> dict[str, Any]:
        """With keys nothing is asked for in the clear: a ws:// in the stations' file is no way round it."""
        if self._tls is None:
            return {}
        if not self._url.startswith("wss:"):
            raise aiohttp.InvalidURL(self._url, "with keys a media_url begins with wss://")
        return {"ssl": self._tls(), "server_hostname": self._server_name}

    async def _follow(self, edge: aiohttp.ClientWebSocketResponse) -> None:
        while not self.is_over:
            try:
                message = await edge.receive(timeout=STALLED_S)
            except TimeoutError:
                self._fail("video.stalled")
                continue
            match message.type:
                case aiohttp.WSMsgType.BINARY:
                    self._show(Picture(decode_header(message.data), message.data))
                case aiohttp.WSMsgType.TEXT:
                    self._show(decode_no_picture(message.data))
                case _:
                    self._fail("video.edge_unreachable")
                    return

    def _fail(self, code: str) -> None:
        """There is no picture; said and logged once, whatever follows before the next one."""
        if not isinstance(self._newest, NoPicture):
            log.warning("picture_missed", url=self._url, code=code)
            self._show(NoPicture(code, time.time_ns() // 1_000_000))

    def _show(self, newest: Picture | NoPicture) -> None:
        if isinstance(self._newest, NoPicture) and isinstance(newest, Picture):
            log.info("picture_shown_again", url=self._url)
        self._newest = newest
        for mailbox in self._watching:
            mailbox.put(newest)
