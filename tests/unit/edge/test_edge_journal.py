"""Durable on return, one chain, and a journal that stops rather than lies."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from contract import chain
from contract.ids import EdgeId, Epoch, Seq
from contract.points import Clock, Quality
from contract.rows import decode_row
from edge.clock import Stamp
from edge.errors import JournalDamaged, JournalFailed, JournalInUse
from edge.journal import Journal
from edge.journal_file import FILE_NAME, JournalFile
from edge.proposals import Draft, PointMemory
from edge.retention import AGE_MARK, DAY_MINUTES, TRIM_MARK
from tests.support.journals import DOOR, EDGE, NOW_MS, FixedClock, on_disk

DAY_MS = 24 * 3600 * 1000


def draft(kind: str = "door.open", at: int = NOW_MS, **options) -> Draft:
    return Draft(kind, Stamp(at, at * 1_000_000, "b0", Clock.FREE), DOOR, {"was": "closed"}, **options)


@pytest.fixture
async def journal(tmp_path: Path):
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    yield journal
    await journal.close()


async def test_row_is_on_disk_when_append_returns(journal: Journal, tmp_path: Path) -> None:
    (row,) = await journal.append([draft()])
    assert on_disk(tmp_path) == [(1, row.raw, row.hash)]
    assert (journal.head, journal.head_hash) == (1, row.hash)


async def test_every_commit_reaches_the_disk(journal: Journal) -> None:
    modes = journal._file._db.execute("PRAGMA synchronous").fetchone(), journal._file._db.journal_mode
    assert modes == ((2,), "wal")


async def test_rows_chain_from_the_anchor_of_edge_and_epoch(journal: Journal) -> None:
    rows = [(await journal.append([draft()]))[0] for _ in range(3)]
    hashes = list(chain.links(chain.anchor(EDGE, journal.epoch), [row.raw for row in rows]))
    assert [row.hash for row in rows] == hashes
    assert [decode_row(row.raw).seq for row in rows] == [1, 2, 3]


async def test_appends_that_come_together_share_one_commit_and_get_their_own_rows(journal: Journal) -> None:
    commits = []
    journal.listener = lambda rows, _drafts: commits.append([row.seq for row in rows])
    slow = [journal.append([draft(is_urgent=False)]) for _ in range(3)]
    answers = await asyncio.gather(*slow)
    assert [[row.seq for row in rows] for rows in answers] == [[1], [2], [3]]
    assert commits == [[1, 2, 3]]


async def test_point_states_are_kept_with_their_rows(tmp_path: Path) -> None:
    memory = PointMemory("open", Quality.GOOD, 1_700_000_000_000, 17, is_ajar=True)
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    await journal.append([draft()], {DOOR: memory})
    await journal.close()
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    assert await journal.memories() == {DOOR: memory}
    await journal.close()


async def test_a_journal_that_knows_of_no_ajar_locks_is_read_and_goes_on(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    await journal.append([draft()], {DOOR: PointMemory("open")})
    await journal.close()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("ALTER TABLE point_state DROP COLUMN is_ajar")
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    assert await journal.memories() == {DOOR: PointMemory("open")}
    await journal.append([draft()], {DOOR: PointMemory("open", is_ajar=True)})
    assert journal.head == 2
    await journal.close()


async def test_chain_and_epoch_go_on_after_a_restart(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, EDGE, FixedClock(1_000))
    await journal.append([draft()])
    first = (journal.epoch, journal.head_hash)
    await journal.close()
    journal = await Journal.open(tmp_path, EDGE, FixedClock(2_000))
    assert (journal.epoch, journal.head_hash) == first
    (row,) = await journal.append([draft()])
    assert row.hash == chain.link(first[1], row.raw)
    await journal.close()


async def test_second_process_is_refused(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(JournalInUse):
        await Journal.open(tmp_path, EDGE, FixedClock())


async def test_failed_commit_stops_the_journal_for_good(journal: Journal, monkeypatch) -> None:
    def no_disk(*_args) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(journal._file, "append", no_disk)
        with pytest.raises(JournalFailed):
            await journal.append([draft()])
    with pytest.raises(JournalFailed):
        await journal.append([draft()])
    assert journal.head == 0


async def test_a_read_that_failed_in_passing_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite calls an EIO at a read a malformed file."""
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    await journal.append([draft()])
    await journal.close()
    looks: list[Path] = []

    def look(path: Path, edge: EdgeId, epoch: Epoch) -> JournalFile:
        looks.append(path)
        if len(looks) == 1:
            raise JournalDamaged("database disk image is malformed")
        return JournalFile(path, edge, epoch)

    monkeypatch.setattr("edge.journal_opening.JournalFile", look)
    again = await Journal.open(tmp_path, EDGE, FixedClock(1_700_000_009_000))
    assert (again.epoch, again.head) == (journal.epoch, 1)
    await again.close()


