"""A process of the world: starts, is killed at any step, ends by itself, and is started again."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.sim.disk import Disk
from tests.sim.loop import ProcessLoop, Scheduler
from tests.sim.network import Line

Main = Callable[[], Coroutine[Any, Any, None]]


class Process:
    """What a supervisor such as systemd sees. `main` is called anew at each start."""

    def __init__(self, name: str, scheduler: Scheduler, disk: Disk) -> None:
        self.name = name
        self.disk = disk
        self.loop: ProcessLoop | None = None
        self.starts = 0
        self.line: Line | None = None
        """Its newest connection."""
        self.ended_with: BaseException | None = None
        self.on_end: Callable[[BaseException | None], None] = lambda _error: None
        """The process ended by itself: None in order, or what it raised."""
        self.on_kill: Callable[[], None] = lambda: None
        """The process was killed: let go of what a kernel would let go of."""
        self._scheduler = scheduler
        self._armed: tuple[str, int] | None = None
        disk.on_job = self.reach

    @property
    def is_running(self) -> bool:
        return self.loop is not None

    def start(self, main: Main) -> None:
        assert self.loop is None, f"{self.name} runs"
        self.disk.opened()
        self.starts += 1
        loop = self.loop = ProcessLoop(self._scheduler, self.disk, owner=self)
        loop.on_step = lambda: self.reach("step")
        loop.call_soon(self._begin, loop, main)

    def arm(self, where: str, count: int) -> None:
        """Kill it when it has come so often to `step`, `before` or `after` a job, `commit`, or `send`."""
        self._armed = (where, count)

    def reach(self, where: str) -> None:
        if self._armed is None or self._armed[0] != where or self.loop is None:
            return
        if self._armed[1] > 1:
            self._armed = (where, self._armed[1] - 1)
            return
        self.kill()

    def kill(self) -> None:
        """From this instant it does nothing more."""
        self._armed = None
        loop, self.loop = self.loop, None
        if loop is not None:
            loop.kill()
            self.disk.killed()
            self.on_kill()

    def signal(self, number: int) -> bool:
        """Ask it to stop. False where it does not listen yet."""
        if self.loop is None or number not in self.loop.signals:
            return False
        self.loop.call_soon(self.loop.signals[number])
        return True

    def _begin(self, loop: ProcessLoop, main: Main) -> None:
        task = loop.create_task(main(), name=self.name)
        task.add_done_callback(lambda done: self._ended(loop, done))

    def _ended(self, loop: ProcessLoop, task: "asyncio.Task[None]") -> None:
        if loop.is_dead:
            return
        error = task.exception() if not task.cancelled() else asyncio.CancelledError()
        self._armed = None
        self.loop = None
        loop.kill()
        self.disk.killed()
        self.on_end(error)
