"""A real mosquitto on loopback, which may be killed and comes back with nothing remembered."""

import shutil
import socket
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.processes import Process

PATH = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def mosquitto(folder: Path, port: int) -> Process:
    """A broker, not yet started. It persists nothing: killed and started again it is empty."""
    assert PATH is not None
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "set_tcp_nodelay true\nlog_type error\n"
    )
    return Process("mosquitto", [PATH, "-c", str(settings)], folder)


def await_listener(port: int) -> None:
    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    eventually(listens, what=f"a listener on port {port}")
