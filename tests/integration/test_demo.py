"""The demo as a newcomer starts it: it comes up, runs unattended, and leaves nothing behind."""

import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from simulators.demo import used_ports
from tests.support.processes import CASEWATCH

pytestmark = pytest.mark.timeout(150)


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*CASEWATCH, "demo", "--no-browser", "--run-dir", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=140)


def test_it_runs_unattended_and_leaves_no_process(tmp_path: Path) -> None:
    done = demo(tmp_path / "run", "--for", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "http://127.0.0.1:8460" in done.stdout
    assert "one-time sign-in code" in done.stdout
    left = [p.cmdline() for p in psutil.process_iter() if _belongs(p, str(tmp_path))]
    assert left == []


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    port = used_ports()["board"]
    with socket.create_server(("127.0.0.1", port)):
        done = demo(tmp_path / "run", "--for", "8")
    assert done.returncode == 2
    assert f"port {port} (board) is in use" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    done = demo(tmp_path, "--for", "8")
    assert done.returncode == 2
    assert (tmp_path / "precious").read_text() == "keep me"


def _belongs(process: psutil.Process, folder: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.cwd().startswith(folder)
    except psutil.Error:
        return False
