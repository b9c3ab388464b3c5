"""The journal as the agent uses it: durable on return, one thread for the disk, group commit.

Rows that come within GROUP_MS share one commit; an urgent row starts it at once, and what comes while
a commit runs rides with the next. After a failed flush nothing is tried again: what the disk holds is
not known, so every later call fails and the process ends.

A disk without room is another matter: the commit is undone, the reserve is let go, and what still finds no
room is refused until there is some. Nothing moves meanwhile: whoever asked asks again.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TextIO, TypeVar

import msgspec
import structlog

from contract.ids import EdgeId, PointId, Seq
from contract.rows import EdgeKind
from edge import data_folder, scrub
from edge.clock import Clock
from edge.disk_watch import Shedding
from edge.errors import EdgeError, JournalBlocked, JournalFailed, JournalFull
from edge.journal_file import FILE_NAME, WAL_LONG_PAGES, JournalFile, StoredRow
from edge.journal_opening import OWED_MARK, open_in_reserve, suspect
from edge.proposals import Draft, PointMemory, Proposal
from edge.reserve import Reserve
from edge.row_run import RowRun
from edge.scrub import Flaw, Place
from edge.sqlite_faults import Fault, fault, operating

GROUP_MS = 10
TAIL_ROWS = 512
"""Newest rows kept in memory, so that a row on its way to the centre is not read back from the disk."""
READ_AHEAD_ROWS = 512
"""Older rows are read so many at a time: a backlog is asked for in order, some rows after the others."""
TRIM_ROWS = 1_000
OWED_MAX = 64
"""Rows of the edge itself that wait for room; no more are kept."""
BLOCKED_RETRY_S = 1.0
"""So often a disk without room, or a lock that another has, is tried anew: by all who wait together."""

log = structlog.get_logger()
T = TypeVar("T")


class _Pending(msgspec.Struct):
    drafts: Sequence[Draft]
    memories: Mapping[PointId, PointMemory]
    marks: Mapping[str, str]
    on_durable: Callable[[], None]
    done: "asyncio.Future[list[StoredRow]]"


class Signs(msgspec.Struct, frozen=True):
    """By which another's hand in the file is noticed: SQLite's count of others' commits, device and inode."""

    version: int
    files: tuple[tuple[int, int] | None, ...]


