"""What a trial saw, as it saw it: the only thing that the oracle judges.

A record says what somebody did, told or holds, never whether that is right. Instants are ns of this
machine's CLOCK_MONOTONIC, which simulators, edges and trials share; `_ms` is wall time.
"""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct


class Change(Struct, tag=True, frozen=True):
    """A contact moved, by the simulators' own account."""

    point: str
    value: str
    mono_ns: int


class Place(Struct, frozen=True):
    """A row's place and content: the chain's hash after it, hex, stands for every byte before it."""

    edge: str
    epoch: int
    seq: int
    hash: str


class Told(Struct, tag=True, frozen=True):
    """An edge told the broker of a row: as content of a batch or live message, or as the head it claims."""

    place: Place
    lane: str
    mono_ns: int


class Receipted(Struct, tag=True, frozen=True):
    """The centre told the broker that it holds all up to this row."""

    place: Place
    mono_ns: int


class StoredRow(Struct, frozen=True):
    """A row as the centre holds it; what it says, where it speaks of a contact."""

    place: Place
    kind: str
    point: str | None
    mono_ns: int
    openings: int = 0
    """Of a door: its own, and those that only the module's counter saw."""


class Store(Struct, tag=True, frozen=True):
    """All that the centre holds, in commit order. `is_final`: all faults had ended, and time was given."""

    name: str
    mono_ns: int
    rows: list[StoredRow]
    is_final: bool = False


class Journal(Struct, tag=True, frozen=True):
    """All that an edge's file holds. `base`: rows up to it were trimmed in order."""

    name: str
    edge: str
    epoch: int
    mono_ns: int
    places: list[Place]
    base: int = 0


class Verified(Struct, tag=True, frozen=True):
    """What an offline check said. `touched`: rows that a hand was laid on, any is right; None: nowhere."""

    name: str
    code: int
    said_seq: int | None
    touched: list[int] | None = None


class Fault(Struct, tag=True, frozen=True):
    """A fault of the board, at the end of the trial."""

    kind: str
    station: str
    point: str | None
    since_ms: int
    cleared_ms: int | None


class Alert(Struct, tag=True, frozen=True):
    """An alert of the board: the room, and the edge's wall time of the opening that raised it."""

    id: str
    room: str
    edge_ms: int


class Silence(Struct, tag=True, frozen=True):
    """No beat of the edge could reach the centre from one instant to the other, None: to the trial's end.

    `is_noticeable` is false where the centre itself was not there to notice.
    """

    station: str
    from_ns: int
    until_ns: int | None
    is_noticeable: bool = True


class Blind(Struct, tag=True, frozen=True):
    """The edge did not run, or could not see its contacts."""

    from_ns: int
    until_ns: int


class Demand(Struct, tag=True, frozen=True):
    """What was done must stand on the board as one of these faults, within so long."""

    promise: str
    kinds: list[str]
    from_ns: int
    within_s: float
    why: str


class Commanded(Struct, tag=True, frozen=True):
    """A command was given; it may act until `until_ns`, and not at all where `is_valid` is false."""

    id: str
    point: str
    mono_ns: int
    until_ns: int
    is_valid: bool = True


class Acted(Struct, tag=True, frozen=True):
    """A device did what a command asks, by the simulators' account."""

    point: str
    mono_ns: int


class Ended(Struct, tag=True, frozen=True):
    """A process ended by itself; `allowed`: the exit codes that what was done to it may bring."""

    process: str
    code: int
    allowed: list[int]


class Figure(Struct, tag=True, frozen=True):
    """A measured number and its bound."""

    promise: str
    name: str
    value: float
    at_most: float


class Clocks(Struct, tag=True, frozen=True):
    """One instant on both clocks."""

    mono_ns: int
    wall_ms: int


class Fact(Struct, tag=True, frozen=True):
    """What must simply be so: for a trial's own question that no other record asks."""

    promise: str
    says: str
    is_so: bool


Record = (
    Change
    | Told
    | Receipted
    | Store
    | Journal
    | Verified
    | Fault
    | Alert
    | Silence
    | Blind
    | Demand
    | Commanded
    | Acted
    | Ended
    | Figure
    | Clocks
    | Fact
)
R = TypeVar("R", bound=Struct)


class History:
    """Records in the order they were noted; any thread may note."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records = list(records)
        self._lock = threading.Lock()

    def note(self, *records: Record) -> None:
        with self._lock:
            self._records.extend(records)

    def of(self, kind: type[R]) -> Iterator[R]:
        with self._lock:
            found = [record for record in self._records if isinstance(record, kind)]
        return iter(found)

    def save(self, path: Path) -> None:
        with self._lock:
            path.write_bytes(msgspec.json.Encoder().encode_lines(self._records))

    @classmethod
    def load(cls, path: Path) -> "History":
        return cls(msgspec.json.Decoder(Record).decode_lines(path.read_bytes()))
