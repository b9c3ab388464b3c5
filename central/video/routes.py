"""`WS /api/v1/rooms/{room}/live?alert=`: the picture of a room, and the account of who saw how much of it."""

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from msgspec import Struct

from central.accounts.roles import Right
from central.errors import StoreUnavailable
from central.patrol.desk import Desk
from central.store.database import Store
from central.video.pictures import Mailbox
from central.video.presented import PresentedTime
from central.video.relay import Relay
from central.video.viewings import Viewing
from central.web.access import USER
from central.web.conversation import converse
from central.web.errors import NotFound, Problem
from central.web.openapi import Socket
from contract.pictures import NoPicture, encode_no_picture

VIEWERS_MAX = 64
NOTE_EVERY_S = 1.0
PING_EVERY_S = 5.0
MESSAGE_MAX_BYTES = 256


class Presented(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="presented"):
    """Picture `seq` is on the viewer's screen."""

    seq: int


_presented = msgspec.json.Decoder(Presented)


class VideoRoutes:
    """`clock` gives wall time in ms."""

    def __init__(self, store: Store, relay: Relay, desk: Desk, clock: Callable[[], int]) -> None:
        self._store = store
        self._relay = relay
        self._desk = desk
        self._clock = clock
        self._open: dict[web.WebSocketResponse, Viewing] = {}

    def socket(self) -> Socket:
        return Socket(
            path="/api/v1/rooms/{room}/live",
            access=Right.VIEW_PICTURE,
            handler=self.handle,
            summary="the picture of a room, for the alert of `?alert=`; every viewing is written down",
        )

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Until either side closes, or the session has ended."""
        room = request.match_info["room"]
        if not self._relay.has_camera(room):
            raise NotFound
        if len(self._open) >= VIEWERS_MAX:
            raise Problem(503, "video.too_many", "too many people watch at this moment")
        socket = web.WebSocketResponse(heartbeat=PING_EVERY_S, max_msg_size=MESSAGE_MAX_BYTES, compress=False)
        if not socket.can_prepare(request):
            raise Problem(400, "video.socket_needed", "a picture is shown over a WebSocket only")
        alert_id = request.query.get("alert")
        if not alert_id:
            raise Problem(422, "video.reason_needed", "nobody looks into a room but for an alert: ?alert=")
        viewing = Viewing(self._store, self._desk, request[USER].person, room, alert_id)
        if not await viewing.begin(self._clock()):
            raise NotFound
        await socket.prepare(request)
        self._open[socket] = viewing
        viewing.counts = self._is_first(viewing)
        try:
            await self._show(request, socket, room, viewing)
        except StoreUnavailable:  # what cannot be written down is not shown
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=StoreUnavailable.code.encode())
        finally:
            del self._open[socket]
        return socket

    async def close(self) -> None:
        """Tell every viewer that the centre goes."""
        for socket in list(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _show(
        self, request: web.Request, socket: web.WebSocketResponse, room: str, viewing: Viewing
    ) -> None:
        with self._relay.watch(room) as mailbox:
            parts = {
                "down": _send(mailbox, socket, viewing.presented),
                "up": _listen(socket, viewing.presented),
                "note": self._keep_noting(viewing),
            }
            try:
                await converse(f"view[{room}]", request, socket, parts)
            finally:
                await viewing.note(self._clock())

    async def _keep_noting(self, viewing: Viewing) -> None:
        while True:
            await asyncio.sleep(NOTE_EVERY_S)
            await viewing.note(self._clock())
            viewing.counts = self._is_first(viewing)  # from here on: what both showed counts once

    def _is_first(self, viewing: Viewing) -> bool:
        """Of this person's open viewings for this alert it is the oldest."""
        return next(one for one in self._open.values() if one.purpose == viewing.purpose) is viewing


async def _send(mailbox: Mailbox, socket: web.WebSocketResponse, presented: PresentedTime) -> None:
    while True:
        newest = await mailbox.take()
        if isinstance(newest, NoPicture):
            await socket.send_str(encode_no_picture(newest))
        else:
            presented.sent(newest.header.seq, newest.header.camera_ms)
            await socket.send_bytes(newest.message)


async def _listen(socket: web.WebSocketResponse, presented: PresentedTime) -> None:
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            return
        try:
            presented.presented(_presented.decode(message.data).seq)
        except (msgspec.DecodeError, RecursionError):
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"presented expected")
            return
