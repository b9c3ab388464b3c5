"""Files of the trust: written once or replaced whole, keys for their owner's eyes alone."""

import os
import stat
from pathlib import Path

from central.trust.errors import KeyExposed

OTHERS = stat.S_IRWXG | stat.S_IRWXO


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
    """Raises KeyExposed where others could read it too, OSError."""
    mode = path.stat().st_mode
    if mode & OTHERS:
        raise KeyExposed(f"{path} can be read by others ({stat.S_IMODE(mode):04o}): chmod 600 {path}")
    return path.read_bytes()
