"""An invented county for tests of the centre: its settings, and edges that speak the wire as real ones do."""

import secrets
from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from msgspec import Raw
from msgspec.structs import replace

from central.ingest.admission import UpMessage
from central.ingest.intake import Arrival, Intake, Outcome
from central.patrol.places import Places
from central.settings import CabinetSettings, Name, RoomKind, RoomSettings, Rules, StationSettings
from central.store.database import Transaction
from contract import chain, messages, points, topics
from contract.keys import Signer
from contract.messages import Batch, Beat, Birth, Live, PointState, Receipt, Status
from contract.points import Clock, PointType, Quality
from contract.rows import Row, encode_row
from contract.signing import sign

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


Said = TypeVar("Said", Batch, Live, Birth, Beat)


class Journal:
    """An edge's journal: rows in a chain, and the messages that carry them. With a `signer` they are signed,
    with an `instance` they are numbered, as by one process; `start` is the next."""

    def __init__(self, edge: str = "liuxu", epoch: int = 7, signer: Signer | None = None) -> None:
        self.signer = signer
        self.instance = ""
        self.n = 0
        self.goodbyes = 0
        self.edge = edge
        self.epoch = epoch
        self.session = 1
        self.rows: list[bytes] = []
        self.hashes = [chain.anchor(edge, epoch)]
        self.states: dict[str, PointState] = {}

    @property
    def seq(self) -> int:
        return len(self.rows)

    def start(self) -> None:
        """Another process on the same journal."""
        self.session += 1
        self.instance = secrets.token_hex(16)
        self.n = 0

    def copied(self) -> "Journal":
        """The image of this machine, to be started elsewhere."""
        other = Journal(self.edge, self.epoch, self.signer)
        other.session, other.rows, other.hashes = self.session, list(self.rows), list(self.hashes)
        return other

    def _say(self, message: Said) -> Said:
        if self.instance:
            self.n += 1
            message = replace(message, session=self.session, n=self.n)
            if not isinstance(message, Batch | Live):
                message = replace(message, instance=self.instance)
        return sign(message, self.signer) if self.signer else message

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
        batch = Batch(
            edge=self.edge,
            epoch=self.epoch,
            first=first,
            last=last,
            prev=self.hashes[first - 1].hex(),
            head=self.hashes[last].hex(),
            rows=[Raw(row) for row in self.rows[first - 1 : last]],
        )
        return self._say(batch)

    def live(self, seq: int | None = None) -> Live:
        seq = seq or self.seq
        live = Live(
            edge=self.edge,
            epoch=self.epoch,
            prev=self.hashes[seq - 1].hex(),
            head=self.hashes[seq].hex(),
            row=Raw(self.rows[seq - 1]),
        )
        return self._say(live)

    def birth(self, at: int = T0, *, receipted: Receipt | None = None, base: int = 0, **values: str) -> Birth:
        """`values`: point → value, dots as `__`; or `value/quality`. Its other points have none."""
        states = []
        unnamed = {point.replace(".", "__"): "" for point in Places(STATIONS).points_of(self.edge)}
        for name, word in (unnamed | values).items():
            value, _, quality = word.partition("/")
            point = name.replace("__", ".")
            kind = PointType(point.rpartition(".")[2])
            states.append(PointState(point, kind, value, Quality(quality or "good"), at))
        birth = Birth(
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
            receipted=receipted,
            base=base,
            base_hash=self.hashes[base].hex(),
        )
        return self._say(birth)

    def beat(self, queued: int = 0, *, forked: bool = False) -> Beat:
        beat = Beat(
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
            forked=forked,
        )
        return self._say(beat)

    def goodbye(self, reason: Literal["", "stop", "will"] = "stop") -> Status:
        said = Status(
            edge=self.edge, state="offline", session=self.session, at=T0 + self.goodbyes, reason=reason
        )
        self.goodbyes += 1  # each connection has a will of its own
        return sign(said, self.signer) if self.signer else said

    def fork_at(self, seq: int) -> "Journal":
        """A journal with the same rows before `seq` and another row there."""
        other = Journal(self.edge, self.epoch, self.signer)
        other.session, other.instance, other.n = self.session, self.instance, self.n
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
