"""Every damage that a start can find: a typed outcome, evidence kept, an epoch that never was."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from contract.rows import decode_row
from edge.errors import EdgeError, JournalFailed
from edge.journal import Journal
from edge.journal_file import FILE_NAME, JournalFile
from edge.journal_opening import BEGUN_ANEW, EPOCH_NAME, SUSPECT_NAME, begin_anew, suspect
from edge.journal_verify import verify
from tests.support.journals import EDGE, NOW_MS, FixedClock, draft

IN_1970 = 12_345
ROWS = 300


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A journal of 300 rows, 200 of them receipted, whose agent was killed: its log is still there."""
    journal = await Journal.open(tmp_path / "was", EDGE, FixedClock())
    await journal.append([draft() for _ in range(ROWS - 10)])
    journal._file.checkpoint()
    await journal.append([draft() for _ in range(10)])
    receipted = await journal.hash_at(200)
    assert receipted is not None
    await journal.set_marks({"receipt_seq": "200", "receipt_hash": receipted.hex()})
    shutil.copytree(tmp_path / "was", tmp_path / "data")
    await journal.close()
    return tmp_path / "data"


def exists(path: Path) -> bool:
    return path.exists()


def set_aside(folder: Path) -> list[str]:
    return sorted(found.name for found in folder.glob("journal.damaged-*.db"))


