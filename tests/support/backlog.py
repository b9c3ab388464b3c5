"""Ten days of a station's rows that no centre has seen: what an edge brings home after a long outage.

Doors open and close by day, now and then a point cannot be read for a while or a lens is covered. At the end
everything is as the simulators have it at their start: closed, readable, in sight.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from contract.ids import EdgeId, Epoch, PointId
from contract.points import Clock, Quality
from contract.rows import EdgeKind
from edge.clock import Stamp
from edge.journal_file import FILE_NAME, JournalFile, StoredRow
from edge.proposals import Draft, PointMemory

DAYS = 10
NIGHT_MS = 12 * 3_600_000
BOOT = "5f0e3c9a-6d1b-4b7e-9c55-0a1b2c3d4e5f"
QUALITY_SHARE, PICTURE_SHARE = 0.02, 0.03
APPEND_ROWS = 5_000


class Past:
    """`rows` of `doors` and `pictures` in the ten days before `now_ms`, the same for the same `seed`."""

    def __init__(
        self, doors: Sequence[str], pictures: Sequence[str], rows: int, now_ms: int, seed: int = 1
    ) -> None:
        self.memories: dict[PointId, PointMemory] = {}
        self._random = random.Random(seed)
        self._values = dict.fromkeys(doors, "closed") | dict.fromkeys(pictures, "ok")
        self._bad: set[str] = set()
        self._doors, self._pictures = doors, pictures
        self._rows, self._now_ms = rows, now_ms
        self._written = 0

    def drafts(self) -> Iterator[Draft]:
        """Every row, oldest first; `memories` are true once all have been taken."""
        while self._rows - self._written > self._away_from_rest():
            yield self._one()
        for point in [*self._bad]:
            yield self._quality(point)
        for point, value in self._values.items():
            if value in {"open", "covered"}:
                yield self._change(point)
        while self._written < self._rows:
            yield self._draft(EdgeKind.TELEMETRY_SHED, None, {"count": 1})

    def _away_from_rest(self) -> int:
        return len(self._bad) + sum(value in {"open", "covered"} for value in self._values.values()) + 1

    def _one(self) -> Draft:
        dice = self._random.random()
        if dice < QUALITY_SHARE:
            return self._quality(self._random.choice(self._doors))
        if dice < QUALITY_SHARE + PICTURE_SHARE and self._pictures:
            return self._change(self._random.choice(self._pictures))
        return self._change(self._random.choice(self._doors))

    def _change(self, point: str) -> Draft:
        was = self._values[point]
        kind, value = {
            "closed": ("door.open", "open"),
            "open": ("door.closed", "closed"),
            "ok": ("picture.covered", "covered"),
            "covered": ("picture.ok", "ok"),
        }[was]
        self._values[point] = value
        return self._draft(kind, point, {"was": was})

    def _quality(self, point: str) -> Draft:
        was, quality = "good", "comm_fail"
        if point in self._bad:
            was, quality = quality, was
        self._bad ^= {point}
        return self._draft(EdgeKind.POINT_QUALITY, point, {"quality": quality, "was": was})

    def _draft(self, kind: str, point: str | None, data: dict[str, Any]) -> Draft:
        left = self._rows - self._written
        day_ms = DAYS * (24 * 3_600_000 - NIGHT_MS)
        nights = DAYS * left // self._rows
        at = self._now_ms - left * day_ms // self._rows - nights * NIGHT_MS
        self._written += 1
        stamp = Stamp(at, at * 1_000_000, BOOT, Clock.SYNCED)
        if point is None:
            return Draft(kind, stamp, None, data)
        name = PointId(point)
        if point in self._doors:
            data |= {"simulated": True}
        self.memories[name] = PointMemory(self._values[point], Quality.GOOD, at)
        return Draft(kind, stamp, name, data)


def fill_journal(folder: Path, edge: str, past: Past, epoch: int) -> list[StoredRow]:
    """Writes the past as the edge's journal in `folder`, which has none yet. Returns its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    file = JournalFile(folder / FILE_NAME, EdgeId(edge), Epoch(epoch))
    rows: list[StoredRow] = []
    drafts = list(past.drafts())
    for start in range(0, len(drafts), APPEND_ROWS):
        rows += file.append(drafts[start : start + APPEND_ROWS], past.memories)
    file.close()
    return rows
