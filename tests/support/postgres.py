"""A real PostgreSQL server of a test's own, in a temporary folder, on a socket inside it, gone after."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER_USER = "postgres"
IS_ROOT = os.geteuid() == 0
"""The server refuses to run as root; root runs it as `postgres`."""


def find_binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, None where PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


@contextmanager
def running_server(binaries: Path) -> Iterator[str]:
    """The URL of a fresh server's database."""
    with tempfile.TemporaryDirectory(prefix="casewatch-postgres-") as name:
        folder = Path(name)
        data = folder / "data"
        if IS_ROOT:
            shutil.chown(folder, SERVER_USER)
        _run(binaries / "initdb", "-D", data, "-U", SERVER_USER, "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={folder}"
        _run(binaries / "pg_ctl", "-D", data, "-w", "-l", data / "server.log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{SERVER_USER}@/postgres?host={folder}"
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=SERVER_USER if IS_ROOT else None,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}"
