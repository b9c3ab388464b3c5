"""A real mosquitto on loopback, which may be killed and comes back with nothing remembered."""

import os
import shutil
import socket
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.processes import ROOT, Process

PATH = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
SHIPPED = ROOT / "config" / "mosquitto" / "mosquitto.conf"
CREDENTIALS = "/run/credentials/casewatch-broker.service"


def mosquitto(folder: Path, port: int) -> Process:
    """A plain broker, not yet started. It persists nothing: killed and started again it is empty."""
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "set_tcp_nodelay true\nlog_type error\n"
    )
    return _process(folder, settings)


def secure_mosquitto(folder: Path, port: int, trust: Path) -> Process:
    """The broker as it is shipped, not yet started: its port and the folder of its files are others."""
    text = SHIPPED.read_text()
    assert text.count("listener 8883\n") == 1
    text = text.replace("listener 8883\n", f"listener {port} 127.0.0.1\n").replace(CREDENTIALS, str(trust))
    if os.geteuid() == 0:
        text += "user root\n"  # it would become a user who may not read the trust folder
    settings = folder / "mosquitto.conf"
    settings.write_text(text)
    return _process(folder, settings)


def await_listener(port: int) -> None:
    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    eventually(listens, what=f"a listener on port {port}")


def _process(folder: Path, settings: Path) -> Process:
    assert PATH is not None
    return Process("mosquitto", [PATH, "-c", str(settings)], folder)
