"""Hands in the journal while it is in use: what is found, at which beat, and what the row says."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from contract import chain
from contract.rows import decode_row
from edge import journal as journal_module
from edge import journal_guard, scrub
from edge.disk_watch import Shedding
from edge.errors import JournalFailed
from edge.journal import Journal
from edge.journal_file import FILE_NAME
from edge.journal_guard import JournalGuard
from edge.reserve import NAME
from edge.scrub import Flaw, Place, Verdict
from tests.support.journals import DOOR, EDGE, FixedClock, draft, proposal

ROWS = 700
"""More than the journal remembers."""
PLENTY = (10**12, 10**12)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    await journal.append([draft() for _ in range(ROWS)])
    yield journal
    with suppress(RuntimeError):  # a test has closed it
        await journal.close()


@pytest.fixture
def guard(journal: Journal) -> JournalGuard:
    return JournalGuard(journal, FixedClock())


def edit(folder: Path, *statements: str) -> None:
    """Somebody with a SQLite of their own."""
    db = sqlite3.connect(folder / FILE_NAME)
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


async def told(journal: Journal, kind: str = "journal.touched") -> list[dict]:
    rows = [decode_row(row.raw) for row in await journal.rows(ROWS + 1, 1_000)]
    return [row.data for row in rows if row.kind == kind]


async def beats(guard: JournalGuard, count: int = 1) -> None:
    for _ in range(count):
        await guard.look_at_file()


async def test_our_own_writing_is_no_touching(
    journal: Journal, guard: JournalGuard, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("edge.journal_file.CHECKPOINT_PAGES", 8)
    for _ in range(20):
        await journal.append([draft() for _ in range(50)])
        reader = sqlite3.connect(f"file:{tmp_path / FILE_NAME}?mode=ro", uri=True)
        reader.execute("SELECT count(*) FROM row").fetchone()
        await beats(guard)
        reader.close()
    assert await told(journal) == []


async def test_a_commit_that_was_refused_is_no_touching(journal: Journal, guard: JournalGuard) -> None:
    journal._file._db.execute("PRAGMA max_page_count = 1")
    for _ in range(3):
        journal.blocked = None
        with pytest.raises(journal_module.JournalFull):
            await journal.append([draft() for _ in range(200)])
        await beats(guard)
    journal._file._db.execute("PRAGMA max_page_count = 100000")
    journal.blocked = None
    await beats(guard)
    assert await told(journal) == []


EDIT = "UPDATE row SET bytes = replace(bytes, 'closed', 'opened') WHERE seq = "
TOUCHED = {
    "a new row edited": (EDIT + "650", "changed", 650),
    "an old row edited": (EDIT + "9", "changed", 9),
    "a new row removed": ("DELETE FROM row WHERE seq = 690", "missing", 690),
    "the newest removed": (f"DELETE FROM row WHERE seq = {ROWS}", "missing", ROWS),
    "an old row removed": ("DELETE FROM row WHERE seq = 3", "missing", 3),
    "a state": ("INSERT OR REPLACE INTO point_state VALUES ('x', 'open', 'good', 0, NULL, 0)", "sound", 0),
    "a mark": ("UPDATE mark SET value = '400' WHERE name = 'session'", "sound", 0),
}


@pytest.mark.parametrize(("statement", "verdict", "row"), TOUCHED.values(), ids=TOUCHED)
async def test_an_edit_through_sqlite_is_found_at_the_next_beat(
    journal: Journal, guard: JournalGuard, tmp_path: Path, statement: str, verdict: str, row: int
) -> None:
    await beats(guard)
    edit(tmp_path, statement)
    await beats(guard)
    assert await told(journal) == [{"verdict": verdict, "row": row}]
    await beats(guard, 3)
    assert len(await told(journal)) == 1, "the same is told once"


async def test_a_row_in_the_place_of_our_next_ends_the_agent_and_begins_another_journal(
    journal: Journal, guard: JournalGuard, tmp_path: Path
) -> None:
    edit(tmp_path, f"INSERT INTO row SELECT {ROWS + 1}, bytes, hash FROM row WHERE seq = 1")
    assert await journal.check_newest() == Flaw(Verdict.ADDED, ROWS + 1)
    with pytest.raises(JournalFailed):
        await beats(guard)
    await journal.close()
    again = await Journal.open(tmp_path, EDGE, FixedClock())
    (row,) = await again.rows(1, 10)
    assert decode_row(row.raw).kind == "journal.damaged"
    assert again.epoch > journal.epoch
    await again.close()


async def test_a_chain_computed_anew_is_found_at_the_next_beat(
    journal: Journal, guard: JournalGuard, tmp_path: Path
) -> None:
    await beats(guard)
    db = sqlite3.connect(tmp_path / FILE_NAME)
    previous = chain.anchor(EDGE, journal.epoch)
    for seq, raw in db.execute("SELECT seq, bytes FROM row ORDER BY seq").fetchall():
        forged = raw.replace(b"closed", b"opened") if seq == 5 else raw
        previous = chain.link(previous, forged)
        db.execute("UPDATE row SET bytes = ?, hash = ? WHERE seq = ?", (forged, previous, seq))
    db.commit()
    db.close()
    start = Place(0, chain.anchor(EDGE, journal.epoch))
    read = scrub.read_on(tmp_path / FILE_NAME, start, Place(ROWS, journal.head_hash), 10 * ROWS)
    assert read == Flaw(Verdict.CHANGED, ROWS), "though every row follows the one before it"
    await beats(guard)
    (row,) = await told(journal)
    assert row["verdict"] == "changed"


async def test_an_edit_of_the_bytes_is_found_when_the_reading_comes_round(
    journal: Journal, guard: JournalGuard, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(journal_guard, "SLICE_ROWS", 100)
    guard._slice_rows = 100
    journal._file.checkpoint()
    path = tmp_path / FILE_NAME
    raw = path.read_bytes()
    at = raw.find(b'"seq":333')
    assert at > 0
    with path.open("r+b") as file:
        file.seek(at - 5)
        file.write(b"X")
    await beats(guard, 3)
    assert await told(journal) == []
    await beats(guard)
    (row,) = await told(journal)
    assert (row["row"], row["verdict"]) == (333, "changed")


async def test_rows_that_are_trimmed_while_they_are_read_are_no_flaw(
    journal: Journal, guard: JournalGuard
) -> None:
    guard._slice_rows = 10
    await beats(guard)
    await journal.set_marks({"trim_seq": "300"})
    await journal.trim()
    await beats(guard, 3)
    assert await told(journal) == []


async def test_rows_that_are_trimmed_in_the_middle_of_a_slice_are_no_flaw(
    journal: Journal, guard: JournalGuard, monkeypatch
) -> None:
    read_on = scrub.read_on

    def trim_first(*arguments):
        journal._file.set_marks({"trim_seq": "300"})
        journal._file.trim(300)
        return read_on(*arguments)

    monkeypatch.setattr(scrub, "read_on", trim_first)
    await beats(guard)
    assert journal.base == 300
    assert await told(journal) == []


@pytest.mark.parametrize("part", ["", "-wal", "-shm"])
async def test_a_file_that_is_gone_is_told_and_ends_the_agent(
    journal: Journal, guard: JournalGuard, tmp_path: Path, monkeypatch, part: str
) -> None:
    monkeypatch.setattr(journal_guard, "PARTING_S", 0.0)
    (tmp_path / (FILE_NAME + part)).unlink()
    with pytest.raises(JournalFailed):
        await beats(guard)
    assert await told(journal) == [{"verdict": "removed", "row": 0}]


async def test_a_folder_that_is_gone_is_told_and_ends_the_agent(
    journal: Journal, guard: JournalGuard, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(journal_guard, "PARTING_S", 0.0)
    shutil.rmtree(tmp_path)
    with pytest.raises(JournalFailed):
        await guard.run()
    assert await told(journal) == [{"verdict": "removed", "row": 0}]


async def test_a_file_in_the_place_of_ours_is_told_and_ends_the_agent(
    journal: Journal, guard: JournalGuard, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(journal_guard, "PARTING_S", 0.0)
    path = tmp_path / FILE_NAME
    (tmp_path / "other.db").write_bytes(path.read_bytes())
    (tmp_path / "other.db").replace(path)
    with pytest.raises(JournalFailed):
        await beats(guard)
    assert await told(journal) == [{"verdict": "replaced", "row": 0}]


async def test_the_log_alone_gone_costs_no_row(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / f"{FILE_NAME}-wal").unlink()
    await journal.append([draft()])
    head = (journal.head, journal.head_hash)
    await journal.close()
    again = await Journal.open(tmp_path, EDGE, FixedClock())
    assert (again.head, again.head_hash) == head
    await again.close()


async def test_low_disk_is_told_once_and_so_is_its_end(
    journal: Journal, guard: JournalGuard, monkeypatch
) -> None:
    free = [10**6]
    monkeypatch.setattr(journal_guard, "_room", lambda _: (free[0], 10**12))
    journal.shedding = Shedding({DOOR: "modem"})
    await guard.look_at_disk()
    await guard.look_at_disk()
    assert await told(journal, "disk.low") == [{"free_mb": 0}]
    assert (journal.is_disk_low, journal.is_disk_short) == (True, True)
    await journal.keep(proposal("modem.unregistered"), lambda _: None)
    free[0] = 10**12
    await guard.look_at_disk()
    await guard.look_at_disk()
    assert await told(journal, "disk.enough") == [{"free_mb": 10**12 // 2**20}]
    assert await told(journal, "telemetry.shed") == [{"rows": 1}]


async def test_low_disk_is_known_over_a_restart(tmp_path: Path, monkeypatch) -> None:
    for free in (10**6, 10**12):
        journal = await Journal.open(tmp_path, EDGE, FixedClock())
        monkeypatch.setattr(journal_guard, "_room", lambda _, free=free: (free, 10**12))
        await JournalGuard(journal, FixedClock()).look_at_disk()
        kinds = [decode_row(row.raw).kind for row in await journal.rows(1, 10)]
        await journal.close()
    assert kinds == ["disk.low", "disk.enough"]


async def test_a_blocked_journal_that_nobody_writes_to_heals_at_the_next_look(
    journal: Journal, guard: JournalGuard, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(journal_guard, "_room", lambda _: PLENTY)
    await guard.look_at_disk()
    journal._file._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(journal_module.JournalFull):
        await journal.append([draft() for _ in range(200)])
    assert not (tmp_path / NAME).exists()
    journal._file._db.execute("PRAGMA max_page_count = 100000")
    await guard.look_at_disk()
    assert not journal.is_blocked
    assert (tmp_path / NAME).exists()


async def test_what_finds_no_room_to_be_told_is_told_later(
    journal: Journal, guard: JournalGuard, tmp_path: Path
) -> None:
    await beats(guard)
    edit(tmp_path, "DELETE FROM row WHERE seq = 690")
    append = journal.append

    async def full(*_args) -> None:
        raise journal_module.JournalFull("no room")

    journal.append = full  # type: ignore[method-assign]
    await beats(guard)
    journal.append = append  # type: ignore[method-assign]
    await journal.tell_owed()
    assert await told(journal) == [{"verdict": "missing", "row": 690}]
    await journal.tell_owed()
    assert len(await told(journal)) == 1


async def test_the_task_looks_at_every_beat_until_it_is_cancelled(
    journal: Journal, guard: JournalGuard, monkeypatch
) -> None:
    monkeypatch.setattr(journal_guard, "BEAT_INTERVAL_S", 0.001)
    looks = asyncio.Semaphore(0)
    look = guard.look_at_file

    async def counted() -> None:
        await look()
        looks.release()

    monkeypatch.setattr(guard, "look_at_file", counted)
    task = asyncio.create_task(guard.run())
    for _ in range(3):
        await asyncio.wait_for(looks.acquire(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
