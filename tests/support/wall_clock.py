"""A wall clock that can be set for one process, while all others and every wait keep true time."""

import shutil
import struct
import subprocess
from pathlib import Path

from tests.support.processes import Process

SOURCE = Path(__file__).with_suffix(".c")
COMPILER = shutil.which("gcc") or shutil.which("cc")


def cannot_set() -> str:
    """Why no process can be given another clock on this machine; empty where one can."""
    return "" if COMPILER else "gcc is not installed: no wall clock of a real process was set"


class WallClock:
    """Of a process that is not yet started; `set_to` may be called at any time."""

    def __init__(self, process: Process, folder: Path) -> None:
        assert COMPILER is not None
        self._file = folder / f"{process.name}.clock"
        library = folder / "wall_clock.so"
        if not library.exists():
            words = [COMPILER, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
            subprocess.run(words, check=True, capture_output=True)
        self._file.write_bytes(struct.pack("=q", 0))
        words = ["/usr/bin/env", f"LD_PRELOAD={library}", f"WALL_CLOCK_FILE={self._file}"]
        process.command = [*words, *process.command]

    def set_to(self, offset_s: int) -> None:
        """So many seconds off true time, from now on."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", offset_s))
