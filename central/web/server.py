"""The aiohttp application: endpoints, sockets and pages behind the middleware; and the port it serves."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from central.accounts.gate import Gate
from central.web.access import ACCESS
from central.web.endpoints import Endpoint, add_endpoints
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

    async def start(self, listening: Listening) -> None:
        await self._runner.setup()
        tls = listening.tls.context if listening.tls else None
        await web.SockSite(self._runner, listening.place, ssl_context=tls).start()
        if listening.plain is not None:
            await web.SockSite(self._runner, listening.plain).start()

    async def stop(self) -> None:
        for close in self._closing:
            await close()
        await self._runner.cleanup()
