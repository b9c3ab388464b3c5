"""Keeps a command and the agent off each other's lines: two masters on one line garble both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge import data_folder
from edge.errors import JournalInUse


@contextmanager
def alone(data_dir: Path, command: str) -> Iterator[None]:
    """Hold the station's data folder: no agent runs, and none can start meanwhile. Raises JournalInUse.

    Where there is no folder yet, there was no agent yet: none is made.
    """
    if not data_dir.is_dir():
        yield
        return
    try:
        lock = data_folder.hold(data_dir)
    except PermissionError:
        user = data_dir.stat().st_uid
        raise JournalInUse(
            f"{data_dir} cannot be held by this user, so an agent may be running: "
            f"run {command} as the agent's user (uid {user}) or as root"
        ) from None
    except JournalInUse:
        raise JournalInUse(_running(data_dir, command)) from None
    with lock:
        yield


def _running(data_dir: Path, command: str) -> str:
    pid = data_folder.holder(data_dir)
    who = f"process {pid} ({_name(pid)})" if pid else "another process"
    return (
        f"{command} needs the lines for itself, and {who} has {data_dir}: two masters garble each other. "
        f"Stop the agent first (systemctl stop casewatch-edge{f', or kill {pid}' if pid else ''}); "
        "`casewatch edge doctor` and `journal tail` work beside it"
    )


def _name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "of another machine"
    return " ".join(Path(word.decode(errors="replace")).name for word in words if word)[:80]
