"""The data folder belongs to one process: the agent, or a technician's command that speaks on its lines."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from edge.errors import JournalInUse

LOCK_NAME = "lock"


def hold(data_dir: Path) -> TextIO:
    """Hold the folder for as long as the file returned is open. Raises JournalInUse, OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = (data_dir / LOCK_NAME).open("a+")
    if not _take(lock):
        lock.close()
        raise JournalInUse(f"{data_dir} is used by another process")
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def holder(data_dir: Path) -> int | None:
    """The process that holds the folder, 0 where it does not say which; None if nobody does. OSError."""
    try:
        with (data_dir / LOCK_NAME).open() as lock:
            if _take(lock):
                return None
            told = lock.read().strip()
    except FileNotFoundError:
        return None
    return int(told) if told.isdecimal() else 0


def _take(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
