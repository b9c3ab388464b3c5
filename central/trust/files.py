"""Files of the trust: written once or replaced whole, keys for their owner's eyes alone."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from central.trust.errors import KeyExposed


def write_new(path: Path, content: bytes, *, is_secret: bool) -> None:
    """Durable on return. Raises FileExistsError."""
    mode = 0o600 if is_secret else 0o644
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123 - the mode
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes, *, is_secret: bool = False) -> None:
    """The old content or the new one, never half of it."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    write_new(fresh, content, is_secret=is_secret)
    fresh.replace(path)


def read_secret_bytes(path: Path) -> bytes:
    """A key: its owner's alone. Raises KeyExposed, OSError."""
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyExposed(f"{path} can be read by others ({stat.S_IMODE(mode):04o}): chmod 600 {path}")
    return path.read_bytes()


def refuse_exposed(files: Iterable[Path]) -> None:
    """Passwords and tokens may be a group's, never everybody's. Raises KeyExposed; a missing file is not ours
    to tell of.
    """
    for path in files:
        if path.exists() and (mode := path.stat().st_mode) & stat.S_IRWXO:
            raise KeyExposed(f"{path} can be read by everybody ({stat.S_IMODE(mode):04o}): chmod 640 {path}")
