"""The edge's media server: `WS /live/{camera point}` for the centre, and nobody else: who comes must show the
centre's certificate, and the token of this station.

A viewer that reads slowly gets the newest picture when it reads again, and delays nobody.
"""

import asyncio
import contextlib
import hmac
import ssl
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, web
from cryptography import x509

from contract.certificates import CENTRAL_NAME, common_name
from contract.ids import PointId
from contract.pictures import NoPicture, encode_no_picture, encode_picture
from edge.recorder.frames import Mailbox
from edge.recorder.supervisor import Recorder
from edge.settings import MediaSettings

PING_INTERVAL_S = 5.0
VIEWERS_MAX = 64

_BEARER = "Bearer "


class MediaServer:
    """Serves a recorder's cameras. The settings file checked that the token file is there."""

    def __init__(self, settings: MediaSettings, recorder: Recorder, tls: ssl.SSLContext | None) -> None:
        """`tls` asks for a certificate of the county; None: plain, without keys."""
        self._settings = settings
        self._tls = tls
        self._recorder = recorder
        self._token = Path(settings.token_file).read_text().strip().encode()
        self._viewers: set[web.WebSocketResponse] = set()
        app = web.Application()
        app.router.add_get("/live/{point}", self._live)
        app.on_shutdown.append(self._send_away)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=2.0)

    @property
    def port(self) -> int:
        """The port that is really served, once started."""
        port: int = self._runner.addresses[0][1]
        return port

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        await self._runner.setup()
        where = self._settings
        await web.TCPSite(self._runner, where.listen, where.port, ssl_context=self._tls).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        if not self._is_the_centre(request) or not self._is_authorised(request):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        point = PointId(request.match_info["point"])
        if point not in self._recorder.points:
            raise web.HTTPNotFound
        if len(self._viewers) >= VIEWERS_MAX:
            raise web.HTTPServiceUnavailable
        viewer = web.WebSocketResponse(heartbeat=PING_INTERVAL_S, max_msg_size=1_024, compress=False)
        await viewer.prepare(request)
        self._viewers.add(viewer)
        try:
            await self._show(point, viewer)
        finally:
            self._viewers.discard(viewer)
        return viewer

    async def _show(self, point: PointId, viewer: web.WebSocketResponse) -> None:
        """Until the viewer goes: only reading notices that, so reading decides."""
        with self._recorder.watch(point) as mailbox:
            sending = asyncio.create_task(_send(mailbox, viewer), name=f"live-{point}")
            try:
                while (await viewer.receive()).type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    continue
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await sending

    def _is_the_centre(self, request: web.Request) -> bool:
        """Another edge's certificate is of this county too."""
        if self._tls is None:
            return True
        shown = request.get_extra_info("ssl_object")
        raw = shown.getpeercert(binary_form=True) if shown else None
        return raw is not None and common_name(x509.load_der_x509_certificate(raw)) == CENTRAL_NAME

    def _is_authorised(self, request: web.Request) -> bool:
        shown = request.headers.get("Authorization", "")
        return shown.startswith(_BEARER) and hmac.compare_digest(
            shown.removeprefix(_BEARER).encode(errors="surrogateescape"), self._token
        )

    async def _send_away(self, _: web.Application) -> None:
        for viewer in tuple(self._viewers):
            await viewer.close(code=WSCloseCode.GOING_AWAY)


async def _send(mailbox: Mailbox, viewer: web.WebSocketResponse) -> None:
    while True:
        newest = await mailbox.take()
        if isinstance(newest, NoPicture):
            await viewer.send_str(encode_no_picture(newest))
        else:
            await viewer.send_bytes(encode_picture(newest.header, newest.jpeg))
