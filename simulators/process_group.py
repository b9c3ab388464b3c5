"""Processes that belong together: started one by one, watched, and all of them ended, whatever happens."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

START_PATIENCE_S = 60.0
STOP_PATIENCE_S = 10.0


class ProcessFailed(Exception):
    """A process that ended by itself or never became ready; its log's last lines are in the text."""


class ProcessGroup:
    """Children by name, each with a log file in the run folder, all in that folder."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        """Start a child away from the terminal, so that Ctrl-C reaches us alone and we end them in order."""
        with (self.run_dir / f"{name}.log").open("wb") as log:
            self._children[name] = subprocess.Popen(
                command,
                cwd=self.run_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_ready(self, name: str, is_ready: Callable[[], bool]) -> None:
        """Wait until a child answers. Raises ProcessFailed where one ends before, or it takes too long."""
        ends_at = time.monotonic() + START_PATIENCE_S
        while not is_ready():
            self.raise_if_ended()
            if time.monotonic() > ends_at:
                raise ProcessFailed(self._obituary(name, f"not ready after {START_PATIENCE_S:.0f} s"))
            time.sleep(0.1)

    def raise_if_ended(self) -> None:
        """Raises ProcessFailed for the first child that has ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ProcessFailed(self._obituary(name, f"ended with code {child.returncode}"))

    def stop(self) -> None:
        """End every child, the last started first."""
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _obituary(self, name: str, why: str) -> str:
        log = self.run_dir / f"{name}.log"
        tail = log.read_text(errors="replace").splitlines()[-15:]
        return "\n  ".join([f"{name} {why}; the last lines of {log}:", *tail])
