"""The invented county's settings as files, and the centre's commands run on them."""

import subprocess
from pathlib import Path

from tests.support.county import STATIONS
from tests.support.ports import free_ports
from tests.support.processes import CASEWATCH, ROOT, Process


class CountyFiles:
    """`central.toml` and `stations.toml` in a folder, the store in `central/casewatch.db` beside them."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.data_dir = folder / "central"
        self.store = self.data_dir / "casewatch.db"
        self.url = url or f"sqlite:///{self.store}"
        self.web_port, broker_port = free_ports(2)
        (folder / "central.toml").write_text(
            f'[store]\nurl = "{self.url}"\n[web]\nport = {self.web_port}\n'
            f"[broker]\nport = {broker_port}\n"
            f'[central]\ndata_dir = "{self.data_dir}"\nrules = "rules.toml"\n'
        )
        (folder / "rules.toml").write_text("")
        (folder / "stations.toml").write_text("\n".join(_station(station) for station in STATIONS))

    def centre(self) -> Process:
        """A whole centre, without a broker to speak with."""
        return Process("central", [*CASEWATCH, "central", "run", "--config", "central.toml"], self.folder)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`casewatch central WORDS --config central.toml`."""
        command = [*CASEWATCH, "central", *words, "--config", "central.toml"]
        return run(command, self.folder)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _station(station) -> str:
    lines = ["[[station]]", f'id = "{station.id}"', f'edge = "{station.edge}"', _name(station)]
    for room in station.rooms:
        lines += ["[[station.room]]", f'id = "{room.id}"', f'kind = "{room.kind}"', _name(room)]
        lines += [f"doors = {list(room.doors)!r}".replace("'", '"')]
        lines += [f'camera = "{room.camera}"'] if room.camera else []
    return "\n".join(lines) + "\n"


def _name(of) -> str:
    return f'name = {{ zh = "{of.name.zh}", en = "{of.name.en}" }}'
