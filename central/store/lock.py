"""One at a time: the centre that runs on a store, or who puts another in its place."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from central.errors import StoreInUse
from central.store import engines


@contextmanager
def held(url: str, data_dir: Path) -> Iterator[None]:
    """The store is this process's alone. The system gives it back, however the process ends.

    The lock lies beside a store that is a file, else in `data_dir`: there it holds for one machine.
    Raises StoreInUse, OSError.
    """
    store = engines.file_of(url)
    path = store.with_name(f"{store.name}.lock") if store else data_dir / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StoreInUse(
                f"process {file.read().strip() or 'unknown'} has {store or 'the store'}: stop it first"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
