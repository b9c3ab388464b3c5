"""What an error of SQLite or of the system means for the journal. Pure.

    FULL      no room: the transaction is undone, what was durable stays so, and it may be tried again
    HELD      another process has the file's lock: the same
    DAMAGED   the file is not what we wrote, or somebody changed its tables
    FAILED    a write, a flush or a lock failed: what the disk holds is not known, nothing is tried again

FULL is only told where a write found no room. A flush that finds none is FAILED like any other flush that
fails: the kernel may have thrown away what it could not write.
"""

import errno
import sqlite3
from enum import Enum

from edge.errors import EdgeError, JournalFailed, JournalFull, JournalHeld

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_PRIMARY = 0xFF
"""The lower byte of an extended code is the plain one."""


class Fault(Enum):
    FULL = "full"
    HELD = "held"
    DAMAGED = "damaged"
    FAILED = "failed"


def fault(error: sqlite3.Error) -> Fault:
    """An error without a code is one of the module's own: FAILED."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Fault.FAILED
    for codes, meaning in ((_FULL, Fault.FULL), (_HELD, Fault.HELD), (_DAMAGED, Fault.DAMAGED)):
        if code in codes or code & _PRIMARY in codes:
            return meaning
    return Fault.FAILED


def operating(error: Exception, where: str = "") -> EdgeError:
    """The agent's own word for what SQLite or the system says."""
    text = f"{where}{error}"
    meaning = fault(error) if isinstance(error, sqlite3.Error) else Fault.FAILED
    if meaning is Fault.FULL or (isinstance(error, OSError) and error.errno in _NO_ROOM):
        return JournalFull(text)
    return JournalHeld(text) if meaning is Fault.HELD else JournalFailed(text)