async def test_damaged_file_is_set_aside_and_a_new_epoch_says_so(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    journal = await Journal.open(tmp_path, EDGE, FixedClock(5_000))
    (row,) = await journal.rows(1, 10)
    assert decode_row(row.raw).kind == "journal.damaged"
    assert journal.epoch == 5_000
    assert (tmp_path / "journal.damaged-5000.db").read_bytes().startswith(b"no database")
    await journal.close()


async def test_tail_that_does_not_chain_is_damage(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, EDGE, FixedClock(5_000))
    await journal.append([draft(), draft()])
    await journal.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("UPDATE row SET bytes = replace(bytes, 'closed', 'opened') WHERE seq = 1")
    db.close()
    journal = await Journal.open(tmp_path, EDGE, FixedClock(6_000))
    assert journal.epoch == 6_000
    await journal.close()


async def test_rows_come_from_memory_and_disk_alike(journal: Journal) -> None:
    await journal.append([draft() for _ in range(700)])
    from_disk, from_memory = await journal.rows(1, 3), await journal.rows(699, 5)
    assert [row.seq for row in from_disk] == [1, 2, 3]
    assert [row.seq for row in from_memory] == [699, 700]
    assert await journal.hash_at(3) == from_disk[2].hash
    assert await journal.hash_at(700) == journal.head_hash
    assert await journal.hash_at(0) == chain.anchor(EDGE, journal.epoch)
    assert await journal.hash_at(701) is None


async def test_state_with_a_word_nobody_knows_is_damage(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, EDGE, FixedClock(5_000))
    await journal.append([draft()], {DOOR: PointMemory("open", Quality.GOOD, 1, 17)})
    await journal.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("UPDATE point_state SET quality = 'splendid'")
    db.close()
    journal = await Journal.open(tmp_path, EDGE, FixedClock(6_000))
    (row,) = await journal.rows(1, 10)
    assert (journal.epoch, decode_row(row.raw).kind) == (6_000, "journal.damaged")
    assert await journal.memories() == {}
    await journal.close()


async def run_days(journal: Journal, days: int, receipted: int) -> None:
    """The last minute of each of the next `days` days that the agent runs."""
    for _ in range(days):
        minutes = int(await journal.mark(AGE_MARK) or 0)
        day_end = (minutes // DAY_MINUTES + 1) * DAY_MINUTES
        await journal.set_marks({AGE_MARK: str(day_end - 1)})
        await journal.grow_older(Seq(receipted))


async def test_rows_are_forgotten_30_days_of_running_after_their_receipt(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    await journal.append([draft() for _ in range(5)])
    await run_days(journal, 1, receipted=2)
    await run_days(journal, 10, receipted=4)
    await journal.close()
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    await run_days(journal, 19, receipted=4)
    assert await journal.trim() == 0
    await run_days(journal, 1, receipted=5)
    assert await journal.trim() == 2
    await run_days(journal, 1, receipted=5)
    assert [await journal.trim(), await journal.trim()] == [2, 0]
    assert [row[0] for row in on_disk(tmp_path)] == [5]
    await journal.close()
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    assert journal.head == 5
    await journal.close()


async def test_where_the_disk_is_low_a_day_of_running_is_enough(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    await journal.append([draft() for _ in range(5)])
    await run_days(journal, 1, receipted=2)
    await run_days(journal, 1, receipted=4)
    assert await journal.trim() == 0
    journal.is_disk_low = True
    assert await journal.trim() == 2
    await journal.close()


async def test_wall_clock_set_ahead_makes_nothing_old(tmp_path: Path) -> None:
    clock = FixedClock()
    journal = await Journal.open(tmp_path, EDGE, clock)
    await journal.append([draft(at=clock.now_ms) for _ in range(5)])
    await journal.grow_older(Seq(5))
    clock.now_ms += 31 * DAY_MS
    await journal.append([draft(at=clock.now_ms)])
    await run_days(journal, 29, receipted=6)
    assert await journal.trim() == 0
    await journal.close()


def test_newest_row_stays_so_that_the_chain_can_go_on(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / FILE_NAME, EDGE, Epoch(1))
    file.append([draft(at=0), draft(at=0)], {})
    file.set_marks({TRIM_MARK: "2"})
    assert file.trim(limit=100) == 1
    file.close()
