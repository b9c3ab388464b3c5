"""Journals for tests: a clock that stands still, drafts of rows, what another process sees on the disk."""

import asyncio
import sqlite3
import time
from pathlib import Path

from contract.ids import EdgeId, PointId
from contract.points import Clock
from edge.clock import Stamp
from edge.journal import Journal
from edge.journal_file import FILE_NAME
from edge.proposals import Draft, PointMemory, Proposal

EDGE = EdgeId("liuxu")
DOOR = PointId("liuxu.int1.door")
NOW_MS = 1_700_000_000_000


class FixedClock:
    """A clock that stands still."""

    boot = "b0"
    state = Clock.FREE

    def __init__(self, wall_ms: int = NOW_MS) -> None:
        self.now_ms = wall_ms

    def wall_ms(self) -> int:
        return self.now_ms

    def mono_ns(self) -> int:
        return self.now_ms * 1_000_000

    def stamp(self) -> Stamp:
        return Stamp(self.now_ms, self.mono_ns(), self.boot, self.state)

    def check(self) -> int:
        return 0


STAMP = FixedClock().stamp()


def draft(kind: str = "door.open", point: PointId | None = DOOR, **data) -> Draft:
    return Draft(kind, STAMP, point, data or {"was": "closed"})


def proposal(kind: str = "door.open", point: PointId = DOOR, value: str = "open") -> Proposal:
    return Proposal(STAMP, [draft(kind, point)], {point: PointMemory(value)})


def on_disk(folder: Path) -> list[tuple[int, bytes, bytes]]:
    """What another process would find after a power cut now."""
    db = sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True)
    try:
        return db.execute("SELECT seq, bytes, hash FROM row ORDER BY seq").fetchall()
    finally:
        db.close()


class Tries:
    """Counts how often a journal goes to its file with rows."""

    def __init__(self, journal: Journal, monkeypatch) -> None:
        self.begun_mono: list[float] = []
        self._failed = 0
        self._has_failed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._write = journal._write
        monkeypatch.setattr(journal, "_write", self._counted)

    async def failed(self, more: int) -> None:
        """Wait until so many more have failed, and whoever waits for them was told."""
        wanted = self._failed + more
        async with asyncio.timeout(30):
            while self._failed < wanted:
                self._has_failed.clear()
                await self._has_failed.wait()

    def _counted(self, *rows):
        """In the journal's thread."""
        self.begun_mono.append(time.monotonic())
        try:
            return self._write(*rows)
        except Exception:
            self._loop.call_soon_threadsafe(self._note_failure)
            raise

    def _note_failure(self) -> None:
        self._failed += 1
        self._has_failed.set()
