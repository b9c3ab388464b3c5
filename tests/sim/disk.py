"""The disks of the world: real SQLite files in memory, whose work takes virtual time and may not survive.

A job of an executor (one commit of the journal, one transaction of the store) runs whole at the end of its
latency, one after the other as on the one thread it has in the product; a crash before that instant finds
nothing of it, a crash after it finds all of it, whether or not anybody was told. Half a commit is SQLite's
own matter and is not played here: the trials with real processes cut the power in the middle of it.

What a power cut takes: nothing that was committed with `synchronous=FULL`, everything since the file was
opened where a connection has less, and everything since a sync failed, because the kernel then drops what
it could not write and calls the next sync a success.
"""

import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sim.loop import ProcessLoop

if TYPE_CHECKING:
    import asyncio

FULL = 2
QUICK_S = (0.0002, 0.004)

Files = dict[str, bytes]


class Killed(BaseException):
    """The process died in the middle of a job: the database rolls it back."""


def read_files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write_files(folder: Path, files: Files) -> None:
    """The folder holds these files and no others."""
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


class Disk:
    """One machine's disk. `folder` is what its processes see; `platter` what a power cut leaves."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.latency_s = QUICK_S
        self.fails_next = False
        """The next sync of the journal's thread fails: it is told, and what it wrote is lost or not."""
        self.on_job: Callable[[str], None] = lambda _when: None
        """Told `before` and `after` each job; may kill the process."""
        self.synchronous: Callable[[], int] = lambda: FULL
        """Of the connection that writes now."""
        self.jobs = 0
        self._dice = dice
        self._platter: Files | None = None
        self._busy_until: dict[int, float] = defaultdict(float)

    def opened(self) -> None:
        """A process opens its files: what is there now has been there through a start."""
        self._platter = read_files(self.folder)
        self._is_suspect = False
        self._busy_until.clear()

    def submit(
        self,
        loop: ProcessLoop,
        executor: Executor | None,
        work: Callable[[], Any],
        done: "asyncio.Future[Any]",
    ) -> None:
        ends = max(loop.time(), self._busy_until[id(executor)]) + self._dice.uniform(*self.latency_s)
        self._busy_until[id(executor)] = ends
        loop.call_at(ends, self._run, loop, work, done, executor is not None)

    def _run(
        self, loop: ProcessLoop, work: Callable[[], Any], done: "asyncio.Future[Any]", is_journal: bool
    ) -> None:
        self.jobs += 1
        self.on_job("before")
        if loop.is_dead:
            return
        try:
            result = self._fail(work) if self.fails_next and is_journal else work()
        except Killed:
            return
        except Exception as error:
            if not loop.is_dead:
                loop.call_soon(_settle, done, None, error)
            return
        self.on_job("after")
        loop.call_soon(_settle, done, result, None)

    def _fail(self, work: Callable[[], Any]) -> None:
        """From here on no sync of this start is worth anything."""
        self.fails_next = False
        self._platter = read_files(self.folder)
        self._is_suspect = True
        if self._dice.random() < 0.5:
            work()
        raise sqlite3.OperationalError("disk I/O error")

    def cut_power(self) -> None:
        """After the process is dead and its files are closed."""
        if self._platter is not None and (self._is_suspect or self.was_lazy):
            write_files(self.folder, self._platter)

    def killed(self) -> None:
        """Looks at how the process wrote, while its connection is still there."""
        self.was_lazy = self.synchronous() < FULL

    was_lazy = False
    _is_suspect = False


def _settle(done: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)
