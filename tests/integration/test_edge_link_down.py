"""Two hundred thousand events while the link is down: the disk holds them, the memory does not."""

import asyncio
import gc
from pathlib import Path

import psutil

from contract.points import Clock
from contract.rows import decode_row
from device_drivers.driver import Observation
from edge.clock import Stamp
from edge.journal import TAIL_ROWS, Journal
from edge.journal_file import FILE_NAME, WAL_KEPT_BYTES
from edge.outbox import LIVE_WAITING_MAX, Outbox
from edge.points import Points
from edge.settings import PointSettings
from tests.support.journals import EDGE, NOW_MS, FixedClock

DOORS = 100
EVENTS = 200_000
WARM_EVENTS = 20_000
GROWN_MAX_BYTES = 6 * 2**20
"""What 180,000 more events may take. Kept in memory, they would take more than 100 MB."""


def rss_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def test_the_memory_stays_flat_and_the_queue_is_the_journal(tmp_path: Path) -> None:
    settings = [
        PointSettings(id=f"liuxu.int{n}.door", type="door", device=f"io{n}", channel="di:0")
        for n in range(DOORS)
    ]
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    points = Points(settings, [], {}, is_simulated=False, last_at=NOW_MS)
    outbox = Outbox(journal.epoch, journal.head, 0)
    journal.listener = lambda rows, _drafts: outbox.appended(rows[-1].seq, [row.seq for row in rows])

    async def swing(step: int) -> None:
        """Every door moves once, each on a bus of its own."""
        stamp = Stamp(NOW_MS + 100 * step, 10**8 * step, "b0", Clock.FREE)
        moved = [Observation("di:0", step % 2 == 1)]
        await asyncio.gather(
            *(journal.keep(points.observe(f"io{n}", moved, stamp), points.commit) for n in range(DOORS))
        )

    for step in range(WARM_EVENTS // DOORS):
        await swing(step)
    warm = rss_bytes()
    for step in range(WARM_EVENTS // DOORS, EVENTS // DOORS):
        await swing(step)
    grown = rss_bytes() - warm
    assert grown < GROWN_MAX_BYTES, f"{grown / 2**20:.1f} MB more"

    assert outbox.queued == journal.head == EVENTS
    assert len(outbox._live) <= LIVE_WAITING_MAX
    assert len(journal._tail._rows) == TAIL_ROWS
    assert (tmp_path / f"{FILE_NAME}-wal").stat().st_size < 2 * WAL_KEPT_BYTES
    oldest = await journal.rows(1, 64)
    assert [decode_row(row.raw).seq for row in oldest] == list(range(1, 65))
    await journal.close()
