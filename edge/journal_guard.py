"""Watches what the journal lives on, beside its work: room on the disk, and hands in the file.

At each beat it looks whether another connection has committed into the file (SQLite counts that), whether
the files are still those that were opened, and reads SLICE_ROWS rows again. Who writes through SQLite is
found at the next beat; who edits the file's bytes, when the reading has come round: after one beat for each
SLICE_ROWS rows. Either is the row `journal.touched`, with the first row that is not as it was written.

A file that is gone from its folder keeps nothing beyond this process: it is told, and the agent ends, so that
its next start begins a journal that lasts.
"""

import asyncio
import os
from pathlib import Path

import structlog

from contract.limits import BEAT_INTERVAL_S
from contract.rows import EdgeKind
from edge import scrub
from edge.clock import Clock
from edge.disk_watch import DiskWatch, Room
from edge.errors import JournalBlocked, JournalFailed
from edge.journal import Journal
from edge.proposals import Draft
from edge.reserve import RESERVE_BYTES
from edge.scrub import Flaw, Place, Verdict

SLICE_ROWS = 1_024
HURRIED_ROWS = 16 * SLICE_ROWS
"""A slice after somebody reached into the file, until all of it has been read again."""
REPEAT_S = 600.0
"""The same is not told again before: whoever goes on writing into the file fills no journal."""
PARTING_S = 2.0
"""So long the row that the file is gone has to reach the centre."""
DISK_MARK = "disk"

log = structlog.get_logger()


class JournalGuard:
    """One task beside the agent's others."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._path = journal.path
        self._signs = journal.signs_at_open
        self._place: Place | None = None
        """How far the reading has come; None: it begins anew."""
        self._slice_rows = SLICE_ROWS
        self._told: dict[Flaw, float] = {}
        self._disk: DiskWatch | None = None

    async def run(self) -> None:
        """At each beat until cancelled. Raises JournalFailed where the file is not there any more."""
        while True:
            try:
                await self.look_at_disk()
                await self._journal.tell_owed()
                await self.look_at_file()
            except JournalBlocked:
                pass  # what was not told is owed, and told when there is room
            await asyncio.sleep(BEAT_INTERVAL_S)

    async def look_at_disk(self) -> None:
        """Measure the room, act on it, tell of it once a change."""
        journal = self._journal
        if self._disk is None:
            self._disk = DiskWatch(was_low=await journal.mark(DISK_MARK) == EdgeKind.DISK_LOW)
        free, total = await asyncio.to_thread(_room, self._path.parent)
        if free > RESERVE_BYTES:
            await self._try_again()
        self._disk.see(free, total, is_full=journal.is_full)
        journal.is_disk_low = self._disk.room < Room.ENOUGH
        journal.is_disk_short = self._disk.room is Room.SHORT
        if not journal.is_disk_short:
            await journal.make_reserve()
            await self.tell_shed()
        row = self._disk.row(free)
        if row is not None:
            kind, data = row
            await journal.append([Draft(kind, self._clock.stamp(), data=dict(data))])
            self._disk.told(kind)
            log.warning("disk_low" if kind is EdgeKind.DISK_LOW else "disk_enough", **data)
            await journal.set_marks({DISK_MARK: kind.value})

    async def tell_shed(self) -> None:
        """How many rows were not kept, once there is room to say so."""
        rows = self._journal.shedding.rows
        if rows:
            draft = Draft(EdgeKind.TELEMETRY_SHED, self._clock.stamp(), data={"rows": rows})
            await self._journal.append([draft])
            self._journal.shedding.told(rows)

    async def look_at_file(self) -> None:
        """Is it still the file that was opened, has only the agent written into it, are its rows the same?"""
        was, self._signs = self._signs, await self._journal.signs()
        lost = [now for before, now in zip(was.files, self._signs.files, strict=True) if now != before]
        if lost:
            await self._part(Verdict.REMOVED if None in lost else Verdict.REPLACED)
        flaw = None
        if self._signs.version != was.version:
            self._place, self._slice_rows = None, HURRIED_ROWS
            flaw = await self._journal.check_newest() or Flaw(Verdict.SOUND)
        flaw = await self._read_on() or flaw  # a bad row says more than that somebody was there
        if flaw is not None:
            await self._tell(flaw)

    async def _read_on(self) -> Flaw | None:
        """The next rows of the round."""
        journal = self._journal
        end = Place(journal.head, journal.head_hash)
        start = self._place
        if start is None or start.seq < journal.base:
            start = Place(journal.base, journal.base_hash)
        found = await asyncio.to_thread(scrub.read_on, self._path, start, end, self._slice_rows)
        if isinstance(found, Place):
            is_round = found.seq >= end.seq
            self._place = None if is_round else found
            self._slice_rows = SLICE_ROWS if is_round else self._slice_rows
            return None
        self._place, self._slice_rows = None, SLICE_ROWS
        return None if found.row <= journal.base else found  # it was trimmed while it was read

    async def _tell(self, flaw: Flaw) -> None:
        """Unless it was told of late."""
        now = asyncio.get_running_loop().time()
        self._told = {said: at for said, at in self._told.items() if now - at < REPEAT_S}
        if flaw in self._told:
            return
        self._told[flaw] = now
        data = {"verdict": flaw.verdict.value, "row": flaw.row}
        log.error("journal_touched", **data)
        await self._journal.tell(Draft(EdgeKind.JOURNAL_TOUCHED, self._clock.stamp(), data=data))

    async def _part(self, verdict: Verdict) -> None:
        await self._tell(Flaw(verdict))
        await asyncio.sleep(PARTING_S)
        raise JournalFailed(f"{self._path}: the file was {verdict.value} while it was in use")

    async def _try_again(self) -> None:
        """A blocked journal that nobody writes to would stay so: see whether a mark finds room."""
        if self._journal.is_blocked:
            await self._journal.try_again({DISK_MARK: await self._journal.mark(DISK_MARK) or ""})


def _room(folder: Path) -> tuple[int, int]:
    """Free and total bytes; none free where no file can be made any more, or the folder is not there."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0, 0
    has_inode = found.f_files == 0 or found.f_favail > 0
    return found.f_bavail * found.f_frsize * has_inode, found.f_blocks * found.f_frsize
