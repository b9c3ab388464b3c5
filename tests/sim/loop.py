"""Virtual time for several processes in one thread: one heap of handles, a loop a process.

Each process of the world (an edge, the centre) runs on a `ProcessLoop` of its own, so that killing one is
simple and honest: no handle of it ever runs again, wherever its tasks were waiting, and nothing of it is
told that it ended. Executors run their work in the same thread, when the disk says so.
"""

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

HANDLES_MAX = 2_000_000
"""A world that needs more is going in circles."""
STEP_S = 1e-6
"""What a step of a process takes: a clock that stood still would let a wait of nothing wait for ever."""


class Scheduler:
    """The heap. `now` is virtual seconds; handles of one instant run in the order they were made."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.ran = 0
        self._heap: list[tuple[float, int, asyncio.Handle]] = []
        self._made = 0

    def push(self, when: float, handle: asyncio.Handle) -> None:
        self._made += 1
        heapq.heappush(self._heap, (max(when, self.now), self._made, handle))

    def run_until(self, end: float) -> None:
        """Everything due before `end`."""
        while self._heap and self._heap[0][0] <= end:
            when, _, handle = heapq.heappop(self._heap)
            self.now = max(self.now, when) + STEP_S
            if handle._cancelled:
                continue
            loop = handle._loop
            if loop.is_dead:
                continue
            self.ran += 1
            if self.ran > HANDLES_MAX:
                raise AssertionError(f"{HANDLES_MAX} handles: a circle")
            loop.run_handle(handle)
        self.now = max(self.now, end)

    def forget(self, loop: "ProcessLoop") -> None:
        """What a dead process was to do, and every file that this holds open."""
        self._heap = [entry for entry in self._heap if entry[2]._loop is not loop]
        heapq.heapify(self._heap)


class Executing(Protocol):
    """Runs an executor's work in virtual time."""

    def submit(
        self, loop: "ProcessLoop", executor: Any, work: Callable[[], Any], done: "asyncio.Future[Any]"
    ) -> None: ...


class ProcessLoop(asyncio.AbstractEventLoop):
    """The loop of one start of one process. `kill` ends it without a word."""

    def __init__(self, scheduler: Scheduler, disk: Executing, owner: Any = None) -> None:
        self.is_dead = False
        self.owner = owner
        self.signals: dict[int, Callable[[], None]] = {}
        self.on_step: Callable[[], None] = lambda: None
        """Called before each handle; may kill."""
        self._is_in_step = False
        self._scheduler = scheduler
        self._disk = disk
        self._handler: Callable[[Any, dict[str, Any]], object] | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    def run_handle(self, handle: asyncio.Handle) -> None:
        previous = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        self._is_in_step = True
        try:
            self.on_step()
            if not self.is_dead:
                handle._run()
        finally:
            self._is_in_step = False
            asyncio._set_running_loop(previous)
        if self.is_dead:
            self._bury()

    def kill(self) -> None:
        """From this instant nothing that the process does has an effect; its present step is its last."""
        self.is_dead = True
        if not self._is_in_step:
            self._bury()

    def _bury(self) -> None:
        """Coroutines are closed, so that none is warned about and each file that they held is let go."""
        self._scheduler.forget(self)
        tasks, self._tasks = self._tasks, []
        previous = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            for task in tasks:
                task._log_destroy_pending = False
                with suppress(RuntimeError, BaseExceptionGroup):  # a clean-up that waits: the dead do not
                    task.get_coro().close()
        finally:
            asyncio._set_running_loop(previous)

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._scheduler.now

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self.is_dead:
            self._scheduler.push(self._scheduler.now, handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._scheduler.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self.is_dead:
            self._scheduler.push(when, handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """The heap skips it when its time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Any = None
    ) -> "asyncio.Task[Any]":
        if self.is_dead:
            coro.close()
            coro = _nothing()
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        if self.is_dead:
            task._log_destroy_pending = False
            coro.close()
        else:
            self._tasks.append(task)
            if len(self._tasks) > 64:
                self._tasks = [one for one in self._tasks if not one.done()]
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        done = self.create_future()
        if not self.is_dead:
            self._disk.submit(self, executor, lambda: func(*args), done)
        return done

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        self.signals[sig] = lambda: callback(*args)

    def remove_signal_handler(self, sig: int) -> bool:
        return self.signals.pop(sig, None) is not None

    def set_exception_handler(self, handler: Any) -> None:
        self._handler = handler

    def get_exception_handler(self) -> Any:
        return self._handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.is_dead:
            raise AssertionError(f"unhandled in a loop: {context}")

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.is_dead:
            return
        if self._handler is not None:
            self._handler(self, context)
        else:
            self.default_exception_handler(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False


async def _nothing() -> None:
    """Takes the place of what a dead process would have begun."""
