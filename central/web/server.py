"""The aiohttp application: endpoints, sockets and pages behind the middleware; and the port it serves."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from central.accounts.gate import Gate
from central.web.access import ACCESS
from central.web.endpoints import Endpoint, add_endpoints
from central.web.front_door import FrontDoor
from central.web.middleware import GATE, add_headers, admit, answer_problems
from central.web.openapi import Socket
from central.web.pages import add_pages
from central.web.tls import Listening

BODY_MAX_BYTES = 64 * 1024
GRACE_S = 3.0
"""Requests under way at the stop have so long to end."""


def application(gate: Gate, endpoints: Sequence[Endpoint], sockets: Sequence[Socket]) -> web.Application:
    """Everything that is served. What is not entered in the table of access answers nobody."""
    app = web.Application(middlewares=[answer_problems, admit], client_max_size=BODY_MAX_BYTES)
    app[ACCESS] = {}
    app[GATE] = gate
    app.on_response_prepare.append(add_headers)
    add_endpoints(app, endpoints)
    for one in sockets:
        app.router.add_get(one.path, one.handler, allow_head=False)
        app[ACCESS]["GET", one.path] = one.access
    add_pages(app)
    return app


class Server:
    """An application on a port. `closing`: closes the sockets that are open at the stop."""

    def __init__(self, app: web.Application, closing: Sequence[Callable[[], Awaitable[None]]]) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_S)
        self._closing = closing
        self._listeners: list[asyncio.Server] = []

    async def start(self, listening: Listening) -> None:
        await self._runner.setup()
        await self._open(listening.place, listening.tls.context if listening.tls else None)
        if listening.plain is not None:
            await self._open(listening.plain, None)

    async def _open(self, place: socket.socket, tls: ssl.SSLContext | None) -> None:
        assert self._runner.server is not None
        door = FrontDoor(self._runner.server, tls)
        self._listeners.append(await asyncio.get_running_loop().create_server(door, sock=place))

    async def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        for close in self._closing:
            await close()
        await self._runner.cleanup()
