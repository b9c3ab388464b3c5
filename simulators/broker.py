"""The demo's broker: mosquitto where it is installed, else amqtt. Loopback only, and trusted with nothing:
what it loses is sent again.
"""

import os
import shutil
import sys
from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "config" / "mosquitto" / "mosquitto.conf"
CREDENTIALS = "/run/credentials/casewatch-broker.service"


def mosquitto_path() -> str | None:
    """Where mosquitto is; Debian keeps it out of an ordinary user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def broker_command(run_dir: Path, port: int, trust: Path) -> tuple[str, list[str]]:
    """The broker's name and the command that runs it in the foreground: mosquitto as it is shipped, with the
    centre's trust folder; amqtt in the clear.
    """
    mosquitto = mosquitto_path()
    if mosquitto is not None:
        text = SHIPPED.read_text().replace("listener 8883\n", f"listener {port} 127.0.0.1\n")
        text = text.replace(CREDENTIALS, str(trust))
        if os.geteuid() == 0:
            text += "user root\n"  # it would become a user who may not read the trust folder
        settings = run_dir / "mosquitto.conf"
        settings.write_text(text)
        return "mosquitto", [mosquitto, "-c", str(settings)]
    return "amqtt", [sys.executable, "-m", "simulators.amqtt_broker", str(port)]
