"""The demo's broker: mosquitto where it is installed, else amqtt. Loopback only, and trusted with nothing:
what it loses is sent again.
"""

import shutil
import sys
from pathlib import Path

MOSQUITTO = """\
# The demo's broker. Loopback, without login; a real one is set up from config/mosquitto/.
listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 10000
log_type error
log_type warning
"""


def mosquitto_path() -> str | None:
    """Where mosquitto is; Debian keeps it out of an ordinary user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def broker_command(run_dir: Path, port: int) -> tuple[str, list[str]]:
    """The broker's name and the command that runs it in the foreground."""
    mosquitto = mosquitto_path()
    if mosquitto is not None:
        settings = run_dir / "mosquitto.conf"
        settings.write_text(MOSQUITTO.format(port=port))
        return "mosquitto", [mosquitto, "-c", str(settings)]
    return "amqtt", [sys.executable, "-m", "simulators.amqtt_broker", str(port)]
