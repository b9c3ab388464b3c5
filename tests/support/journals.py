"""Journals for tests: a clock that stands still, drafts of rows, what another process sees on the disk."""

import sqlite3
from pathlib import Path

from contract.ids import EdgeId, PointId
from contract.points import Clock
from edge.clock import Stamp
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
