"""Verify, backup and restore as commands on a real store, beside a centre that runs."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select

from central.accounts.schema import invitation, web_session
from central.store import backup
from central.store.database import Store
from central.store.schema import audit, event, store_identity
from central.trust import keys
from central.trust.schema import edge_key, enrolment_code, store_opening
from tests.support.county import T0, Journal
from tests.support.county_files import CountyFiles
from tests.support.eventually import eventually
from tests.support.processes import Process
from tests.support.signed_store import SignedStore

T = TypeVar("T")
ROWS = 40


@pytest.fixture
def county(tmp_path: Path) -> CountyFiles:
    """With a store of one signed chain."""
    files = CountyFiles(tmp_path)
    fill(files, ROWS)
    return files


def fill(files: CountyFiles, rows: int) -> None:
    async def do() -> None:
        store = Store(files.url)
        await store.open()
        made = SignedStore(store, files.data_dir)
        await made.enrol()
        journal = Journal()
        for n in range(rows):
            journal.write("door.open" if n % 2 else "door.closed", at=T0 + n)
        await made.fill(journal)
        await store.close()

    asyncio.run(do())


def in_store(files: CountyFiles, act: Callable[[Store], T]) -> T:
    async def do():
        store = Store(files.url)
        await store.open()
        try:
            return await act(store)
        finally:
            await store.close()

    return asyncio.run(do())


def column(files: CountyFiles, wanted) -> list:
    return in_store(files, lambda store: store.read(lambda conn: list(conn.scalars(select(wanted)))))


def started(files: CountyFiles) -> Process:
    centre = files.centre()
    centre.log.unlink(missing_ok=True)
    centre.start()
    eventually(lambda: "central_ready" in centre.log.read_text(), within_s=30)
    return centre


def tamper(store: Path, *statements: str) -> None:
    db = sqlite3.connect(store)
    with db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)
    db.close()


def test_a_sound_store_is_told_chain_by_chain_also_while_the_centre_runs(county: CountyFiles) -> None:
    centre = started(county)
    try:
        told = county.run("verify")
    finally:
        assert centre.stop() == 0
    assert told.returncode == 0, told.stderr
    assert f"liuxu, epoch 7: sound, {ROWS} rows up to {ROWS}, signed up to {ROWS}, " in told.stdout
    assert told.stdout.endswith(f"{ROWS} rows in 1 chains: all sound\n")
    assert told.stderr == ""


def test_the_first_bad_row_is_named_in_words(county: CountyFiles) -> None:
    tamper(county.store, "UPDATE event SET row = replace(row, 'door', 'doos') WHERE seq = 17")
    told = county.run("verify", "--edge", "liuxu")
    assert told.returncode == 1
    assert "liuxu, epoch 7, row 17 " in told.stdout
    assert "no chain of edge linhu" in county.run("verify", "--edge", "linhu").stderr


def test_a_file_that_is_no_store_any_more_is_said_to_be_so(county: CountyFiles) -> None:
    county.store.write_bytes(b"x" * 8_192)
    told = county.run("verify")
    assert told.returncode == 74
    assert "store.unavailable" in told.stderr


def test_a_backup_beside_a_running_centre_is_whole_and_can_be_restored(
    county: CountyFiles, tmp_path: Path
) -> None:
    copy = tmp_path / "backups" / "monday.db"
    centre = started(county)
    try:
        made = county.run("backup", str(copy))
        refused = county.run("restore", str(copy))
    finally:
        centre.stop()
    county.store.chmod(0o640)
    assert made.returncode == 0, made.stderr
    assert f"liuxu, epoch 7: sound, {ROWS} rows" in made.stdout
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["monday.db"]
    assert refused.returncode == 74
    assert "store.in_use" in refused.stderr
    assert str(centre.pid) in refused.stderr

    epoch = column(county, store_identity.c.epoch)
    restored = county.run("restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    assert county.store.stat().st_mode & 0o777 == 0o640
    assert len(column(county, event.c.id)) == ROWS
    assert column(county, store_identity.c.epoch) != epoch
    assert column(county, store_opening.c.reason) == ["start", "restore"]
    assert "store.restored" in column(county, audit.c.what)
    asides = [path for path in county.data_dir.iterdir() if ".aside-" in path.name]
    assert len(asides) == 1
    assert str(asides[0]) in restored.stdout
    assert county.run("verify").returncode == 0
    assert started(county).stop() == 0


def test_no_backup_is_written_over_another(county: CountyFiles, tmp_path: Path) -> None:
    copy = tmp_path / "monday.db"
    assert county.run("backup", str(copy)).returncode == 0
    before = copy.read_bytes()
    again = county.run("backup", str(copy))
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert copy.read_bytes() == before


def test_a_backup_of_a_store_that_is_not_sound_is_made_and_says_so(
    county: CountyFiles, tmp_path: Path
) -> None:
    tamper(county.store, "DELETE FROM event WHERE seq = 17")
    made = county.run("backup", str(tmp_path / "monday.db"))
    assert made.returncode == 1
    assert "row 17 is missing" in made.stdout
    assert (tmp_path / "monday.db").exists()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: tamper(path, "DELETE FROM event WHERE seq = 17"), "row 17 is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[: 20 * 4_096]), "store.bad_copy"),
        (lambda path: path.write_bytes(b"no store"), "not a database"),
        (lambda path: path.unlink(), "cannot be copied"),
    ],
    ids=["tampered", "cut", "no store", "not there"],
)
def test_a_bad_copy_is_refused_and_the_store_stays(
    county: CountyFiles, tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    copy = tmp_path / "monday.db"
    assert county.run("backup", str(copy)).returncode == 0
    harm(copy)
    before = sorted(path.name for path in county.data_dir.iterdir())
    refused = county.run("restore", str(copy))
    assert refused.returncode == 74, refused.stdout
    assert words in refused.stderr
    assert {path.name for path in county.data_dir.iterdir()} == {*before, "casewatch.db.lock"}
    assert len(column(county, event.c.id)) == ROWS


def test_a_restored_store_opens_no_door_that_was_shut_since(county: CountyFiles, tmp_path: Path) -> None:
    def as_it_was(tx) -> None:
        tx.conn.execute(
            enrolment_code.insert().values(code_hash="c", edge="liuxu", made_ms=1, expires_ms=2**50)
        )
        tx.conn.execute(
            invitation.insert().values(
                code_hash="i", role="watcher", made_by="1", made_ms=1, expires_ms=2**50
            )
        )

    def since(tx) -> None:
        keys.revoke(tx.conn, "liuxu", "stolen", T0 + 5)
        keys.enrol(
            tx.conn, "liuxu", public="ab" * 32, certificate="-", expires_ms=1, now_ms=T0 + 6, reason="new box"
        )

    in_store(county, lambda store: store.write(as_it_was))
    copy = tmp_path / "monday.db"
    assert county.run("backup", str(copy)).returncode == 0
    in_store(county, lambda store: store.write(since))
    assert county.run("restore", str(copy)).returncode == 0
    assert column(county, edge_key.c.revoked_ms) == [T0 + 5, None]
    assert column(county, edge_key.c.reason) == ["stolen", "new box"]
    assert None not in column(county, enrolment_code.c.used_ms)
    assert "i" not in column(county, invitation.c.code_hash)
    assert column(county, web_session.c.token_hash) == []


def test_a_copy_takes_the_place_of_a_damaged_store_and_of_none(county: CountyFiles, tmp_path: Path) -> None:
    copy = tmp_path / "monday.db"
    assert county.run("backup", str(copy)).returncode == 0
    county.store.write_bytes(b"x" * 8_192)
    restored = county.run("restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    assert "no keys could be taken over" in restored.stdout
    assert county.run("verify").returncode == 0
    county.store.unlink()
    assert county.run("restore", str(copy)).returncode == 0
    assert county.run("verify").returncode == 0


def test_a_store_that_any_program_has_open_is_not_replaced(county: CountyFiles, tmp_path: Path) -> None:
    copy = tmp_path / "monday.db"
    assert county.run("backup", str(copy)).returncode == 0
    db = sqlite3.connect(county.store)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("SELECT count(*) FROM event").fetchone()
    refused = county.run("restore", str(copy))
    db.close()
    assert refused.returncode == 74
    assert "store.in_use" in refused.stderr


def test_a_copy_is_not_begun_again_by_what_is_written_meanwhile(
    county: CountyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "STEP_PAGES", 4)
    writer = sqlite3.connect(county.store, check_same_thread=False)
    done: list[int] = []

    def write_between(pages: int, _total: int) -> None:
        done.append(pages)
        with writer:
            writer.execute("UPDATE edge_cursor SET hash = hash")

    backup.copy(county.store, tmp_path / "copy.db", write_between)
    writer.close()
    assert len(done) > 5
    assert done == sorted(set(done))
    backup.check_integrity(tmp_path / "copy.db")


def test_postgres_is_copied_by_its_own_tools_which_are_named(tmp_path: Path) -> None:
    files = CountyFiles(tmp_path, "postgresql+psycopg://watch:secret@db.invalid/casewatch")
    for words in (("backup", "x"), ("restore", "x")):
        refused = files.run(*words)
        assert refused.returncode == 2
        assert "secret" not in refused.stderr
    assert "pg_restore" in refused.stderr
    assert (
        'pg_dump --format=custom --file=FILE "postgresql://watch@db.invalid/casewatch"'
        in files.run("backup", "x").stderr
    )


def test_what_the_databases_own_tools_restored_is_written_down(county: CountyFiles) -> None:
    epoch = column(county, store_identity.c.epoch)
    assert county.run("restore", "--done").returncode == 0
    assert column(county, store_opening.c.reason) == ["restore"]
    assert column(county, store_identity.c.epoch) != epoch
    assert county.run("restore").returncode == 2


def test_a_second_centre_on_one_store_ends_at_once(county: CountyFiles, tmp_path: Path) -> None:
    first = started(county)
    settings = (tmp_path / "central.toml").read_text()
    (tmp_path / "central.toml").write_text(settings.replace(f"port = {county.web_port}", "port = 0"))
    try:
        second = county.run("run")
    finally:
        first.stop()
    assert second.returncode == 74
    assert "store.in_use" in second.stderr
    assert str(first.pid) in second.stderr
