"""An event loop whose clock jumps to the next timer as soon as nothing else is to be done.

What is played on it takes the times it should, to the microsecond and on any machine, and costs none of
them. Nothing real may be waited for on it: no socket, no thread.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Raises RuntimeError where everybody waits and no timer is left: that would be for ever."""

    def __init__(self) -> None:
        self._now = 1_000.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float | None) -> None:
        if seconds is None:
            raise RuntimeError("everybody waits, and no timer will wake anybody: a wait without an end")
        self._now += seconds


class _Skipping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0:
            self._loop.skip(timeout)
        return ready


def in_virtual_time(play: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The coroutine function as one that plays it to its end on a loop of its own."""

    @functools.wraps(play)
    def run(*arguments: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(play(*arguments))

    return run
