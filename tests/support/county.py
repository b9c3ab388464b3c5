"""An invented county for tests of the centre: its settings, and edges that speak the wire as real ones do."""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from central.ingest.admission import UpMessage
from central.ingest.intake import Arrival, Intake, Outcome
from central.patrol.places import Places
from central.settings import CabinetSettings, Name, RoomKind, RoomSettings, Rules, StationSettings
from central.store.database import Transaction
from contract import chain, messages, points, topics
from contract.messages import Batch, Beat, Birth, Live, PointState, Status
from contract.points import Clock, PointType, Quality
from contract.rows import Row, encode_row

RULES = Rules()
T0 = 1_800_000_000_000
"""A wall instant to count from, ms."""


def room(room_id: str, kind: RoomKind, *, doors: Iterable[str] = (), camera: bool = True) -> RoomSettings:
    return RoomSettings(
        id=room_id,
        kind=kind,
        name=Name(zh="房间", en="Room"),
        doors=tuple(doors) or (f"{room_id}.door",),
        camera=f"{room_id}.picture" if camera else None,
    )


STATIONS = (
    StationSettings(
        id="liuxu",
        edge="liuxu",
        name=Name(zh="柳圩派出所", en="Liuxu Station"),
        rooms=(
            room("liuxu.int1", RoomKind.INTERROGATION_ROOM),
            room("liuxu.inq1", RoomKind.INQUIRY_ROOM),
            room("liuxu.lawyer", RoomKind.LAWYER_ROOM, camera=False),
        ),
        cabinets=(CabinetSettings(id="liuxu.cab1", name=Name(zh="案卷柜", en="Cabinet"), slots=2),),
    ),
    StationSettings(
        id="linhu",
        edge="linhu",
        name=Name(zh="临湖派出所", en="Linhu Station"),
        rooms=(room("linhu.int1", RoomKind.INTERROGATION_ROOM),),
    ),
)
DOOR = "liuxu.int1.door"


class Journal:
    """An edge's journal: rows in a chain, and the messages that carry them."""

    def __init__(self, edge: str = "liuxu", epoch: int = 7) -> None:
        self.edge = edge
        self.epoch = epoch
        self.session = 1
        self.rows: list[bytes] = []
        self.hashes = [chain.anchor(edge, epoch)]
        self.states: dict[str, PointState] = {}

    @property
    def seq(self) -> int:
        return len(self.rows)

    def write(self, kind: str, point: str | None = DOOR, at: int = T0, **data: Any) -> int:
        """Adds a row; returns its seq."""
        row = Row(
            seq=self.seq + 1,
            kind=kind,
            at=at,
            mono=at * 1_000,
            boot="b0",
            clock=Clock.SYNCED,
            point=point,
            data=data,
        )
        self.rows.append(encode_row(row))
        self.hashes.append(chain.link(self.hashes[-1], self.rows[-1]))
        return self.seq

    def batch(self, first: int = 1, last: int | None = None) -> Batch:
        last = last or self.seq
        return Batch(
            edge=self.edge,
            epoch=self.epoch,
            first=first,
            prev=self.hashes[first - 1].hex(),
            head=self.hashes[last].hex(),
            rows=[Raw(row) for row in self.rows[first - 1 : last]],
        )

    def live(self, seq: int | None = None) -> Live:
        seq = seq or self.seq
        return Live(
            edge=self.edge,
            epoch=self.epoch,
            prev=self.hashes[seq - 1].hex(),
            head=self.hashes[seq].hex(),
            row=Raw(self.rows[seq - 1]),
        )

    def birth(self, at: int = T0, **values: str) -> Birth:
        """`values`: point → value, dots as `__`; or `value/quality`."""
        states = []
        for name, word in values.items():
            value, _, quality = word.partition("/")
            point = name.replace("__", ".")
            kind = PointType(point.rpartition(".")[2])
            states.append(PointState(point, kind, value, Quality(quality or "good"), at))
        return Birth(
            edge=self.edge,
            epoch=self.epoch,
            session=self.session,
            boot="b0",
            software="0.1.0",
            config="0" * 64,
            seq=self.seq,
            hash=self.hashes[-1].hex(),
            clock=Clock.SYNCED,
            at=at,
            points=states,
        )

    def beat(self, queued: int = 0) -> Beat:
        return Beat(
            edge=self.edge,
            epoch=self.epoch,
            session=self.session,
            n=1,
            seq=self.seq,
            hash=self.hashes[-1].hex(),
            digest=points.state_digest([]),
            clock=Clock.SYNCED,
            at=T0,
            queued=queued,
        )

    def goodbye(self) -> Status:
        return Status(edge=self.edge, state="offline", session=self.session, at=T0)

    def fork_at(self, seq: int) -> "Journal":
        """A journal with the same rows before `seq` and another row there."""
        other = Journal(self.edge, self.epoch)
        other.rows, other.hashes = self.rows[: seq - 1], self.hashes[:seq]
        other.write("door.open", at=T0 + 1, other=True)
        return other


LANES = {Batch: "log", Live: "live", Birth: "birth", Beat: "beat", Status: "status"}


def wire(message: Batch | Live | Birth | Beat | Status) -> tuple[str, bytes]:
    """The topic and payload of a message of an edge."""
    return topics.up(message.edge, topics.Up(LANES[type(message)])), messages.encode(message)


def take(tx: Transaction, *sent: UpMessage, now_ms: int = T0) -> Outcome:
    """Lets messages have their effect in the store, as the pipeline does."""
    intake = Intake(tx, Places(STATIONS), RULES)
    for message in sent:
        intake.take(Arrival(message, now_ms, 0.0))
    return intake.finish()
