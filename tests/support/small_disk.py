"""A small disk that can be filled: a tmpfs, which takes root to mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size_bytes: int, inodes: int) -> Iterator[Path]:
    """Mounted at `folder` while the block runs. Skips where it cannot be: what was not shown is said."""
    if os.geteuid() != 0:
        pytest.skip("NOT SHOWN: a full disk; mounting a small one takes root")
    folder.mkdir(exist_ok=True)
    options = f"size={size_bytes},nr_inodes={inodes}"
    command = ["mount", "-t", "tmpfs", "-o", options, "casewatch-test", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT SHOWN: a full disk; no tmpfs can be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Somebody else takes all that is left; the file that holds it."""
    other = folder / "other"
    with other.open("ab") as file:
        while True:
            try:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, 4096)
            except OSError:
                return other
