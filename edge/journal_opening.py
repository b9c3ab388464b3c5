"""Opens the journal of a data folder, or begins a new one where the old cannot go on. Nothing is thrown away.

A damaged journal is renamed, with its write-ahead log, and kept as evidence: `journal.damaged-{epoch}.db`,
after the epoch that begins in its place. An epoch is named by its first moment in wall ms, but a clock can be
set back: it is also greater than every epoch that this folder knows of, from the file `epoch`, from the
names of what was set aside, and from the damaged journal itself where that can still be read.

    epoch              the newest epoch of this folder; tells a journal that is gone from a first start
    journal.suspect    what the running agent found wrong with its journal, or that a technician gave it up:
                       the next start acts on it
"""

import os
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from contract.ids import EdgeId, Epoch
from edge.errors import JournalDamaged, JournalFull
from edge.journal_file import FILE_NAME, PARTS, JournalFile
from edge.journal_verify import verify
from edge.reserve import Reserve
from edge.sqlite_faults import operating

OWED_MARK = "owed"
"""What the first row has yet to say, for a start that finds no room for that row."""
EPOCH_NAME = "epoch"
SUSPECT_NAME = "journal.suspect"
PERHAPS = "perhaps: "
"""A read that failed in passing looks like a malformed file: the next start reads all before it acts."""
REASON_MAX_CHARS = 200
EPOCH_MAX = 2**52
"""Half of what the wire carries. A greater number is no epoch of ours, and leaves no room after it."""
BEGUN_ANEW = "begun anew by a technician"
_ASIDE = re.compile(r"journal\.damaged-(\d{1,16})\.db")


def open_journal(data_dir: Path, edge: EdgeId, now_ms: int) -> tuple[JournalFile, dict[str, str]]:
    """The journal, and what its first row is to say of the one before it: empty where all is well.

    Raises OSError and sqlite3.Error for the disk's faults.
    """
    path = data_dir / FILE_NAME
    known = _known_epochs(data_dir)
    epoch = _new_epoch(known, now_ms)
    evidence: dict[str, str] = {}
    try:
        _check_suspect(data_dir)
        file = _look_twice(path, edge, epoch)
        _check_epoch(file, _noted_epoch(data_dir))
    except JournalDamaged as error:
        epoch = _new_epoch([*known, _epoch_in(path)], now_ms)
        evidence = {"file": _set_aside(data_dir, epoch), "reason": str(error)[:REASON_MAX_CHARS]}
        file = JournalFile(path, edge, epoch)
    if file.is_new and known and not evidence:
        evidence = {"reason": f"the journal of epoch {max(known)} is gone"}
    if evidence:
        file.set_marks({OWED_MARK: msgspec.json.encode(evidence).decode()})
    elif owed := file.mark(OWED_MARK):
        evidence = msgspec.json.decode(owed, type=dict[str, str])
    if file.epoch != _noted_epoch(data_dir):
        _note(data_dir / EPOCH_NAME, str(file.epoch))
    return file, evidence


def _look_twice(path: Path, edge: EdgeId, epoch: Epoch) -> JournalFile:
    """A read that failed in passing looks like damage. Raises JournalDamaged where it does so again."""
    with suppress(JournalDamaged):
        return JournalFile(path, edge, epoch)
    return JournalFile(path, edge, epoch)


def open_in_reserve(data_dir: Path, edge: EdgeId, now_ms: int) -> tuple[JournalFile, dict[str, str]]:
    """The journal; a disk that has no room for its opening is helped with the reserve."""
    try:
        return open_journal(data_dir, edge, now_ms)
    except (OSError, sqlite3.Error) as error:
        if not isinstance(operating(error), JournalFull) or not Reserve(data_dir).release():
            raise
        return open_journal(data_dir, edge, now_ms)


def suspect(data_dir: Path, error: sqlite3.Error) -> None:
    """The next start is to look at this journal. On a full disk it cannot be told, and is found again."""
    doubt = PERHAPS if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT else ""
    with suppress(OSError):
        _note(data_dir / SUSPECT_NAME, f"{doubt}{error}"[:REASON_MAX_CHARS])


def begin_anew(data_dir: Path) -> None:
    """The next opening sets this journal aside, however sound, and begins another epoch. Raises OSError."""
    _note(data_dir / SUSPECT_NAME, BEGUN_ANEW)


def _check_suspect(data_dir: Path) -> None:
    """Raises JournalDamaged where the last run found its journal damaged, and it still is."""
    path = data_dir / SUSPECT_NAME
    if not path.is_file():
        return
    reason = path.read_text(errors="replace")[:REASON_MAX_CHARS]
    if not reason.startswith(PERHAPS) or not _is_sound(data_dir / FILE_NAME):
        raise JournalDamaged(reason.removeprefix(PERHAPS) or "found damaged")
    path.unlink()


def _is_sound(path: Path) -> bool:
    """Every page and every row."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            is_whole = db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        return is_whole and verify(path).bad_seq is None
    except (sqlite3.Error, ValueError, KeyError):
        return False


def _check_epoch(file: JournalFile, noted: int) -> None:
    """Another journal of ours in the place of the newest is not gone on with. Raises JournalDamaged."""
    if not file.is_new and file.epoch < noted < EPOCH_MAX:
        file.close()
        raise JournalDamaged(f"is of epoch {file.epoch}, and epoch {noted} was here since")


def _set_aside(data_dir: Path, epoch: Epoch) -> str:
    """Rename what is there; returns the name that it now has. The mark of suspicion goes last."""
    aside = f"journal.damaged-{epoch}.db"
    for part in PARTS:
        found = data_dir / (FILE_NAME + part)
        if found.exists() or found.is_symlink():
            found.rename(data_dir / (aside + part))
    (data_dir / SUSPECT_NAME).unlink(missing_ok=True)
    return aside


def _new_epoch(known: list[int], now_ms: int) -> Epoch:
    return Epoch(max(1, now_ms, *(epoch + 1 for epoch in known if 0 < epoch < EPOCH_MAX)))


def _known_epochs(data_dir: Path) -> list[int]:
    names = (_ASIDE.fullmatch(found.name) for found in data_dir.iterdir())
    epochs = [int(match[1]) for match in names if match]
    noted = _noted_epoch(data_dir)
    return [epoch for epoch in (*epochs, noted) if 0 < epoch < EPOCH_MAX]


def _noted_epoch(data_dir: Path) -> int:
    """0 where none is noted, or nothing that can be read as one."""
    try:
        return int((data_dir / EPOCH_NAME).read_text())
    except (OSError, ValueError):
        return 0


def _epoch_in(path: Path) -> int:
    """What a damaged journal still says of its epoch; 0 where it says nothing."""
    with (
        suppress(sqlite3.Error, ValueError, TypeError),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db,
    ):
        return int(db.execute("SELECT value FROM mark WHERE name = 'epoch'").fetchone()[0])
    return 0


def _note(path: Path, text: str) -> None:
    """Whole and durable, or not at all. Raises OSError."""
    draft = path.with_name(path.name + ".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
