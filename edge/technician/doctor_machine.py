"""The doctor's look at the box itself: serial ports, clock, disk, secrets. Opens no port, keeps no file."""

import contextlib
import grp
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from contract.points import Clock
from edge.clock import SystemClock, wall_error_ms
from edge.secret_files import all_secret_files
from edge.settings import BusSettings, Settings
from edge.technician.finding import Finding, Verdict

BY_ID = Path("/dev/serial/by-id")
FREE_MIN_BYTES = 200 * 2**20
FREE_LOW_BYTES = 2 * 2**30
FSYNC_SLOW_MS = 100
"""Every opening waits for one; its time is part of the blind time."""


def check_port(bus: BusSettings, agent: int | None) -> Finding:
    """A serial port, without opening it: the agent may be at work on it."""
    area, path = f"port {bus.id}", Path(bus.device or "")
    try:
        found = path.stat()
    except OSError as error:
        mend = "plug the adapter in, and see ls -l /dev/serial/by-id/"
        return Finding(area, Verdict.FAULT, f"{path}: {error.strerror}", mend)
    if not stat.S_ISCHR(found.st_mode):
        return Finding(area, Verdict.FAULT, f"{path} is no serial port", "name one of /dev/serial/by-id/")
    if not os.access(path, os.R_OK | os.W_OK):
        group = _group(found.st_gid)
        mend = f"usermod -aG {group} USER, then log in again"
        return Finding(area, Verdict.FAULT, f"{path} may not be opened by this user", mend)
    holder = lock_holder(found)
    if holder and agent not in {holder, _parent(holder)}:
        mend = f"two masters garble each other: stop process {holder}"
        return Finding(area, Verdict.FAULT, f"{path} is held by process {holder} ({_name(holder)})", mend)
    if agent and not holder:
        mend = "the agent tries every 5 s; see its log for port or permission"
        return Finding(area, Verdict.DOUBTFUL, f"{path} is free though the agent runs", mend)
    state = f"held by the agent (process {holder})" if holder else "free"
    return _named(area, path, state)


def _named(area: str, path: Path, state: str) -> Finding:
    """Whether the port's name survives a replug."""
    real = path.resolve()
    if real.parent == Path("/dev/pts"):
        return Finding(area, Verdict.OK, f"{path}: {state}, a pseudo terminal: simulated")
    if path.parent in {BY_ID, BY_ID.with_name("by-path")}:
        return Finding(area, Verdict.OK, f"{path}: {state}")
    lasting = next((link for link in BY_ID.glob("*") if link.resolve() == real), None)
    mend = f'device = "{lasting}"' if lasting else f"no name in {BY_ID} leads to it: use by-path"
    return Finding(area, Verdict.DOUBTFUL, f"{path}: {state}; the number may change at a replug", mend)


def lock_holder(file: os.stat_result) -> int | None:
    """The process that holds this file exclusively, by the kernel's list of locks."""
    wanted = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) >= 6 and words[1] == "FLOCK" and words[5] == wanted and words[4].isdecimal():
            return int(words[4])
    return None


def check_clock() -> Finding:
    """What the kernel knows of its clock. That it is right, only another clock can tell."""
    error_ms = wall_error_ms()
    bound = "" if error_ms is None else f", the kernel's bound of its error is {error_ms} ms"
    now = time.strftime("%Y-%m-%d %H:%M:%S %z")
    if SystemClock().state is Clock.SYNCED:
        return Finding("clock", Verdict.OK, f"{now}, synchronised{bound}")
    mend = "timedatectl set-ntp true, or a GPS or modem clock where there is no network; rows say clock=free"
    return Finding("clock", Verdict.DOUBTFUL, f"{now}, not synchronised{bound}", mend)


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Room for the journal, and a disk that keeps what it was told to keep."""
    folder = settings.data_dir
    if not folder.is_dir():
        mend = "the agent makes it at its first start, if its user may"
        yield Finding("disk", Verdict.DOUBTFUL, f"{folder.absolute()} is not there yet", mend)
        return
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free under {folder}"
    mend = "make room: rows are never shed, the agent stops when the disk is full"
    verdict = Verdict.FAULT if free < FREE_MIN_BYTES else Verdict.DOUBTFUL
    yield (
        Finding("disk", Verdict.OK, text) if free >= FREE_LOW_BYTES else Finding("disk", verdict, text, mend)
    )
    yield _check_fsync(folder)


def _check_fsync(folder: Path) -> Finding:
    trial = folder / f"doctor.{os.getpid()}.tmp"
    began = time.monotonic()
    try:
        with trial.open("wb") as file:
            file.write(b"doctor")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        mend = f"chown the folder to the agent's user, or look at the disk: dmesg | tail ({folder})"
        return Finding("fsync", Verdict.FAULT, f"{folder}: {error.strerror}", mend)
    finally:
        with contextlib.suppress(OSError):
            trial.unlink(missing_ok=True)
    took_ms = 1_000 * (time.monotonic() - began)
    text = f"{folder} is writable, fsync took {took_ms:.0f} ms"
    if took_ms <= FSYNC_SLOW_MS:
        return Finding("fsync", Verdict.OK, text)
    return Finding(
        "fsync", Verdict.DOUBTFUL, text, "a slow or worn card: every opening waits for it; use an SSD"
    )


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Files that the agent's user should be able to read, and nobody else."""
    agent = settings.data_dir.stat().st_uid if settings.data_dir.is_dir() else os.geteuid()
    for name in all_secret_files(settings):
        yield _check_secret(name, agent)


def _check_secret(name: str, agent: int) -> Finding:
    """`agent`: the number of its user. Who else looks may not be able to read what is in the file."""
    area, path = f"secret {Path(name).name}", Path(name)
    try:
        found = path.stat()
        is_empty = not found.st_size or (os.access(path, os.R_OK) and not path.read_bytes().strip())
    except OSError as error:
        return Finding(area, Verdict.FAULT, f"{name}: {error.strerror}", "write it, one line, mode 0600")
    mode = found.st_mode & 0o777
    if is_empty:
        return Finding(area, Verdict.FAULT, f"{name} is empty", "write it, one line, mode 0600")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        text = f"{name} may be read by others (mode {mode:04o})"
        return Finding(area, Verdict.DOUBTFUL, text, f"chmod 600 {name}")
    if found.st_uid != agent or (agent and not mode & stat.S_IRUSR):
        text = f"{name} is uid {found.st_uid}'s, mode {mode:04o}, and the agent's user is uid {agent}"
        verdict = Verdict.FAULT if agent else Verdict.DOUBTFUL  # root can read it, but so can its owner
        return Finding(area, verdict, text, f"chown {agent} {name}; chmod 600 {name}")
    return Finding(area, Verdict.OK, f"{name}, mode {mode:04o}")


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _parent(process: int) -> int | None:
    """Who started it: card readers' lines are held by a child of the agent."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"
