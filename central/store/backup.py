"""A whole copy of the store in one file, made while a centre runs on it, and looked at before it counts.

SQLite alone: a PostgreSQL server is copied by its own tools, which are named instead.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from central.errors import BadCopy, NoCopy, StoreInUse, StoreUnavailable
from central.store import engines

STEP_PAGES = 1_024
BUSY_TIMEOUT_S = 5.0

Progress = Callable[[int, int], None]
"""Pages done, pages in all."""


def file_of(url: str, act: str) -> Path:
    """The store's file. Raises NoCopy with the command to use where there is none; `act`: what was tried."""
    path = engines.file_of(url)
    if path is not None:
        return path
    told = make_url(url)._replace(drivername="postgresql", password=None)  # a named tuple's own
    target = told.render_as_string()
    command = {
        "backup": f'pg_dump --format=custom --file=FILE "{target}"',
        "restore": f'pg_restore --clean --if-exists --single-transaction --dbname="{target}" FILE, '
        "then casewatch central restore --done",
    }[act]
    raise NoCopy(f"this store is in PostgreSQL, which has tools of its own: {command}")


def copy(source: Path, target: Path, progress: Progress) -> None:
    """The store as of one moment, for its owner's eyes only, durable on return.

    The moment is held by a read of our own: a writer beside it is not waited for and does not make the
    copy begin again. Raises FileExistsError, StoreUnavailable, BadCopy.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with _open(source, "ro") as here, _open(target, "rw") as there:
            here.execute("BEGIN")
            here.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            here.backup(
                there, pages=STEP_PAGES, progress=lambda _, left, total: progress(total - left, total)
            )
            there.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{source} cannot be copied: {error}") from error
    except sqlite3.DatabaseError as error:
        raise BadCopy(f"{source} is damaged: {error}") from error
    _sync(target)


def check_integrity(path: Path) -> None:
    """Of a file that nobody uses: by SQLite's own word. Raises BadCopy."""
    try:
        with _open(path, "ro&immutable=1") as db:
            faults = [row[0] for row in db.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
            faults += [
                f"a row of {row[0]} has lost its other end" for row in db.execute("PRAGMA foreign_key_check")
            ]
    except sqlite3.Error as error:
        faults = [str(error)]
    if faults:
        raise BadCopy(f"{path} is damaged: {faults[0]}")


def place(fresh: Path, path: Path) -> None:
    """Gives a finished file its name, at once and durably. What it replaces leaves it its owner and mode."""
    if path.exists():
        was = path.stat()
        fresh.chmod(was.st_mode & 0o777)
        if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(fresh, was.st_uid, was.st_gid)
    fresh.replace(path)
    _sync(path.parent)


def release(path: Path) -> bool:
    """Folds what SQLite keeps beside a store into it. False where the file is no sound store any more.

    Raises StoreInUse where any program has it open.
    """
    try:
        with _open(path, "rw") as db:
            (mode,) = db.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return False
        raise StoreInUse(f"{path} is open in another program: {error}") from error
    except sqlite3.DatabaseError:
        return False
    if mode != "delete":
        raise StoreInUse(f"{path} is open in another program")
    return True


def set_aside(path: Path, stamp: str) -> Path:
    """The present store under another name too, so that it stays when another takes its place."""
    aside = path.with_name(f"{path.name}.aside-{stamp}")
    for suffix in ("-wal", "-shm"):
        left = path.with_name(path.name + suffix)
        if left.exists():
            left.rename(aside.with_name(aside.name + suffix))
    aside.hardlink_to(path)
    _sync(path.parent)
    return aside


@contextmanager
def _open(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    db = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        yield db
    finally:
        db.close()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
