"""`casewatch edge` as a technician types it."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract.ids import EdgeId, Epoch
from contract.points import Clock
from edge.clock import Stamp
from edge.commands import app
from edge.journal_file import FILE_NAME, JournalFile
from edge.proposals import Draft
from tests.support.edge_settings import SOUND

SETTINGS = SOUND.replace('data_dir = "edge"', 'data_dir = "."')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with sound settings and a journal of three rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edge.toml").write_text(SETTINGS)
    file = JournalFile(tmp_path / FILE_NAME, EdgeId("liuxu"), Epoch(7))
    for n in range(3):
        file.append([Draft("edge.started", Stamp(n, n, "b0", Clock.FREE), data={"session": n})], {})
    file.close()
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


def test_check_of_sound_settings_tells_use_and_blind_time(folder: Path) -> None:
    assert folder
    assert run("check", "edge.toml") == (
        0,
        "bus io: 1 read, 15% in use, blind 140 ms\nedge.toml: 0 faults, 0 warnings\n",
    )


def test_check_of_faulty_settings_lists_them_and_ends_with_1(folder: Path) -> None:
    (folder / "edge.toml").write_text(SETTINGS.replace("di:0", "di:99") + "interval = 5\n[medai]\n")
    code, output = run("check", "edge.toml")
    assert code == 1
    assert output.splitlines()[-1] == "edge.toml: 3 faults, 0 warnings"


def test_run_refuses_faulty_settings(folder: Path) -> None:
    (folder / "edge.toml").write_text("[edge]\n")
    code, output = run("run", "edge.toml")
    assert code == 1
    assert "edge.id: is missing" in output


@pytest.mark.parametrize("journal_of", ["edge.toml", "journal.db", "."])
def test_verify_takes_the_settings_or_the_journal(folder: Path, journal_of: str) -> None:
    assert folder
    code, output = run("journal", "verify", journal_of)
    assert code == 0
    told, unproven = output.splitlines()
    assert told.endswith("journal.db: edge liuxu, epoch 7: rows 1 to 3 are sound")
    assert "no receipt is here" in unproven


def test_verify_names_the_first_bad_row_and_ends_with_1(folder: Path) -> None:
    db = sqlite3.connect(folder / FILE_NAME)
    with db:
        db.execute("DELETE FROM row WHERE seq = 2")
    db.close()
    code, output = run("journal", "verify", "journal.db")
    assert code == 1
    assert "row 2 is missing: the next row is 3" in output


def test_verify_of_something_else_is_one_line(folder: Path) -> None:
    (folder / "other.db").write_bytes(b"nothing of ours" * 100)
    code, output = run("journal", "verify", "other.db")
    assert code == 1
    assert output.startswith("other.db: cannot be read as a journal")
    assert run("journal", "verify", "absent.db")[0] == 1


def test_tail_prints_the_newest_rows_as_they_are_hashed(folder: Path) -> None:
    assert folder
    code, output = run("journal", "tail", "journal.db", "-n", "2", "--raw")
    assert code == 0
    assert [line.rpartition('"seq":')[2] for line in output.splitlines()] == ["2}", "3}"]
