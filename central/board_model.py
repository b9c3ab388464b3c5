"""What the board shows: the entities of `/api/v1/stations` and of the live channel, and nothing else.

Every `_ms` is an instant in Unix milliseconds, but for `late_ms` and `viewed_ms`, which are durations.
Edge instants (`since_ms`, `edge_ms`, `started_ms`) are told by the edge's clock, the others by the centre's.
"""

from typing import Literal

from msgspec import Struct

from central.settings import Name

LinkState = Literal["online", "lost", "stopped", "never"]
DoorState = Literal["open", "closed", "unknown"]
ItemState = Literal["present", "absent", "none", "unknown"]
PictureState = Literal["ok", "covered", "dark", "lost", "none", "unknown"]
AlertState = Literal["UNACK", "CLAIMED", "REVIEWING", "RTN_UNACK", "LAPSED", "REVIEWED"]
Condition = Literal["OPEN", "CLOSED", "UNKNOWN"]
Result = Literal["normal", "problem", "empty", "device_fault"]
FaultKind = Literal[
    "station_lost",
    "service_stopped",
    "point_silent",
    "point_disabled",
    "picture",
    "clock_stepped",
    "settings_changed",
    "maintenance",
    "simulated",
    "insecure",
    "disk_low",
    "journal_touched",
    "certificate_expires",
    "log_withheld",
    "rows_gone",
    "epoch_unknown",
    "old_version",
    "forked",
    "two_machines",
    "edge_rolled_back",
    "store_rolled_back",
    "bad_signature",
    "key_revoked",
]
"""What each means, what raises and what ends it: `central/patrol/alarms.py` and docs/alarms.md."""
EntityKind = Literal["station", "room", "cabinet", "alert", "fault"]


class Station(Struct, frozen=True):
    """`queued`: rows its edge holds that no receipt covers. `refused`: messages of it that were refused."""

    id: str
    order: int
    name: Name
    edge: str
    link: LinkState
    link_since_ms: int
    queued: int
    refused: int


class Session(Struct, frozen=True):
    """A use of a room (使用场次)."""

    id: str
    started_ms: int
    opens: int


class Room(Struct, frozen=True):
    """A functional room. `alert_id`: the alert here that still waits for a person."""

    id: str
    station: str
    order: int
    name: Name
    kind: str
    has_camera: bool
    door: DoorState
    quality: str
    picture: PictureState
    since_ms: int
    simulated: bool
    session: Session | None
    alert_id: str | None


class Slot(Struct, frozen=True):
    n: int
    lock: DoorState
    item: ItemState
    quality: str
    since_ms: int


class Cabinet(Struct, frozen=True):
    id: str
    station: str
    name: Name
    slots: tuple[Slot, ...]


class Person(Struct, frozen=True):
    """Who acts or holds: an account's id and the name shown."""

    id: str
    name: str


class Alert(Struct, frozen=True):
    """A room's use that somebody must look at.

    `rev` counts the changes of its work state and owner only: a door that opens again while a person
    reads does not refuse that person's claim.
    """

    id: str
    kind: Literal["patrol"]
    station: str
    room: str
    state: AlertState
    level: int
    edge_ms: int
    raised_ms: int
    late_ms: int
    opens: int
    cond: Condition
    owner: Person | None
    claimed_ms: int | None
    viewed_ms: int
    lapse_at_ms: int
    lapsed: bool
    result: Result | None
    ended_ms: int | None
    rev: int
    chain_pending: bool
    session: str


class Fault(Struct, frozen=True):
    """A fault of a device, of a station or of its evidence; never merged with an alert.

    `detail`: a word of its kind's in `central/patrol/alarms.py`, and after a space what the word speaks of.
    """

    id: str
    kind: FaultKind
    station: str
    room: str | None
    point: str | None
    detail: str
    since_ms: int
    cleared_ms: int | None


class Board(Struct, frozen=True):
    """All of it at one instant; `seq` is the last change that it contains."""

    seq: int
    stations: list[Station]
    rooms: list[Room]
    cabinets: list[Cabinet]
    alerts: list[Alert]
    faults: list[Fault]


Entity = Station | Room | Cabinet | Alert | Fault
