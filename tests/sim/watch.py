"""What is looked at while a world runs: each word on its way out, each turn of the board.

Some promises can only be judged at the instant: a receipt is right or wrong as it leaves, by what is
committed just then. What can be judged from the record afterwards is left to `tests.chaos.oracle`.
"""

import sqlite3
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from central.board_model import Fault
from central.store.database import Change
from contract import messages, topics
from contract.errors import ContractError
from contract.limits import SILENCE_AFTER_S
from contract.messages import Batch, Beat, Birth, Command, Live, Receipt, Status, batch_hashes, live_hash
from contract.rows import decode_row
from contract.topics import Down, Up

if TYPE_CHECKING:
    from tests.sim.centre import Centre
    from tests.sim.station import Station
    from tests.sim.world import World

SLACK_S = 0.5
"""For a tick's own reads and writes on a healthy disk."""
TICK_S = 1.0
TWICE = (
    "SELECT kind, station, room, point FROM fault WHERE cleared_ms IS NULL "
    "GROUP BY kind, station, room, point HAVING count(*) > 1"
)


def places_of(lane: Up, payload: bytes) -> list[tuple[int, int, str]]:
    """(epoch, seq, hash) of every row that a message tells of."""
    if lane is Up.LOG:
        batch = messages.decode(Batch, payload)
        return [
            (batch.epoch, seq, one.hex()) for seq, one in enumerate(batch_hashes(batch), start=batch.first)
        ]
    if lane is Up.LIVE:
        live = messages.decode(Live, payload)
        return [(live.epoch, decode_row(bytes(live.row)).seq, live_hash(live).hex())]
    if lane in {Up.BEAT, Up.BIRTH}:
        head = messages.decode(Beat if lane is Up.BEAT else Birth, payload)
        return [(head.epoch, head.seq, head.hash)] if head.seq else []
    return []


class EdgeWatch:
    """P1 at an edge: what leaves it stands on its disk."""

    def __init__(self, world: "World", name: str) -> None:
        self.told: dict[tuple[int, int], set[str]] = defaultdict(set)
        self._world = world
        self._name = name
        self._durable: dict[tuple[int, int], str] = {}
        self._db: sqlite3.Connection | None = None
        self.station: Station

    def starts(self) -> None:
        """What the file holds is read anew."""
        self.close()
        self._durable = {}

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def publishes(self, lane: Up, payload: bytes) -> None:
        self._world.note(f"{self._name} says {lane}")
        self.station.process.reach("send")
        for epoch, seq, hashed in places_of(lane, payload):
            self.told[epoch, seq].add(hashed)
            if self._durable.get((epoch, seq)) != hashed:
                self._look(epoch)
            here = self._durable.get((epoch, seq))
            if here != hashed:
                what = "is not on its disk" if here is None else "is another on its disk"
                self._world.fail("P1", f"{self._name}: row {epoch}/{seq} was told ({lane}) and {what}")

    def acts(self, lock: str) -> None:
        """P8: that it was accepted is on the disk before the lock is told."""
        rows = sqlite3.connect(self.station.database).execute("SELECT bytes FROM row").fetchall()
        accepted = [
            row for row in map(decode_row, (raw for (raw,) in rows)) if row.kind == "command.accepted"
        ]
        if not any(row.point == lock for row in accepted):
            self._world.fail("P8", f"{lock} was opened before a row said that it was to be")

    def _look(self, epoch: int) -> None:
        if self._db is None:
            self._db = sqlite3.connect(self.station.database)
        last = max((seq for _, seq in self._durable), default=0)
        for seq, hashed in self._db.execute("SELECT seq, hash FROM row WHERE seq > ?", (last,)):
            self._durable[epoch, seq] = bytes(hashed).hex()


