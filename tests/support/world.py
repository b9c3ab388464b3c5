"""One station and its centre as real processes: mosquitto, simulators, edge, centre, on free loopback ports.

The simulators' own record says what happened, the centre's API what arrived. Every process may be killed
and started again.
"""

import secrets
import ssl
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.api import Http, all_pages
from tests.support.eventually import eventually
from tests.support.mosquitto import await_listener, mosquitto, secure_mosquitto
from tests.support.ports import free_ports
from tests.support.processes import CASEWATCH, ENVIRONMENT, ROOT, Process

STATION = "test"
INPUTS = 16
TRANSACTION_DIGITS = 4
"""Of a frame of Modbus TCP in hex: its number, by which alone two of the same reads differ."""
RULES = {
    "lapse_after_s": 600,
    "door_off_delay_s": 5,
    "session_idle_s": 2700,
    "session_max_s": 86400,
    "min_view_s": 3,
    "decoded_min_s": 2,
}


@dataclass
class World:
    """Not started until `start`. `cameras`: how many of the first rooms have one. `secure`: as in service,
    with the shipped broker, and the edge enrolled by its code; else everything runs with `--insecure-dev`.
    """

    folder: Path
    modules: int = 1
    interval_ms: int = 100
    cameras: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    secure: bool = False

    def __post_init__(self) -> None:
        ports = free_ports(5 + self.modules)
        self.broker_port, self.web_port, self.control_port, self.rtsp_port, self.media_port = ports[:5]
        self.module_ports = ports[5:]
        self.board = f"{'https' if self.secure else 'http'}://127.0.0.1:{self.web_port}"
        self.simulators = Http(f"http://127.0.0.1:{self.control_port}")
        self.rooms = [f"{STATION}.r{n:03}" for n in range(1, self.modules * INPUTS + 1)]
        self.doors = [f"{room}.door" for room in self.rooms]
        self.write_settings()
        self.trust = self.folder / "central" / "trust"
        if self.secure:
            self.run("central", "trust", "init", "--config", "central.toml")
            self.broker = secure_mosquitto(self.folder, self.broker_port, self.trust)
        else:
            self.broker = mosquitto(self.folder, self.broker_port)
        self.centre = self.client()
        self.sim = self._process("sim", "sim", "run", "scenario.toml")
        self.central = self._process("central", "central", "run", "--config", "central.toml", *self._mode())
        self.edge = self._process("edge", "edge", "run", "edge.toml", *self._mode())

    def start(self) -> "World":
        """Everything up, every door read once at the centre, a watcher signed in."""
        self.start_without_edge()
        self.edge.start()
        eventually(lambda: set(self.door_states().values()) == {"closed"}, 40, "every door read")
        return self

    def start_without_edge(self) -> None:
        """Broker, simulators and centre are up, a watcher is signed in."""
        self.broker.start()
        await_listener(self.broker_port)
        self.sim.start()
        await_listener(self.control_port)
        self.central.start()
        self.await_centre()
        if self.secure:
            self.enrol()
        self.sign_in(self.centre, "tester")

    def stop(self) -> dict[str, int]:
        """End everything; the exit code of each."""
        self.centre.close()
        self.simulators.close()
        running = [p for p in (self.edge, self.central, self.sim, self.broker) if p.is_running]
        return {process.name: process.stop() for process in running}

    def await_centre(self) -> None:
        def answers() -> bool:
            try:
                with closing(self.client()) as client:
                    return bool(client.get("/healthz"))
            except OSError:
                assert self.central.is_running, self.central.tail()
                return False

        eventually(answers, 30, "the centre")

    def client(self) -> Http:
        """Another client of the centre; over TLS it believes the county's authority and no other."""
        ca = self.trust / "ca.pem"
        return Http(self.board, ssl.create_default_context(cafile=ca) if self.secure else None)

    def enrol(self) -> None:
        """As a technician does: a code from the centre, typed at the edge."""
        code = self.run("central", "enrol", STATION, "--config", "central.toml").splitlines()[-1]
        centre = f"127.0.0.1:{self.web_port}"
        self.run("edge", "enrol", "edge.toml", "--centre", centre, typed=f"{code}\n")

    def invite(self, role: str = "watcher") -> str:
        return self.run("central", "invite", "--config", "central.toml", "--role", role).splitlines()[-1]

    def run(self, *words: str, typed: str = "") -> str:
        """A command of the product, run to its end; what it printed."""
        done = subprocess.run(
            [*CASEWATCH, *words],
            cwd=self.folder,
            env=ENVIRONMENT,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def sign_in(self, client: Http, name: str, password: str = "a long enough password") -> dict[str, Any]:
        return client.post("/api/v1/sessions", {"code": self.invite(), "name": name, "password": password})[
            "user"
        ]

    def flip(self, point: str, value: str) -> None:
        self.simulators.post(f"/points/{point}", {"value": value})

    def last_frame(self) -> int:
        """The number of the newest frame on the first module's cable."""
        frames = self.simulators.get("/frames?cable=io1")["frames"]
        return int(frames[-1]["n"]) if frames else 0

    def is_polled(self, since: int) -> bool:
        """Whether the first module has answered every read since that frame: one has come round again."""
        frames = self.simulators.get(f"/frames?cable=io1&after={since}")["frames"]
        asked = [frame["hex"][TRANSACTION_DIGITS:] for frame in frames if frame["from_host"]]
        return len(set(asked)) < len(asked)

    def flip_for_a_poll(self, point: str, value: str) -> None:
        """Flip a point of the first module, and let the edge see it."""
        self.flip(point, value)
        since = self.last_frame()
        eventually(lambda: self.is_polled(since), what=f"a poll of {point}")

    def record(self) -> list[dict[str, Any]]:
        """Every change the simulators made, by their own account."""
        changes: list[dict[str, Any]] = []
        while page := self.simulators.get(f"/record?after={changes[-1]['n'] if changes else 0}")["changes"]:
            changes += page
        return changes

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """Every stored row, in commit order; only those behind the first `after`."""
        return list(all_pages(self.centre, "/api/v1/events", "events", after))

    def alerts(self) -> list[dict[str, Any]]:
        return list(all_pages(self.centre, "/api/v1/alerts", "alerts"))

    def door_states(self) -> dict[str, str]:
        rooms = self.centre.get("/api/v1/stations")["rooms"]
        return {room["id"]: room["door"] for room in rooms}

    def journal(self, verb: str) -> subprocess.CompletedProcess[str]:
        command = [*CASEWATCH, "edge", "journal", verb, "edge.toml"]
        return subprocess.run(
            command, cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
        )

    def _mode(self) -> tuple[str, ...]:
        return () if self.secure else ("--insecure-dev",)

    def _process(self, name: str, *words: str) -> Process:
        return Process(name, [*CASEWATCH, *words], self.folder)

    def write_settings(self, *names: str) -> None:
        """All of them, or these files anew."""
        files = {
            "scenario.toml": self._scenario(),
            "edge.toml": self._edge(),
            "central.toml": self._central(),
            "stations.toml": self._stations(),
            "rules.toml": "".join(f"{key} = {value}\n" for key, value in (RULES | self.rules).items()),
            "media.token": secrets.token_urlsafe(32) + "\n",
        }
        for name in names or files:
            (self.folder / name).write_text(files[name])
        (self.folder / "media.token").chmod(0o600)

    def _scenario(self) -> str:
        text = f'[control]\nhost = "127.0.0.1"\nport = {self.control_port}\n'
        for index, port in enumerate(self.module_ports):
            inputs = "".join(f'"{n}" = "{self.doors[index * INPUTS + n]}"\n' for n in range(INPUTS))
            text += (
                f'\n[[cable]]\nid = "io{index + 1}"\nspeaks = "modbus-tcp"\ntcp = {port}\n'
                f'\n[[device]]\nid = "io{index + 1}"\ncable = "io{index + 1}"\nmake = "moxa-e1210"\n'
                f"[device.wires]\n{inputs}"
            )
        text += f"\n[cameras]\nport = {self.rtsp_port}\n"
        text += f'\n[[station]]\nid = "{STATION}"\nname = {{ zh = "测试派出所", en = "Test Station" }}\n'
        for room in self.rooms[: self.cameras]:
            name = '{ zh = "讯问室", en = "Interrogation" }'
            text += f'\n[[station.room]]\nid = "{room}"\nname = {name}\n'
        return text

    def _edge(self) -> str:
        text = (
            f'[edge]\nid = "{STATION}"\ndata_dir = "edge"\nsimulated = true\n\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.broker_port}\n'
        )
        if self.cameras:
            text += f'\n[media]\nlisten = "127.0.0.1"\nport = {self.media_port}\ntoken_file = "media.token"\n'
        for index, port in enumerate(self.module_ports, start=1):
            text += (
                f'\n[[bus]]\nid = "bus{index}"\nkind = "modbus_tcp"\nhost = "127.0.0.1"\nport = {port}\n'
                f'\n[[device]]\nid = "io{index}"\nbus = "bus{index}"\ndriver = "modbus_di"\n'
                f'profile = "moxa-e1210"\nunit = 1\ninterval_ms = {self.interval_ms}\n'
            )
        for n, door in enumerate(self.doors):
            text += (
                f'\n[[point]]\nid = "{door}"\ntype = "door"\ndevice = "io{n // INPUTS + 1}"\n'
                f'channel = "di:{n % INPUTS}"\n'
            )
        for room in self.rooms[: self.cameras]:
            text += (
                f'\n[[camera]]\npoint = "{room}.picture"\nurl = "rtsp://127.0.0.1:{self.rtsp_port}/{room}"\n'
            )
        return text

    def _central(self) -> str:
        return (
            f'[web]\nhost = "127.0.0.1"\nport = {self.web_port}\n\n'
            '[store]\nurl = "sqlite:///central/casewatch.db"\n\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.broker_port}\n\n'
            '[central]\ndata_dir = "central"\nstations = "stations.toml"\nrules = "rules.toml"\n\n'
            '[media]\ntoken_file = "media.token"\n'
        )

    def _stations(self) -> str:
        text = (
            f'[[station]]\nid = "{STATION}"\nedge = "{STATION}"\n'
            'name = { zh = "测试派出所", en = "Test Station" }\n'
            f'media_url = "wss://127.0.0.1:{self.media_port}"\n'
        )
        for n, (room, door) in enumerate(zip(self.rooms, self.doors, strict=True)):
            text += (
                f'\n[[station.room]]\nid = "{room}"\nkind = "interrogation_room"\n'
                f'name = {{ zh = "讯问室{n + 1}", en = "Interrogation {n + 1}" }}\ndoors = ["{door}"]\n'
            )
            if n < self.cameras:
                text += f'camera = "{room}.picture"\n'
        return text


__all__ = ["ROOT", "World"]
