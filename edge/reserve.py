"""A file that keeps a little of the disk for the rows that matter when all else is full.

It holds nothing. It is let go when the journal finds no room, and made again when there is some. Whoever
else writes on that disk may take the room first: a data folder on a file system of its own is safer.
"""

import os
from contextlib import suppress
from pathlib import Path

NAME = "reserve"
RESERVE_BYTES = 1024 * 1024
"""Some 3,000 rows of doors."""


class Reserve:
    """Synchronous; used by the journal's thread alone."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / NAME

    def make(self) -> bool:
        """Have it, whole. False where there is no room: what was begun is taken away again."""
        with suppress(OSError):
            if self._path.stat().st_size == RESERVE_BYTES:
                return True
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Give the room back. False if there was none to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