class CentreWatch:
    """P1 at the centre: what it receipts is committed. P7: who is silent, and what the board says of it."""

    def __init__(self, world: "World") -> None:
        self.ever: set[tuple[str, str]] = set()
        """(kind, station) of every fault that ever stood."""
        self.sent_at: dict[str, float] = {}
        """By lock: when its command first left the centre."""
        self.receipted: set[tuple[str, int, int, str]] = set()
        self.centre: Centre
        self._world = world
        self._heard: set[bytes] = set()
        """What was said again is no sign of life."""
        self._newest: dict[tuple[str, str], int] = defaultdict(int)
        self._lives: dict[str, list[float]] = defaultdict(list)
        """The last two signs of life of each."""
        self._goodbye_at: dict[str, float] = {}
        self._began_at = self._healed_at = 0.0

    def centre_starts(self) -> None:
        self._heard.clear()  # the broker tells a new start what it retained
        self._began_at = self._world.now

    def heals(self) -> None:
        """A centre that could hear nobody begins to listen."""
        self._healed_at = self._world.now

    def hears(self, topic: str, payload: bytes) -> None:
        """Signs of life and goodbyes as they come, whatever the centre makes of them."""
        if payload in self._world.forged or payload in self._heard:
            return
        self._heard.add(payload)
        try:
            edge, lane = topics.parse_up(topic)
        except ContractError:
            return
        if lane in {Up.BEAT, Up.BIRTH}:
            said = messages.decode(Beat if lane is Up.BEAT else Birth, payload)
            if said.n > self._newest[edge, said.instance]:  # one that was overtaken is no sign of life
                self._newest[edge, said.instance] = said.n
                self._lives[edge] = [*self._lives[edge][-1:], self._world.now]
        elif lane is Up.STATUS and messages.decode(Status, payload).state == "offline":
            self._goodbye_at[edge] = self._world.now

    def answers(self, topic: str, payload: bytes) -> None:
        self.centre.process.reach("send")
        if topic == topics.CENTRAL_STATUS:
            return
        edge, lane = topics.parse_down(topic)
        self._world.note(f"centre says {lane} to {edge}")
        if lane is Down.RECEIPT:
            receipt = messages.decode(Receipt, payload)
            self.receipted.add((edge, receipt.epoch, receipt.seq, receipt.hash))
            held = self.centre.ask(
                "SELECT hash FROM event WHERE edge=? AND epoch=? AND seq=?", edge, receipt.epoch, receipt.seq
            )
            if not held:
                self._world.fail("P1", f"row {edge}/{receipt.seq} was receipted and is not committed")
            elif held[0][0] != receipt.hash:
                self._world.fail("P1", f"row {edge}/{receipt.seq} was receipted as another")
        elif lane is Down.COMMAND:
            self.sent_at.setdefault(str(messages.decode(Command, payload).point), self._world.now)

    def board_changes(self, changes: list[Change]) -> None:
        for change in changes:
            if change.kind == "fault":
                self._fault(msgspec.json.decode(change.entity, type=Fault))

    def _fault(self, fault: Fault) -> None:
        if fault.cleared_ms is not None:
            self._world.note(f"centre clears {fault.kind} of {fault.station}")
            return
        self._world.note(f"centre raises {fault.kind} of {fault.station}: {fault.detail}")
        self.ever.add((fault.kind, fault.station))
        if fault.kind == "station_lost":
            self._is_loss_right(fault.station)

    def standing(self) -> list[tuple[str, str]]:
        """(kind, station) of what stands, as it is committed: what a killed centre told nobody stands too."""
        return self.centre.ask("SELECT kind, station FROM fault WHERE cleared_ms IS NULL")

    def _is_loss_right(self, edge: str) -> None:
        """Lost is who was silent, or said goodbye, or had it said for him."""
        now = self._world.now
        lives = [
            at for at in self._lives[edge] if at < now - SLACK_S
        ]  # the very newest may wait for the store
        silent_s = now - max([self._began_at, *lives])
        said_s = now - self._goodbye_at.get(edge, 0.0)
        if {edge} & (
            self._world.revoked.keys() | self._world.begun_anew.keys() | self._world.rolled_back.keys()
        ):
            return  # not all that it says counts
        if self._world.is_centre_slow:
            return  # a beat that came may wait for the store
        if silent_s <= SILENCE_AFTER_S and said_s > self._world.patience_s:
            self._world.fail("P7", f"{edge} was lost after {silent_s:.1f} s without a goodbye")

    def tick(self) -> None:
        """Nobody is online who was silent too long."""
        if not self.centre.process.is_running or self._world.is_centre_slow:
            return
        now = self._world.now
        for subject in self.centre.ask(TWICE):
            self._world.fail("P7", f"{subject} stands twice")
        for edge, state in self.centre.ask("SELECT edge, state FROM edge_link"):
            silent_s = now - max([self._began_at, self._healed_at, *self._lives[edge]])
            if state == "online" and silent_s > SILENCE_AFTER_S + TICK_S + SLACK_S:
                self._world.fail("P7", f"{edge} is online after {silent_s:.1f} s of silence")
