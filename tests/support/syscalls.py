"""A process under strace: killed at a system call of our choosing, or given an error at it.

strace counts the calls of each thread by itself; the journal and the store each write in one thread only.
"""

import os
import re
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.processes import Process

PATH = shutil.which("strace")


def cannot_trace() -> str:
    """Why no call can be chosen on this machine; empty where one can."""
    return "" if PATH else "strace is not installed: no death and no error at a chosen system call"


class Traced:
    """A process that is started with a fault at its `when`-th `call`; `files`: only calls on these."""

    def __init__(self, process: Process, folder: Path) -> None:
        self._process = process
        self._plain = list(process.command)
        self._trace = folder / f"{process.name}.strace.txt"

    def start(self, call: str, fault: str, when: int, files: Sequence[Path] = ()) -> None:
        """`fault` in strace's words: `signal=SIGKILL`, `error=EIO`."""
        assert PATH is not None
        self._trace.unlink(missing_ok=True)
        only = [word for file in files for word in ("-P", str(file))]
        inject = f"inject={call}:{fault}:when={when}"
        words = [PATH, "-f", "--seccomp-bpf", "-qq", "-o", str(self._trace), "-e", f"trace={call}"]
        if only:
            words.remove("--seccomp-bpf")
        self._process.command = [*words, *only, "-e", inject, "-e", "signal=none", *self._plain]
        self._process.start()
        self._process.command = self._plain

    @property
    def is_struck(self) -> bool:
        """Whether the fault has been given."""
        return self._trace.exists() and "INJECTED" in self._trace.read_text(errors="replace")

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """A signal to tracer and traced; the exit code as the shell would tell it."""
        with suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                for pid in self._traced():
                    os.kill(pid, number)
        return self._process.wait(20)

    def _traced(self) -> list[int]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(word) for word in re.findall(r"\d+", children.read_text())]