def edit(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as db, db:
        for statement in statements:
            db.execute(statement)


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def settle(folder: Path) -> None:
    """Without a log: what the file holds is all there is."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def alien_log(folder: Path) -> None:
    other = JournalFile(folder / "other.db", EDGE, 1)  # type: ignore[arg-type]
    other.append([draft() for _ in range(400)], {})
    shutil.copy(folder / "other.db-wal", folder / f"{FILE_NAME}-wal")
    (folder / f"{FILE_NAME}-shm").unlink(missing_ok=True)
    other.close()


def folder_in_its_place(folder: Path, part: str) -> None:
    (folder / (FILE_NAME + part)).unlink(missing_ok=True)
    (folder / (FILE_NAME + part)).mkdir()


def truncated(folder: Path) -> None:
    settle(folder)
    os.truncate(folder / FILE_NAME, 3 * 4096 + 100)


def zeroed_root(folder: Path) -> None:
    settle(folder)
    overwrite(folder / FILE_NAME, 4096, bytes(4096))


def zeroed_newest(folder: Path) -> None:
    settle(folder)
    size = (folder / FILE_NAME).stat().st_size
    overwrite(folder / FILE_NAME, size - 4096, bytes(4096))


def zeroed_middle(folder: Path) -> None:
    """The rows at both ends can be read."""
    settle(folder)
    overwrite(folder / FILE_NAME, 8 * 4096, bytes(4096))


def found(code: int) -> sqlite3.Error:
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = code
    return error


MALFORMED = found(sqlite3.SQLITE_CORRUPT)
DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": truncated,
    "empty": lambda folder: [(folder / (FILE_NAME + part)).write_bytes(b"") for part in ("", "-wal", "-shm")],
    "wrong header": lambda folder: overwrite(folder / FILE_NAME, 0, b"no database at all"),
    "first page zeroed": lambda folder: overwrite(folder / FILE_NAME, 0, bytes(4096)),
    "rows' root zeroed": zeroed_root,
    "newest page zeroed": zeroed_newest,
    "log of another journal": alien_log,
    "a folder in its place": lambda folder: folder_in_its_place(folder, ""),
    "a folder in its log's place": lambda folder: folder_in_its_place(folder, "-wal"),
    "removed": lambda folder: [found.unlink() for found in folder.glob(f"{FILE_NAME}*")],
    "cut below the receipt": lambda folder: edit(folder, "DELETE FROM row WHERE seq > 150"),
    "another edge's": lambda folder: edit(folder, "UPDATE mark SET value = 'linhu' WHERE name = 'edge'"),
    "epoch that is none": lambda folder: edit(folder, "UPDATE mark SET value = '-5' WHERE name = 'epoch'"),
    "epoch in words": lambda folder: edit(folder, "UPDATE mark SET value = 'x' WHERE name = 'epoch'"),
    "session in words": lambda folder: edit(folder, "UPDATE mark SET value = 'x' WHERE name = 'session'"),
    "receipt in words": lambda folder: edit(folder, "UPDATE mark SET value = 'x' WHERE name = 'receipt_seq'"),
    "receipt of another row": lambda folder: edit(
        folder, "UPDATE mark SET value = 'ab' WHERE name = 'receipt_hash'"
    ),
    "newest row that is none": lambda folder: edit(folder, "UPDATE row SET bytes = X'00' WHERE seq = 300"),
    "no table of rows": lambda folder: edit(folder, "DROP TABLE row", "CREATE TABLE row(x)"),
    "no table of states": lambda folder: edit(
        folder, "DROP TABLE point_state", "CREATE TABLE point_state(is_ajar)"
    ),
    "a trigger": lambda folder: edit(
        folder, "CREATE TRIGGER t AFTER INSERT ON row BEGIN DELETE FROM row WHERE seq = new.seq; END"
    ),
    "a state of numbers": lambda folder: edit(
        folder, "INSERT INTO point_state VALUES ('x', 1, 'good', 'soon', 'many', 0)"
    ),
    "found damaged by the last run": lambda folder: suspect(folder, found(sqlite3.SQLITE_CONSTRAINT)),
    "found damaged, and it is": lambda folder: [zeroed_middle(folder), suspect(folder, MALFORMED)],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("now_ms", [NOW_MS + 1, IN_1970], ids=["clock right", "clock in 1970"])
async def test_a_damaged_journal_is_kept_and_another_goes_on_in_a_new_epoch(
    folder: Path, damage: Callable[[Path], object], now_ms: int
) -> None:
    damage(folder)
    was_there = exists(folder / FILE_NAME)
    journal = await Journal.open(folder, EDGE, FixedClock(now_ms))
    first = decode_row((await journal.rows(1, 1))[0].raw)
    await journal.append([draft()])
    await journal.close()
    assert first.kind == "journal.damaged"
    assert first.data["reason"]
    assert journal.epoch > NOW_MS
    if was_there and "file" in first.data:
        assert exists(folder / str(first.data["file"]))
    assert verify(folder / FILE_NAME).bad_seq is None
    again = await Journal.open(folder, EDGE, FixedClock(now_ms))
    assert (again.epoch, again.head) == (journal.epoch, 2), "told once"
    await again.close()


async def test_what_was_killed_goes_on(folder: Path) -> None:
    journal = await Journal.open(folder, EDGE, FixedClock())
    assert (journal.epoch, journal.head) == (NOW_MS, ROWS)
    await journal.close()


async def test_a_read_that_failed_in_passing_costs_no_journal_at_the_next_start(folder: Path) -> None:
    suspect(folder, MALFORMED)
    for _ in range(2):
        journal = await Journal.open(folder, EDGE, FixedClock())
        assert (journal.epoch, journal.head) == (NOW_MS, ROWS)
        await journal.close()
    assert not exists(folder / SUSPECT_NAME)


async def test_a_log_that_is_lost_costs_its_rows_and_below_the_receipt_the_journal(folder: Path) -> None:
    edit(folder, "DELETE FROM row WHERE seq > 295")  # the file itself ends before its receipt
    (folder / f"{FILE_NAME}-wal").unlink(missing_ok=True)
    journal = await Journal.open(folder, EDGE, FixedClock())
    assert (journal.epoch, journal.head) == (NOW_MS, 295), "the centre alone can tell that there was more"
    await journal.close()


async def test_two_damages_in_one_millisecond_are_two_epochs_and_two_files(tmp_path: Path) -> None:
    epochs = []
    for _ in range(3):
        journal = await Journal.open(tmp_path, EDGE, FixedClock(NOW_MS))
        epochs.append(journal.epoch)
        await journal.close()
        (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    assert epochs == [NOW_MS, NOW_MS + 1, NOW_MS + 2]
    assert len(set_aside(tmp_path)) == 2


async def test_the_epoch_of_a_damaged_journal_is_read_where_no_file_tells_it(folder: Path) -> None:
    (folder / EPOCH_NAME).unlink()
    edit(folder, "UPDATE row SET bytes = X'00' WHERE seq = 300")
    journal = await Journal.open(folder, EDGE, FixedClock(IN_1970))
    assert journal.epoch == NOW_MS + 1
    await journal.close()


async def test_the_names_of_what_was_set_aside_are_known_epochs_too(folder: Path) -> None:
    (folder / EPOCH_NAME).write_text("no number")
    (folder / f"journal.damaged-{NOW_MS + 7}.db").touch()
    (folder / FILE_NAME).write_bytes(b"no database at all" * 100)
    journal = await Journal.open(folder, EDGE, FixedClock(IN_1970))
    assert journal.epoch == NOW_MS + 8
    await journal.close()


async def test_a_first_start_in_1970_is_a_first_start(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, EDGE, FixedClock(0))
    assert (journal.epoch, journal.head) == (1, 0)
    await journal.close()


async def test_a_number_that_is_no_epoch_leaves_no_mark_on_the_next(tmp_path: Path) -> None:
    (tmp_path / EPOCH_NAME).write_text(str(2**53))
    journal = await Journal.open(tmp_path, EDGE, FixedClock())
    assert journal.epoch == NOW_MS
    await journal.close()


async def test_what_cannot_be_opened_at_all_is_an_operating_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(JournalFailed):
        await Journal.open(tmp_path / "data", EDGE, FixedClock())


async def test_a_journal_that_may_not_be_read_is_an_operating_error_and_stays(
    folder: Path, monkeypatch
) -> None:
    def refused(*_args, **_options):
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    monkeypatch.setattr("edge.journal_file.sqlite3.connect", refused)
    with pytest.raises(EdgeError) as caught:
        await Journal.open(folder, EDGE, FixedClock())
    assert caught.value.code == "edge.journal_failed"
    assert not set_aside(folder)


async def test_a_sound_journal_that_was_given_up_is_kept_and_followed_by_another(folder: Path) -> None:
    begin_anew(folder)
    journal = await Journal.open(folder, EDGE, FixedClock())
    (first,) = await journal.rows(1, 1)
    assert decode_row(first.raw).data["reason"] == BEGUN_ANEW
    (aside,) = set_aside(folder)
    assert aside == f"journal.damaged-{journal.epoch}.db"
    assert verify(folder / aside).last == ROWS
    await journal.close()
    again = await Journal.open(folder, EDGE, FixedClock())
    assert again.epoch == journal.epoch
    await again.close()
