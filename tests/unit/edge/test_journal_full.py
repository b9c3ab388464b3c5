"""A disk without room: nothing is lost, nothing spins, and it heals by itself."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from contract.ids import PointId, Seq
from contract.rows import decode_row
from device_drivers.driver import Observation
from edge import journal as journal_module
from edge.disk_watch import Shedding
from edge.errors import JournalFailed, JournalFull, JournalHeld
from edge.journal import Journal
from edge.journal_file import FILE_NAME, WAL_KEPT_BYTES, JournalFile
from edge.journal_verify import verify
from edge.points import Points
from edge.proposals import Proposal
from edge.reserve import NAME, RESERVE_BYTES, Reserve
from edge.retention import AGE_MARK, DAY_MINUTES
from edge.settings import PointSettings
from tests.support.journals import DOOR, EDGE, STAMP, FixedClock, Tries, draft, on_disk, proposal

MODEM = PointId("centre.modem")


@pytest.fixture
async def journal(tmp_path: Path, monkeypatch) -> AsyncIterator[Journal]:
    monkeypatch.setattr(journal_module, "BLOCKED_RETRY_S", 0.02)
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    yield journal
    give_room(journal)
    await journal.close()


def take_room(journal: Journal) -> None:
    """The file may not grow by one page. What the pages that it has still hold may be used."""
    journal._file._db.execute("PRAGMA max_page_count = 1")


def give_room(journal: Journal) -> None:
    journal._file._db.execute("PRAGMA max_page_count = 1000000")


async def fill(journal: Journal) -> None:
    """Until nothing goes in any more."""
    take_room(journal)
    with contextlib.suppress(JournalFull):
        while True:
            await journal.append([draft()])
    assert journal.is_full


async def test_a_full_disk_is_no_failed_journal(journal: Journal, tmp_path: Path) -> None:
    await fill(journal)
    head = journal.head
    assert [row[0] for row in on_disk(tmp_path)] == list(range(1, head + 1))
    give_room(journal)
    await journal.keep(proposal(), lambda _: None)
    assert journal.head == head + 1
    assert verify(tmp_path / FILE_NAME).bad_seq is None


async def test_what_found_no_room_is_neither_told_nor_known(journal: Journal, monkeypatch) -> None:
    heard = []
    journal.listener = lambda rows, _drafts: heard.extend(row.seq for row in rows)
    await fill(journal)
    told = len(heard)
    committed = []
    waiting = asyncio.create_task(journal.keep(proposal(), committed.append))
    await Tries(journal, monkeypatch).failed(3)
    assert (committed, len(heard), waiting.done()) == ([], told, False)
    give_room(journal)
    await waiting
    assert (len(committed), len(heard)) == (1, told + 1)


async def test_a_change_on_a_full_disk_keeps_its_moment_and_is_written_when_there_is_room(
    journal: Journal, monkeypatch
) -> None:
    door = PointSettings(id=DOOR, type="door", device="io1", channel="di:0")
    points = Points([door], [], {}, is_simulated=False, last_at=0)
    await journal.keep(points.observe("io1", [Observation("di:0", active=False)], STAMP), points.commit)
    await fill(journal)
    opened = points.observe("io1", [Observation("di:0", active=True)], STAMP)
    waiting = asyncio.create_task(journal.keep(opened, points.commit))
    await Tries(journal, monkeypatch).failed(2)
    assert points.states()[0].value == "closed"
    give_room(journal)
    await waiting
    (row,) = await journal.rows(journal.head, 1)
    assert (decode_row(row.raw).kind, decode_row(row.raw).at) == ("door.open", STAMP.at)
    assert points.states()[0].value == "open"


async def test_a_full_disk_is_tried_seldom_however_many_wait(journal: Journal, monkeypatch) -> None:
    monkeypatch.setattr(journal_module, "BLOCKED_RETRY_S", 0.1)
    await fill(journal)
    tries = Tries(journal, monkeypatch)

    async def out_of_step(n: int) -> None:
        await asyncio.sleep(n * journal_module.BLOCKED_RETRY_S / 50)
        await journal.keep(proposal(), lambda _: None)

    waiting = [asyncio.create_task(out_of_step(n)) for n in range(50)]
    await tries.failed(4)
    between_s = [after - before for before, after in pairwise(tries.begun_mono)]
    assert min(between_s) >= journal_module.BLOCKED_RETRY_S / 2
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_telemetry_is_shed_and_counted_and_the_rest_is_not(journal: Journal) -> None:
    journal.shedding = Shedding({DOOR: "door", MODEM: "modem"})
    journal.is_disk_short = True
    head = journal.head
    committed: list[Proposal] = []
    await journal.keep(proposal("modem.unregistered", MODEM), committed.append)
    assert (journal.head, committed, journal.shedding.rows) == (head, [], 1)
    await journal.keep(proposal(), committed.append)
    assert (journal.head, len(committed)) == (head + 1, 1)
    journal.is_disk_short = False
    await journal.keep(proposal("modem.unregistered", MODEM), committed.append)
    assert journal.head == head + 2


async def test_the_reserve_is_let_go_for_the_first_row_without_room(journal: Journal, tmp_path: Path) -> None:
    reserve = tmp_path / NAME
    assert reserve.stat().st_size == RESERVE_BYTES
    take_room(journal)
    rows = 0
    while reserve.exists():
        with contextlib.suppress(JournalFull):
            await journal.append([draft("door.open", DOOR, was="x" * 200)])
        rows += 1
        assert rows < 1_000
    give_room(journal)
    await journal.make_reserve()
    assert reserve.stat().st_size == RESERVE_BYTES


def test_a_reserve_without_room_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    def no_room(*_args) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", no_room)
    assert not Reserve(tmp_path).make()
    assert list(tmp_path.iterdir()) == []


async def test_a_failed_flush_is_still_the_end(journal: Journal, monkeypatch) -> None:
    def no_flush(*_args) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(journal._file, "append", no_flush)
        with pytest.raises(JournalFailed):
            await journal.keep(proposal(), lambda _: None)
    with pytest.raises(JournalFailed):
        await journal.append([draft()])


async def test_a_flush_that_fails_in_a_checkpoint_is_the_end_too(journal: Journal, monkeypatch) -> None:
    real = journal._file._db

    class Db:
        def __getattr__(self, name: str):
            return getattr(real, name)

        def execute(self, text: str, *arguments):
            if "wal_checkpoint" in text:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
            return real.execute(text, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(journal._file, "_db", Db())
        patch.setattr("edge.journal_file.CHECKPOINT_PAGES", 1)
        with pytest.raises(JournalFailed):
            await journal.append([draft()])


async def test_a_lock_that_another_holds_is_waited_for(journal: Journal, tmp_path: Path, monkeypatch) -> None:
    journal._file._db.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalHeld):
        await journal.append([draft()])
    waiting = asyncio.create_task(journal.keep(proposal(), lambda _: None))
    other.execute("ROLLBACK")
    other.close()
    await waiting
    assert journal.head == 1


async def test_the_write_ahead_log_begins_anew_and_stays_small(journal: Journal, tmp_path: Path) -> None:
    for _ in range(1_500):
        await journal.append([draft("door.open", DOOR, was="x" * 200)])
    log = tmp_path / f"{FILE_NAME}-wal"
    assert log.stat().st_size < 8 * 2**20


async def test_a_reader_that_never_ends_is_noticed_and_costs_no_row(
    journal: Journal, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("edge.journal_file.CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(journal_module, "WAL_LONG_PAGES", 40)
    await journal.append([draft()])
    reader = sqlite3.connect(f"file:{tmp_path / FILE_NAME}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM row").fetchone()
    for _ in range(60):
        await journal.append([draft()])
    assert journal._is_reader_told
    reader.close()
    for _ in range(60):
        await journal.append([draft()])
    assert not journal._is_reader_told
    assert verify(tmp_path / FILE_NAME).last == 121


async def test_a_log_that_grew_under_a_reader_is_cut_when_the_reader_ends(
    journal: Journal, tmp_path: Path
) -> None:
    await journal.append([draft()])
    reader = sqlite3.connect(f"file:{tmp_path / FILE_NAME}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM row").fetchone()
    log = tmp_path / f"{FILE_NAME}-wal"
    while log.stat().st_size <= 2 * WAL_KEPT_BYTES:
        await journal.append([draft("door.open", DOOR, was="x" * 200) for _ in range(200)])
    reader.close()
    journal._file.checkpoint()
    await journal.append([draft()])
    assert log.stat().st_size <= WAL_KEPT_BYTES


def test_rows_are_forgotten_a_day_after_their_receipt_where_the_disk_is_low(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / FILE_NAME, EDGE, STAMP.at)
    file.append([draft() for _ in range(10)], {})
    for day, receipted in enumerate((3, 6, 9), start=1):
        file.set_marks({AGE_MARK: str(day * DAY_MINUTES - 1)})
        file.grow_older(Seq(receipted))
    assert file.trim(100) == 0
    assert file.trim(100, is_disk_low=True) == 6
    file.close()


async def test_a_row_of_the_edge_itself_is_owed_in_order_and_written_once(journal: Journal) -> None:
    await fill(journal)
    head = journal.head
    for step_ms in (1, 2, 3):
        await journal.tell(draft("clock.stepped", None, step_ms=step_ms))
    with pytest.raises(JournalFull):
        await journal.tell_owed()
    give_room(journal)
    await journal.keep(proposal(), lambda _: None)
    await asyncio.gather(
        *(journal.tell(draft("clock.stepped", None, step_ms=n)) for n in (4, 5)), journal.tell_owed()
    )
    rows = [decode_row(row.raw) for row in await journal.rows(head + 2, 10)]
    assert [row.data["step_ms"] for row in rows] == [1, 2, 3, 4, 5]
