"""A station with a cabinet of four slots beside its doors, as real processes, and its edge's journal."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from tests.support.eventually import eventually
from tests.support.world import STATION, World

CABINET = f"{STATION}.cab1"
SLOTS = 4
LOCKS = [f"{CABINET}.s{n:02}.lock" for n in range(1, SLOTS + 1)]


@dataclass
class CabinetWorld(World):
    """`lock_ms`: period and time-out of its lock board, a simulated one of the 8A family on a serial line."""

    lock_ms: int = 500

    def start(self) -> "CabinetWorld":
        super().start()
        eventually(lambda: self.slots() == ["closed"] * SLOTS, 40, "every lock read")
        return self

    def slots(self) -> list[str]:
        """Every lock as the centre knows it."""
        (cabinet,) = self.centre.get("/api/v1/stations")["cabinets"]
        return [slot["lock"] for slot in cabinet["slots"]]

    def order(self, lock: str, action_id: str, action: str = "open_slot") -> str:
        """The id of the command that the signed-in watcher gives."""
        body = {"action_id": action_id, "action": action, "edge": STATION, "point": lock, "reason": "试开"}
        command: str = self.centre.post("/api/v1/commands", body)["command"]["id"]
        return command

    def command(self, id_: str) -> dict[str, Any]:
        """How it stands at the centre."""
        commands = self.centre.get("/api/v1/commands")["commands"]
        return next(one for one in commands if one["id"] == id_)

    def await_state(self, id_: str, state: str, within_s: float = 20) -> dict[str, Any]:
        eventually(lambda: self.command(id_)["state"] == state, within_s, f"{state}: {self.command(id_)}")
        return self.command(id_)

    def openings(self, lock: str) -> int:
        """How often the lock took its pulse, by the simulator's own record."""
        return sum(change["point"] == lock and change["value"] == "open" for change in self.record())

    def rows(self, prefix: str) -> list[tuple[str, dict[str, Any]]]:
        """Kind and data of the rows in the edge's journal, as they lie on the disk."""
        db = sqlite3.connect(f"file:{self.folder}/edge/journal.db?mode=ro", uri=True)
        try:
            rows = [json.loads(raw) for (raw,) in db.execute("SELECT bytes FROM row ORDER BY seq")]
        finally:
            db.close()
        return [(row["kind"], row["data"]) for row in rows if row["kind"].startswith(prefix)]

    def _scenario(self) -> str:
        return super()._scenario() + (
            '\n[[cable]]\nid = "locks"\nspeaks = "lock-8a"\npty = "pty/locks"\nbaud = 9600\n'
            '\n[[device]]\nid = "locks"\ncable = "locks"\nmake = "lock-8a"\nunit = 1\n'
            f'cabinet = "{CABINET}"\nslots = {SLOTS}\nholds = "locks"\n'
        )

    def _edge(self) -> str:
        text = super()._edge() + (
            '\n[[bus]]\nid = "cabinet"\nkind = "serial"\ndevice = "pty/locks"\n'
            f"timeout_ms = {self.lock_ms}\n"
            '\n[[device]]\nid = "locks"\nbus = "cabinet"\ndriver = "lock_8a"\nunit = 1\n'
            f"interval_ms = {self.lock_ms}\n"
        )
        for n, lock in enumerate(LOCKS, start=1):
            text += f'\n[[point]]\nid = "{lock}"\ntype = "lock"\ndevice = "locks"\nchannel = "lock:{n}"\n'
        return text

    def _stations(self) -> str:
        return super()._stations() + (
            f'\n[[station.cabinet]]\nid = "{CABINET}"\nname = {{ zh = "案卷柜", en = "Cabinet" }}\n'
            f"slots = {SLOTS}\n"
        )
