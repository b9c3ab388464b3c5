"""One client's WebSocket as a set of parts that work side by side and end together."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from central.web.access import COOKIE
from central.web.middleware import GATE

SESSION_CHECK_S = 15.0
SESSION_ENDED = 4401
"""Close code: sign in again."""


async def converse(
    name: str,
    request: web.Request,
    socket: web.WebSocketResponse,
    parts: dict[str, Coroutine[Any, Any, None]],
) -> None:
    """Until a part ends, the client is gone, or its session was ended. Raises what a part raised."""
    parts["session"] = _watch_session(request, socket)
    tasks = [asyncio.create_task(part, name=f"{name}.{word}") for word, part in parts.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except ConnectionError:
        pass  # the client is gone; that is how most of them leave
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch_session(request: web.Request, socket: web.WebSocketResponse) -> None:
    """A client in use keeps its session; a session ended elsewhere ends its clients."""
    gate, token = request.app[GATE], request.cookies[COOKIE]
    while await gate.user_of(token):  # noqa: ASYNC110 - other processes end sessions too
        await asyncio.sleep(SESSION_CHECK_S)
    await socket.close(code=SESSION_ENDED, message=b"session.required")
