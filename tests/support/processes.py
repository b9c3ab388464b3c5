"""Real processes of the product under test: started, killed, stopped, measured."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

CASEWATCH = [sys.executable, "-m", "casewatch"]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
"""So that this checkout runs, wherever the folder is."""


class Process:
    """One child with a log, in its own process group. Only ever ended by its own pid."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        self.command = command
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        assert not self.is_running
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """As a power cut would."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()

    def wait(self, within_s: float) -> int:
        """Until it ends by itself; the exit code. Raises TimeoutExpired."""
        assert self._child is not None
        return self._child.wait(within_s)

    def stop(self) -> int:
        """SIGTERM, and wait; the exit code."""
        assert self._child is not None
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(15)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        return self._child.returncode

    def cpu_s(self) -> float:
        """User and system time of the process and its living children."""
        process = psutil.Process(self.pid)
        every = [process, *process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in every)

    def rss_mb(self) -> float:
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20

    def tail(self, lines: int = 25) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
