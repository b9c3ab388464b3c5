"""The record of changes on disk: JSON lines, one change a line, begun anew by each run."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import msgspec

from simulators.errors import PortBusy
from simulators.plant import Change


@contextmanager
def open_record(path: str) -> Iterator[Callable[[Change], None]]:
    """A function that has a change in the file before it returns; empty path: one that keeps none.

    Raises PortBusy where the file cannot be written, or another run writes it.
    """
    if not path:
        yield lambda _: None
        return
    with _claimed(Path(path)) as file:
        encode = msgspec.json.Encoder().encode

        def record(change: Change) -> None:
            file.write(encode(change) + b"\n")

        yield record


def _claimed(path: Path) -> FileIO:
    """The file, emptied, and ours alone until it is closed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(path, "a")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        raise PortBusy(f"record {path} is being written by another run") from fault
    except OSError as fault:
        raise PortBusy(f"record {path} cannot be written: {os.strerror(fault.errno or 0)}") from fault
    file.truncate(0)
    return file