class Journal:
    """`open` once, `append` until `close`. `listener` hears of rows after their commit, on the loop."""

    def __init__(self, file: JournalFile, lock: TextIO, thread: ThreadPoolExecutor, data_dir: Path) -> None:
        self.epoch = file.epoch
        self.head = file.head
        self.head_hash = file.head_hash
        self.listener: Callable[[list[StoredRow], Sequence[Draft]], None] | None = None
        self.shedding = Shedding({})
        self.is_disk_short = False
        """Set by whoever watches the disk: telemetry is not kept."""
        self.is_disk_low = False
        """The same: what was receipted is forgotten early."""
        self.blocked: JournalBlocked | None = None
        """Why the last commit was not possible: no room, or another's lock."""
        self.path = data_dir / FILE_NAME
        self.signs_at_open = Signs(file.version, file.files)
        self._owed: deque[Draft] = deque(maxlen=OWED_MAX)
        self._reserve = Reserve(data_dir)
        self._blocked_until_mono = 0.0
        self._is_reader_told = False
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

        Raises JournalInUse, JournalFull, JournalHeld, JournalFailed.
        """
        thread = ThreadPoolExecutor(1, "journal")
        loop = asyncio.get_running_loop()
        try:
            lock = await loop.run_in_executor(thread, data_folder.hold, data_dir)
            with ExitStack() as undo:
                undo.callback(lock.close)
                file, evidence = await loop.run_in_executor(
                    thread, open_in_reserve, data_dir, edge, clock.wall_ms()
                )
                undo.pop_all()
        except (OSError, sqlite3.Error) as error:
            thread.shutdown(wait=False)
            raise operating(error, f"{data_dir}: ") from error
        journal = cls(file, lock, thread, data_dir)
        try:
            await journal.make_reserve()
            await journal._tell(evidence, clock)
        except EdgeError:
            await journal.close()
            raise
        return journal

    async def _tell(self, evidence: dict[str, str], clock: Clock) -> None:
        """What became of the journal before this one, as the first row; owed until it is durable."""
        if evidence:
            await self.append([Draft(EdgeKind.JOURNAL_DAMAGED, clock.stamp(), data=evidence)])
            await self.set_marks({OWED_MARK: ""})

    async def append(
        self,
        drafts: Sequence[Draft],
        memories: Mapping[PointId, PointMemory] | None = None,
        on_durable: Callable[[], None] = lambda: None,
        marks: Mapping[str, str] | None = None,
    ) -> list[StoredRow]:
        """Rows, point states and marks in one commit; durable on return.

        Raises JournalBlocked where nothing was written and it may be tried again, JournalFailed: fatal.
        `on_durable` is called as the head moves: who reads the head finds what it did done.
        """
        self._refuse_if_failed()
        self._refuse_while_blocked()
        loop = asyncio.get_running_loop()
        pending = _Pending(drafts, memories or {}, marks or {}, on_durable, loop.create_future())
        self._pending.append(pending)
        if any(draft.is_urgent for draft in drafts):
            self._start_flush()
        elif self._timer is None:
            self._timer = loop.call_later(GROUP_MS / 1000, self._start_flush)
        return await pending.done

    async def keep(self, proposal: Proposal, commit: Callable[[Proposal], None]) -> None:
        """What a proposal says, durable; `commit` moves what is known in the same step. Empty: nothing.

        Waits for room where there is none, so that the first change keeps its moment, and what a device
        counts or latches meanwhile stays there. Telemetry is left out while the disk is short of room.
        """
        while proposal:
            if self.is_disk_short or self.is_full:
                proposal = self.shedding.sift(proposal)
            try:
                if proposal:
                    await self.append(proposal.drafts, proposal.memories, partial(commit, proposal))
            except JournalBlocked:
                await asyncio.sleep(BLOCKED_RETRY_S)
            else:
                return

    async def tell(self, draft: Draft) -> None:
        """A row of the edge itself: durable on return, or owed and written when there is room."""
        self._owed.append(draft)
        with suppress(JournalBlocked):
            await self.tell_owed()

    async def tell_owed(self) -> None:
        """Write what is owed. Raises JournalBlocked, and it stays owed."""
        owed = list(self._owed)
        self._owed.clear()
        if owed:
            try:
                await self.append(owed)
            except JournalBlocked:
                self._owed.extendleft(reversed(owed))
                raise

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
        """Forget up to TRIM_ROWS rows as `retention` allows. Returns how many went."""
        return await self._in_thread(lambda: self._file.trim(TRIM_ROWS, is_disk_low=self.is_disk_low))

    @property
    def is_blocked(self) -> bool:
        return self.blocked is not None

    @property
    def is_full(self) -> bool:
        return isinstance(self.blocked, JournalFull)

    async def try_again(self, marks: Mapping[str, str]) -> None:
        """Whether these marks can be written now; then the journal is blocked no longer."""
        await self.set_marks(marks)
        self._unblock()

    async def make_reserve(self) -> None:
        """Have the reserve again, where there is room for it."""
        has_room = await self._in_thread(self._reserve.make)
        self._file.is_tight = self._file.is_tight and not has_room

    async def signs(self) -> Signs:
        return await self._in_thread(lambda: Signs(self._file.version_now(), self._file.files_now()))

    async def check_newest(self) -> Flaw | None:
        """Whether the rows that are remembered stand in the file as they are, and none beside them."""
        oldest = self._tail.oldest

        def check() -> Flaw | None:
            file, path = self._file, self.path
            start = Place(oldest.seq, oldest.hash) if oldest else Place(file.base, file.base_hash)
            found = scrub.read_on(path, start, Place(file.head, file.head_hash), 2 * TAIL_ROWS)
            return found if isinstance(found, Flaw) else scrub.stray(path, file.base, file.head)

        return await self._in_thread(check)

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
                rows = await self._in_thread(partial(self._write, drafts, memories, marks))
            except JournalBlocked as error:
                self._block(error)
                self._answer([*batch, *self._take_pending()], error)
                break
            except Exception as error:  # handed to whoever waits; only a disk's fault is an operating error
                self._is_failed = True
                self._answer([*batch, *self._take_pending()], error)
                break
            self._unblock()
            self._publish(batch, drafts, rows)
        self._flushing = None

    def _write(
        self, drafts: list[Draft], memories: dict[PointId, PointMemory], marks: dict[str, str]
    ) -> list[StoredRow]:
        """In the journal's thread. Without room, once more: with the reserve's, and in a log begun anew."""
        try:
            self._file.is_tight = self._file.is_tight or self.is_disk_short
            return self._file.append(drafts, memories, marks)
        except sqlite3.Error as error:
            if fault(error) is not Fault.FULL:
                raise
            self._file.is_tight = True
            self._reserve.release()
            self._file.checkpoint()
            return self._file.append(drafts, memories, marks)

    def _block(self, error: JournalBlocked) -> None:
        self._blocked_until_mono = asyncio.get_running_loop().time() + BLOCKED_RETRY_S / 2
        if self.blocked is None:
            log.error("journal_blocked", code=error.code, reason=str(error))
        self.blocked = error

    def _unblock(self) -> None:
        if self.blocked is not None:
            self.blocked = None
            log.info("journal_writes_again")
        is_long = self._file.wal_pages >= WAL_LONG_PAGES
        if is_long and not self._is_reader_told:
            log.warning("journal_log_grows", reason="another process reads the journal and does not end")
        self._is_reader_told = is_long

    def _take_pending(self) -> list[_Pending]:
        pending, self._pending = self._pending, []
        return pending

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

    @staticmethod
    def _answer(waiting: list[_Pending], error: Exception) -> None:
        for pending in waiting:
            if not pending.done.done():
                pending.done.set_exception(error)

    def _refuse_if_failed(self) -> None:
        if self._is_failed:
            raise JournalFailed("the journal stopped after a failed commit")

    def _refuse_while_blocked(self) -> None:
        if self.blocked is not None and asyncio.get_running_loop().time() < self._blocked_until_mono:
            raise type(self.blocked)(str(self.blocked))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self._refuse_if_failed()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            if fault(error) is Fault.DAMAGED:
                suspect(self.path.parent, error)
            meant = operating(error)
            self._is_failed = self._is_failed or isinstance(meant, JournalFailed)
            raise meant from error
