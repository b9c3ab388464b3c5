"""A broker on an island: a network namespace of its own, with one cable to each of those who speak to it.

A cable is cut at the island's end: the near end keeps its address and its route, packets go nowhere, and
nobody is told. That is the partition that hurts.
"""

import os
import shutil
import subprocess

SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
IP = shutil.which("ip", path=SEARCH)


def cannot_part() -> str:
    """Why no network can be parted on this machine; empty where it can."""
    if IP is None:
        return "iproute2 is not installed: no partition"
    if os.geteuid() != 0:
        return "partition: needs root to make a network namespace"
    done = subprocess.run([IP, "netns", "add", "casewatch-try"], capture_output=True, text=True, check=False)
    subprocess.run([IP, "netns", "delete", "casewatch-try"], capture_output=True, check=False)
    return "" if done.returncode == 0 else f"partition: no network namespaces ({done.stderr.strip()})"


class Island:
    """`cables`: their names; `address(cable)` is the island's end of one. Made at once; `remove` it."""

    def __init__(self, cables: tuple[str, ...]) -> None:
        self._number = os.getpid() % 250 + 1
        self.name = f"casewatch-{os.getpid()}"
        self._cables = cables
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        for index, cable in enumerate(cables):
            near, far = self._ends(cable)
            _ip("link", "add", near, "type", "veth", "peer", "name", far)
            _ip("link", "set", far, "netns", self.name)
            _ip("address", "add", f"10.{213 + index}.{self._number}.1/30", "dev", near)
            _ip("-n", self.name, "address", "add", f"{self.address(cable)}/30", "dev", far)
            _ip("link", "set", near, "up")
            _ip("-n", self.name, "link", "set", far, "up")

    @property
    def prefix(self) -> list[str]:
        """Words before a command that is to run there."""
        assert IP is not None
        return [IP, "netns", "exec", self.name]

    def address(self, cable: str) -> str:
        return f"10.{213 + self._cables.index(cable)}.{self._number}.2"

    def cut(self, cable: str) -> None:
        _ip("-n", self.name, "link", "set", self._ends(cable)[1], "down")

    def mend(self, cable: str) -> None:
        _ip("-n", self.name, "link", "set", self._ends(cable)[1], "up")

    def remove(self) -> None:
        _ip("netns", "delete", self.name)

    def _ends(self, cable: str) -> tuple[str, str]:
        base = f"cw{self._number}{cable[:4]}"
        return f"{base}a", f"{base}b"


def _ip(*words: str) -> None:
    assert IP is not None
    done = subprocess.run([IP, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
