"""`WS /api/v1/live`: one board's socket, from its hello to its end."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from msgspec import Meta, Struct

from central.accounts.roles import Right, User
from central.errors import StoreUnavailable
from central.free_text import Text
from central.web.access import USER
from central.web.conversation import converse
from central.web.errors import Problem
from central.web.live import Hub
from central.web.openapi import Socket
from central.web.paint_receipts import PaintReceipt, PaintReceipts

BOARDS_MAX = 256
HELLO_WITHIN_S = 10.0
PING_EVERY_S = 20.0
MESSAGE_MAX_BYTES = 2_048

_Count = Annotated[int, Meta(ge=0, lt=2**53)]


class _Message(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class Hello(_Message, frozen=True, tag="hello"):
    """What the board knows (`epoch`, `last_seq`), and which board it is."""

    epoch: Annotated[Text, Meta(max_length=64)] | None
    last_seq: _Count
    view: Literal["wall", "desk"]
    console: Annotated[Text, Meta(min_length=1, max_length=64)]


class Painted(_Message, frozen=True, tag="painted"):
    """Change `seq` has been on the screen for two animation frames."""

    seq: _Count


_decoder: msgspec.json.Decoder[Hello | Painted] = msgspec.json.Decoder(Hello | Painted)


class LiveSocket:
    """Serves boards; `clock` gives wall time in ms."""

    def __init__(self, hub: Hub, receipts: PaintReceipts, clock: Callable[[], int]) -> None:
        self._hub = hub
        self._receipts = receipts
        self._clock = clock
        self._open: set[web.WebSocketResponse] = set()

    def socket(self) -> Socket:
        return Socket(
            path="/api/v1/live",
            access=Right.SEE_BOARD,
            handler=self.handle,
            summary="the board's changes as they happen",
        )

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Until either side closes, or the session has ended."""
        if len(self._open) >= BOARDS_MAX:
            raise Problem(503, "live.too_many", "too many boards are open at this moment")
        socket = web.WebSocketResponse(heartbeat=PING_EVERY_S, max_msg_size=MESSAGE_MAX_BYTES, compress=False)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            await self._converse(request, socket)
        finally:
            self._open.discard(socket)
        return socket

    async def close(self) -> None:
        """Tell every board that the centre goes."""
        for socket in list(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _converse(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        try:
            async with asyncio.timeout(HELLO_WITHIN_S):
                hello = _read(await socket.receive())
        except TimeoutError:
            hello = None
        if not isinstance(hello, Hello):
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"hello first")
            return
        parts = {
            "down": self._hub.serve(socket.send_str, hello.epoch, hello.last_seq),
            "up": self._listen(socket, hello, request[USER]),
        }
        try:
            await converse(f"live[{hello.console}]", request, socket, parts)
        except StoreUnavailable:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)

    async def _listen(self, socket: web.WebSocketResponse, hello: Hello, user: User) -> None:
        async for message in socket:
            painted = _read(message)
            if not isinstance(painted, Painted):
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"painted expected")
                return
            self._receipts.note(PaintReceipt(hello.console, user.id, painted.seq, self._clock()))


def _read(message: WSMessage) -> Hello | Painted | None:
    if message.type is not WSMsgType.TEXT:
        return None
    try:
        return _decoder.decode(message.data)
    except (msgspec.DecodeError, RecursionError):
        return None
