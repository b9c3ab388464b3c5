"""The workshop: one of each device on simulated cables, every driver, one agent, rows in its journal.

What a technician does by the README, with ports of its own: `casewatch sim run workshop` and
`casewatch edge run config/workshop/edge.toml --insecure-dev`. No broker: what a station notes it notes alone.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Http
from tests.support.eventually import eventually
from tests.support.mosquitto import await_listener
from tests.support.ports import free_ports
from tests.support.processes import CASEWATCH, Process

ROOT = Path(__file__).parents[2]
PORTS = ("18480", "18584", "15081", "15082", "15083", "15084")


class Workshop:
    """Simulators and an agent in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        for name in ("simulators/scenarios/workshop.toml", "config/workshop/edge.toml"):
            text = re.sub("|".join(PORTS), lambda port: ports[port[0]], (ROOT / name).read_text())
            (folder / Path(name).name).write_text(text)
        secrets = folder / "config/workshop"
        secrets.mkdir(parents=True)
        for name in ("osdp.key", "camera.password"):
            shutil.copy(ROOT / "config/workshop" / name, secrets)
        self.sim = Process("sim", [*CASEWATCH, "sim", "run", "workshop.toml"], folder)
        self.edge = Process("edge", [*CASEWATCH, "edge", "run", "edge.toml", "--insecure-dev"], folder)
        self.sim.start()
        await_listener(int(ports["18480"]))
        self.control = Http(f"http://127.0.0.1:{ports['18480']}")
        self.edge.start()

    def stop(self) -> None:
        self.control.close()
        for process in (self.edge, self.sim):
            if process.is_running:
                process.stop()

    def rows(self) -> list[dict[str, Any]]:
        path = self.folder / "var/workshop/edge/journal.db"
        if not path.exists():
            return []
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'row'").fetchall():
                return []  # the agent has made the file, and not yet what is in it
            return [json.loads(raw) for (raw,) in db.execute("SELECT bytes FROM row ORDER BY seq")]
        except sqlite3.OperationalError:
            return []  # its table is still to be made
        finally:
            db.close()

    def said(self, point: str) -> list[tuple[str, Any]]:
        """Kind, and what it says, of every row of a point."""
        return [
            (row["kind"], row["data"].get("value") or row["data"].get("quality"))
            for row in self.rows()
            if row["point"] == point
        ]

    def set(self, point: str, value: str) -> None:
        self.control.post(f"/points/{point}", {"value": value})

    def act(self, device: str, act: str) -> None:
        self.control.post(f"/devices/{device}/acts", {"act": act})

    def expect(self, point: str, kind: str, what: Any = None) -> None:
        def has_come() -> bool:
            assert self.edge.is_running, self.edge.tail()
            return (kind, what) in self.said(point)

        eventually(has_come, 40, f"{point} {kind} {what or ''}")


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path)
    yield workshop
    workshop.stop()


BASELINES = {
    "workshop.int1.door": "closed",
    "workshop.int2.door": "closed",
    "workshop.int2.tamper": "quiet",
    "workshop.wait.door": "closed",
    "workshop.back.door": "closed",
    "workshop.side.door": "closed",
    "workshop.cab1.s01.lock": "closed",
    "workshop.cab1.s01.item": "present",
    "workshop.cab2.s01.lock": "closed",
    "workshop.cab2.s01.item": "present",
    "workshop.cab3.s01.lock": "closed",
    "workshop.cab4.s01.lock": "closed",
    "workshop.shelf1.item": "present",
    "workshop.shelf3.item": "present",
    "workshop.modem": "registered",
    "workshop.entrance.reader": "paired",
    "workshop.entrance.tamper": "quiet",
    "workshop.wait.scene": "quiet",
    "workshop.wait.picture": "ok",
}


@pytest.mark.timeout(240)
def test_every_driver_tells_of_its_device(workshop: Workshop) -> None:
    for point, value in BASELINES.items():
        workshop.expect(point, "point.baseline", value)
    for door in ("int1", "int2", "wait", "back", "side"):
        workshop.set(f"workshop.{door}.door", "open")
        workshop.expect(f"workshop.{door}.door", "door.open")
    for cabinet in ("cab1", "cab2", "cab3", "cab4"):
        workshop.set(f"workshop.{cabinet}.s01.lock", "open")
        workshop.expect(f"workshop.{cabinet}.s01.lock", "lock.open")
    for item in ("cab1.s01", "cab2.s01", "shelf1", "shelf3"):
        workshop.set(f"workshop.{item}.item", "absent")
        workshop.expect(f"workshop.{item}.item", "item.absent")
    assert workshop.said("workshop.shelf2.item") == [("point.baseline", "present")]
    workshop.set("workshop.int1.wire", "cut")
    workshop.expect("workshop.int1.door", "point.quality", "line_open")
    workshop.set("workshop.int1.wire", "short")
    workshop.expect("workshop.int1.door", "point.quality", "line_short")
    workshop.set("workshop.int2.tamper", "tripped")
    workshop.expect("workshop.int2.tamper", "tamper.tripped")
    workshop.act("ws-osdp", "card")
    workshop.expect("workshop.entrance.reader", "card.read")
    workshop.act("ws-osdp", "tamper")
    workshop.expect("workshop.entrance.tamper", "tamper.tripped")
    workshop.act("ws-modem", "unregister")
    workshop.expect("workshop.modem", "modem.unregistered")
    workshop.act("ws-onvif", "scene")
    workshop.expect("workshop.wait.scene", "tamper.tripped")
    forced = [row for row in workshop.rows() if row["kind"] == "lock.open"]
    assert len(forced) == 4
    assert all(row["data"]["forced"] for row in forced)


@pytest.mark.timeout(240)
def test_a_line_that_garbles_and_an_adapter_that_is_pulled_invent_nothing(workshop: Workshop) -> None:
    for door in ("wait", "back", "side"):
        workshop.expect(f"workshop.{door}.door", "point.baseline", "closed")
    for kind in ("check", "late", "echo", "wrong_unit"):
        workshop.control.post("/faults", {"cable": "ws-line", "kind": kind, "p": 0.1, "ms": 300})
    workshop.control.post("/faults", {"cable": "ws-8a", "kind": "unplugged"})
    workshop.expect("workshop.cab1.s01.lock", "point.quality", "comm_fail")
    workshop.set("workshop.back.door", "open")
    workshop.expect("workshop.back.door", "door.open")
    workshop.control.post("/faults/heal", {})
    workshop.expect("workshop.cab1.s01.lock", "point.quality", "good")
    doors = [kind for kind, _ in workshop.said("workshop.wait.door") if kind.startswith("door.")]
    assert doors == []
    assert [kind for kind, _ in workshop.said("workshop.back.door") if kind.startswith("door.")] == [
        "door.open"
    ]
