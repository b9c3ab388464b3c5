"""Work that goes on until Ctrl-C, SIGTERM or its time is over, and is then put down in order."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any


async def until_stopped(work: Coroutine[Any, Any, None], for_s: float | None = None) -> None:
    """Run `work`. Whatever it raises but for being stopped is raised here."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    if for_s is not None:
        loop.call_later(for_s, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
