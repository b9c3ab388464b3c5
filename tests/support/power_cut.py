"""A disk whose power can be cut: ext4 on a loop device, and what its file holds at an instant.

What a process has written and not synced stays in the kernel's cache of the mounted folder and is not in the
backing file; a copy of that file is therefore what a power cut leaves. `min_ratio` lets dirty pages wait, so
that what was not synced is really lost. Not shown by this: a disk that lies about its flush, or writes that
its own cache turns round.
"""

import os
import shutil
import subprocess
from pathlib import Path

COMMIT_S = 600
DIRTY_PERCENT = 40
"""Two disks at one time: all shares together stay below 100."""


def cannot_cut() -> str:
    """Why power cannot be cut on this machine; empty where it can."""
    if os.geteuid() != 0:
        return "power cut: needs root to mount a loop device"
    for tool in ("losetup", "mkfs.ext4", "mount"):
        if shutil.which(tool) is None and shutil.which(tool, path="/usr/sbin:/sbin") is None:
            return f"power cut: {tool} is not installed"
    done = subprocess.run(["losetup", "-f"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"power cut: no loop device ({done.stderr.strip()})"


class Disk:
    """An image file mounted at `folder`. `attach` and `detach` it as often as wished."""

    def __init__(self, folder: Path, image: Path, megabytes: int = 48) -> None:
        self.folder = folder
        self.image = image
        folder.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        self._loop = ""

    def attach(self) -> None:
        """Mount what the image holds; the file system repairs itself as after a cut."""
        self._loop = _run("losetup", "--find", "--show", str(self.image))
        _run("mount", "-t", "ext4", "-o", f"commit={COMMIT_S}", self._loop, str(self.folder))
        self._let_wait(DIRTY_PERCENT)

    def detach(self) -> None:
        if self._loop:
            self._let_wait(0)
            _run("umount", str(self.folder))
            _run("losetup", "--detach", self._loop)
            self._loop = ""

    def _let_wait(self, percent: int) -> None:
        """How much of the memory for dirty pages this disk has to itself."""
        ratio = Path(f"/sys/block/{Path(self._loop).name}/bdi/min_ratio")
        if ratio.exists():
            ratio.write_text(str(percent))

    def leave(self, to: Path) -> None:
        """What would be on the disk if the power failed now. Stop its writers first."""
        _run("cp", "--sparse=always", str(self.image), str(to))

    def go_back(self, to: Path) -> None:
        """The power failed when `to` was left: mount that. Its users are gone."""
        self.detach()
        to.replace(self.image)
        self.attach()


class Copy:
    """A left image, mounted to be looked at; `with Copy(...) as folder`."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image = image
        self._folder = folder

    def __enter__(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "ext4", "-o", "loop", str(self._image), str(self._folder))
        return self._folder

    def __exit__(self, *_: object) -> None:
        _run("umount", str(self._folder))


def _run(*words: str, check: bool = True) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path})
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()
