"""The journal as the agent uses it: durable on return, one thread for the disk, group commit.

Rows that come within GROUP_MS share one commit; an urgent row starts it at once, and what comes while
a commit runs rides with the next. After a failed commit nothing is tried again: what the disk holds is
not known, so every later call fails and the process ends.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TextIO, TypeVar

import msgspec

from contract.ids import EdgeId, Epoch, PointId, Seq
from contract.rows import EdgeKind
from edge import data_folder
from edge.clock import Clock
from edge.errors import JournalDamaged, JournalFailed
from edge.journal_file import FILE_NAME, JournalFile, StoredRow
from edge.proposals import Draft, PointMemory, Proposal
from edge.row_run import RowRun

GROUP_MS = 10
TAIL_ROWS = 512
"""Newest rows kept in memory, so that a row on its way to the centre is not read back from the disk."""
READ_AHEAD_ROWS = 512
"""Older rows are read so many at a time: a backlog is asked for in order, some rows after the others."""
TRIM_ROWS = 1_000

T = TypeVar("T")


class _Pending(msgspec.Struct):
    drafts: Sequence[Draft]
    memories: Mapping[PointId, PointMemory]
    marks: Mapping[str, str]
    on_durable: Callable[[], None]
    done: "asyncio.Future[list[StoredRow]]"


class Journal:
    """`open` once, `append` until `close`. `listener` hears of rows after their commit, on the loop."""

    def __init__(self, file: JournalFile, lock: TextIO, thread: ThreadPoolExecutor) -> None:
        self.epoch = file.epoch
        self.head = file.head
        self.head_hash = file.head_hash
        self.listener: Callable[[list[StoredRow], Sequence[Draft]], None] | None = None
        self._file = file
        self._lock = lock
        self._thread = thread
        self._tail = RowRun(TAIL_ROWS, file.rows(file.head - TAIL_ROWS + 1, TAIL_ROWS))
        self._backlog = RowRun(2 * READ_AHEAD_ROWS)
        self._pending: list[_Pending] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._is_failed = False

    @classmethod
    async def open(cls, data_dir: Path, edge: EdgeId, clock: Clock) -> "Journal":
        """Open or make the journal. A damaged file is set aside, and a row says so.

        Raises JournalInUse, JournalFailed.
        """
        thread = ThreadPoolExecutor(1, "journal")
        loop = asyncio.get_running_loop()
        try:
            lock = await loop.run_in_executor(thread, data_folder.hold, data_dir)
            with ExitStack() as undo:
                undo.callback(lock.close)
                file, evidence = await loop.run_in_executor(
                    thread, _open_file, data_dir, edge, clock.wall_ms()
                )
                undo.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise JournalFailed(f"{data_dir}: {error}") from error
        journal = cls(file, lock, thread)
        if evidence:
            await journal.append([Draft(EdgeKind.JOURNAL_DAMAGED, clock.stamp(), data=evidence)])
        return journal

    async def append(
        self,
        drafts: Sequence[Draft],
        memories: Mapping[PointId, PointMemory] | None = None,
        on_durable: Callable[[], None] = lambda: None,
        marks: Mapping[str, str] | None = None,
    ) -> list[StoredRow]:
        """Rows, point states and marks in one commit; durable on return. Raises JournalFailed: fatal.

        `on_durable` is called as the head moves: who reads the head finds what it did done.
        """
        self._refuse_if_failed()
        loop = asyncio.get_running_loop()
        pending = _Pending(drafts, memories or {}, marks or {}, on_durable, loop.create_future())
        self._pending.append(pending)
        if any(draft.is_urgent for draft in drafts):
            self._start_flush()
        elif self._timer is None:
            self._timer = loop.call_later(GROUP_MS / 1000, self._start_flush)
        return await pending.done

    async def keep(self, proposal: Proposal, commit: Callable[[Proposal], None]) -> None:
        """What a proposal says, durable; `commit` moves what is known in the same step. Empty: nothing."""
        if proposal:
            await self.append(proposal.drafts, proposal.memories, partial(commit, proposal))

    @property
    def base(self) -> Seq:
        """The newest row that is gone; 0 while all are here."""
        return self._file.base

    @property
    def base_hash(self) -> bytes:
        return self._file.base_hash

    async def rows(self, first: int, limit: int) -> list[StoredRow]:
        """Rows from `first` on: `limit` of them, or fewer at the end; from memory where it holds them."""
        if first > self.head:
            return []
        wanted = min(limit, self.head - first + 1)
        if kept := self._tail.rows(first, wanted):
            return kept
        kept = self._backlog.rows(first, wanted)
        if len(kept) < wanted:
            next_first = first + len(kept)
            read = await self._in_thread(lambda: self._file.rows(next_first, max(limit, READ_AHEAD_ROWS)))
            self._backlog.add(read)
            kept += read[: wanted - len(kept)]
        return kept

    async def hash_at(self, seq: int) -> bytes | None:
        """The chain's hash after row `seq`; None where that row is not here."""
        kept = self._tail.hash_at(seq) or self._backlog.hash_at(seq)
        return kept or await self._in_thread(lambda: self._file.hash_at(seq))

    async def memories(self) -> dict[PointId, PointMemory]:
        return await self._in_thread(self._file.memories)

    async def mark(self, name: str) -> str | None:
        return await self._in_thread(lambda: self._file.mark(name))

    async def set_marks(self, marks: Mapping[str, str]) -> None:
        await self._in_thread(lambda: self._file.set_marks(marks))

    async def grow_older(self, receipted: Seq) -> None:
        """Note that the agent ran for another minute, at whose end all up to `receipted` was receipted."""
        await self._in_thread(lambda: self._file.grow_older(receipted))

    async def trim(self) -> int:
        """Forget up to TRIM_ROWS rows, 30 days after their receipt. Returns how many went."""
        return await self._in_thread(lambda: self._file.trim(TRIM_ROWS))

    async def close(self) -> None:
        """Flush what is waiting, then let go of the file."""
        self._start_flush()
        if self._flushing is not None:
            await self._flushing
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown()
        self._lock.close()

    def _start_flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending and self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="edge.journal.flush")

    async def _flush(self) -> None:
        while self._pending and not self._is_failed:
            batch, self._pending = self._pending, []
            drafts = [draft for pending in batch for draft in pending.drafts]
            memories = {name: m for pending in batch for name, m in pending.memories.items()}
            marks = {name: value for pending in batch for name, value in pending.marks.items()}
            try:
                rows = await self._in_thread(partial(self._file.append, drafts, memories, marks))
            except Exception as error:  # handed to whoever waits; only a disk's fault is an operating error
                self._fail([*batch, *self._pending], error)
                break
            self._publish(batch, drafts, rows)
        self._flushing = None

    def _publish(self, batch: list[_Pending], drafts: list[Draft], rows: list[StoredRow]) -> None:
        if rows:
            self.head, self.head_hash = rows[-1].seq, rows[-1].hash
            self._tail.add(rows)
        start = 0
        for pending in batch:
            pending.on_durable()
            end = start + len(pending.drafts)
            if not pending.done.done():
                pending.done.set_result(rows[start:end])
            start = end
        if self.listener is not None and rows:
            self.listener(rows, drafts)

    def _fail(self, waiting: list[_Pending], error: Exception) -> None:
        self._is_failed = True
        self._pending = []
        for pending in waiting:
            if not pending.done.done():
                pending.done.set_exception(_failure(error))

    def _refuse_if_failed(self) -> None:
        if self._is_failed:
            raise JournalFailed("the journal stopped after a failed commit")

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self._refuse_if_failed()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            self._is_failed = True
            raise _failure(error) from error


def _failure(error: Exception) -> Exception:
    return JournalFailed(str(error)) if isinstance(error, sqlite3.Error) else error


def _open_file(data_dir: Path, edge: EdgeId, now_ms: int) -> tuple[JournalFile, dict[str, str]]:
    """The journal, and the evidence of a damaged one that was set aside.

    A new epoch is named by its first moment: it never repeats an older one of the same station.
    """
    path = data_dir / FILE_NAME
    with suppress(JournalDamaged):  # a read that failed in passing looks the same: look twice
        return JournalFile(path, edge, Epoch(now_ms)), {}
    try:
        return JournalFile(path, edge, Epoch(now_ms)), {}
    except JournalDamaged as error:
        aside = f"journal.damaged-{now_ms}.db"
        for suffix in ("", "-wal", "-shm"):
            part = data_dir / (FILE_NAME + suffix)
            if part.exists():
                part.rename(data_dir / (aside + suffix))
        return JournalFile(path, edge, Epoch(now_ms)), {"file": aside, "reason": str(error)[:200]}
