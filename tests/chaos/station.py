"""A station and its centre for a trial: the processes of `World`, each wrapped as the trial wishes, with an
ear at the broker, contacts that move, and one way to write down what came of it all.
"""

import re
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from contract.rows import decode_row
from tests.chaos.history import (
    Alert,
    Blind,
    Change,
    Ended,
    Fault,
    Figure,
    History,
    Journal,
    Place,
    Silence,
    Store,
    StoredRow,
    Verified,
)
from tests.chaos.load import Load
from tests.chaos.tap import Tap
from tests.support import minted
from tests.support.api import HttpError
from tests.support.eventually import eventually
from tests.support.world import STATION, World

SETTLE_S = 60.0
POLL_MARGIN_NS = 1_500_000_000
"""A contact that moved so shortly before the edge was stopped may not have been polled."""
JOURNAL = "edge/journal.db"
STORE = "central/casewatch.db"
TAP = "chaos-tap"
LIAR = "chaos-liar"


@dataclass
class Station(World):
    """`edge_way`, `centre_way`: host and port by which they reach the broker, where that is not direct."""

    edge_way: tuple[str, int] | None = None
    centre_way: tuple[str, int] | None = None
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tap = Tap(self.broker_port, self._let_tap_in() if self.secure else None)
        self.load: Load | None = None
        self._is_over = False

    def start(self) -> "Station":
        super().start()
        self.tap.start()
        return self

    def _let_tap_in(self) -> ssl.SSLContext:
        """The tap has a certificate of the county, and the broker's list lets it hear."""
        start = self.broker.start

        def start_with_tap() -> None:
            self.list_tap()
            start()

        self.broker.start = start_with_tap  # type: ignore[method-assign]
        pem = minted.client_pem(minted.authority_of(self.trust), TAP)
        return minted.client_context(self.trust / "ca.pem", pem, self.folder)

    def liar(self) -> ssl.SSLContext:
        """For one who may say at the broker whatever he likes, as a broker itself may; but has no key."""
        pem = minted.client_pem(minted.authority_of(self.trust), LIAR)
        return minted.client_context(self.trust / "ca.pem", pem, self.folder)

    def list_tap(self) -> None:
        """After the centre wrote the broker's list anew, as it does at each enrolment and revocation."""
        acl = self.trust / "acl"
        lines = "".join(f"\nuser {name}\ntopic readwrite casewatch/#\n" for name in (TAP, LIAR))
        if lines not in acl.read_text():
            acl.write_text(acl.read_text() + lines)

    def sign_in_again(self) -> None:
        """Where the session is over: another day's clock, or an older store, knows none of today's."""
        try:
            self.door_states()
        except HttpError:
            self.sign_in(self.centre, f"tester{time.monotonic_ns()}")

    def flip_at(self, rate_hz: float, seed: int) -> Load:
        """Contacts begin to move, until `conclude`."""
        self.load = Load(self, rate_hz, seed).start()
        return self.load

    def route(self) -> None:
        """Write the ways to the broker into the settings; before the start of whom it concerns."""
        for name, way in (("edge.toml", self.edge_way), ("central.toml", self.centre_way)):
            if way is not None:
                file = self.folder / name
                told = f'[broker]\nhost = "{way[0]}"\nport = {way[1]}\n'
                file.write_text(re.sub(r'\[broker\]\nhost = "[^"]*"\nport = \d+\n', told, file.read_text()))

    @contextmanager
    def blind(self) -> Iterator[None]:
        """The edge does not see its contacts meanwhile; until the second beat after it is back."""
        from_ns = time.monotonic_ns() - POLL_MARGIN_NS
        try:
            yield
        finally:
            self.history.note(Blind(from_ns, time.monotonic_ns() + POLL_MARGIN_NS))

    @contextmanager
    def silent(self, *, is_noticeable: bool = True) -> Iterator[None]:
        """No beat can reach the centre meanwhile."""
        from_ns = time.monotonic_ns()
        try:
            yield
        finally:
            self.history.note(Silence(STATION, from_ns, time.monotonic_ns(), is_noticeable))

    def await_beat(self, after_ns: int, within_s: float = 40.0) -> float:
        """Seconds from an instant to the first beat after it."""
        at, _ = eventually(lambda: self.tap.beats(STATION, after_ns)[:1], within_s, "a beat")[0]
        return (at - after_ns) / 1e9

    def settle(self, within_s: float = SETTLE_S) -> bool:
        """Wait until the centre holds all that the edge does; the time it took is noted."""
        started = time.monotonic()
        time.sleep(1.0)
        while (reached := self.cursor()) != (
            head := self.head()
        ) and time.monotonic() < started + within_s * 2:
            time.sleep(0.1)
        self.history.note(Figure("P2", "seconds until all is there", time.monotonic() - started, within_s))
        return reached == head

    def head(self) -> int:
        """The newest row of the edge's file."""
        return _number(self.folder / JOURNAL, "SELECT coalesce(max(seq), 0) FROM row")

    def cursor(self) -> int:
        """How far the centre's store goes on this edge's chain."""
        return _number(self.folder / STORE, "SELECT coalesce(max(seq), -1) FROM edge_cursor")

    def lags_s(self, from_ns: int, until_ns: int) -> list[float]:
        """Of each door row of that time: from the edge's stamp to the centre's, sorted."""
        with closing(_open(self.folder / STORE)) as db:
            rows = db.execute("SELECT received_ms, row FROM event WHERE point LIKE '%.door'").fetchall()
        seen = [(received_ms, decode_row(bytes(raw))) for received_ms, raw in rows]
        return sorted((at - row.at) / 1_000 for at, row in seen if from_ns <= row.mono <= until_ns)

    def note_lag(self, promise: str, name: str, from_ns: int, until_ns: int, at_most_s: float) -> None:
        """The p99 of `lags_s` against its bound."""
        lags = self.lags_s(from_ns, until_ns)
        p99 = lags[min(len(lags) - 1, int(len(lags) * 0.99))] if lags else float("inf")
        self.history.note(Figure(promise, f"{name}, seconds, p99 of {len(lags)}", p99, at_most_s))

    def note_journal(self, name: str, folder: Path | None = None, mono_ns: int | None = None) -> None:
        """All that a journal holds, of a copy where a folder is given."""
        self.history.note(read_journal((folder or self.folder / "edge") / "journal.db", name, mono_ns))

    def note_store(self, name: str, file: Path | None = None, mono_ns: int | None = None) -> None:
        """All that a store holds, of a copy where a file is given."""
        self.history.note(read_store(file or self.folder / STORE, name, mono_ns))

    def note_verify(self, name: str) -> None:
        """What the product's own check says of the edge's journal, which nobody touched."""
        done = self.journal("verify")
        found = re.search(r"row (\d+)", done.stdout)
        self.history.note(Verified(name, done.returncode, int(found[1]) if found else None))

    def conclude(self, within_s: float = SETTLE_S) -> None:
        """Faults have ended: contacts stand still, time is given, and all that came of it is written down."""
        if self.load is not None:
            self.load.stop()
        self.settle(within_s)
        self.note_all()

    def note_all(self) -> None:
        """As `conclude`, of things as they stand now."""
        moved = (change for change in self.record() if change["point"] in self.doors)
        self.history.note(*(Change(one["point"], one["value"], one["mono_ns"]) for one in moved))
        events = [_from_api(event) for event in self.events()]
        self.history.note(Store("the centre at the end", time.monotonic_ns(), events, is_final=True))
        self.note_store("the store at the end")
        self.note_journal("the journal at the end")
        self.note_verify("journal verify at the end")
        self.note_board()
        self.history.note(*self.tap.records())

    def note_board(self) -> None:
        """Every fault and alert that ever stood."""
        with closing(_open(self.folder / STORE)) as db:
            faults = db.execute("SELECT kind, station, point, since_ms, cleared_ms FROM fault").fetchall()
            alerts = db.execute("SELECT id, room, edge_ms FROM alert").fetchall()
        self.history.note(*(Fault(*fields) for fields in faults))
        self.history.note(*(Alert(str(number), room, at) for number, room, at in alerts))

    def note_what_can_be(self) -> None:
        """After a failed trial: what stands in the files may be the answer."""
        with suppress(sqlite3.Error, OSError):
            self.note_store("the store when the trial failed")
        with suppress(sqlite3.Error, OSError):
            self.note_journal("the journal when the trial failed")
        self.history.note(*self.tap.records())

    def stop(self) -> dict[str, int]:
        """As World's; what did not end in order is noted. A second time it does nothing."""
        if self._is_over:
            return {}
        self._is_over = True
        if self.load is not None:
            self.load.stop()
        self.tap.stop()
        codes = super().stop()
        self.history.note(*(Ended(name, code, [0]) for name, code in codes.items()))
        return codes


def read_journal(file: Path, name: str, mono_ns: int | None = None) -> Journal:
    """What a file holds; one that is no journal holds nothing."""
    now = time.monotonic_ns() if mono_ns is None else mono_ns
    try:
        with closing(_open(file)) as db:
            marks = dict(db.execute("SELECT name, value FROM mark"))
            rows = db.execute("SELECT seq, CAST(hash AS BLOB) FROM row ORDER BY seq").fetchall()
    except sqlite3.DatabaseError:
        return Journal(name, STATION, 0, now, [])
    edge, epoch = marks["edge"], int(marks["epoch"])
    places = [Place(edge, epoch, seq, hashed.hex()) for seq, hashed in rows]
    return Journal(name, edge, epoch, now, places, int(marks.get("base_seq", 0)))


def read_store(file: Path, name: str, mono_ns: int | None = None) -> Store:
    """What a file holds; one that is no store holds nothing."""
    now = time.monotonic_ns() if mono_ns is None else mono_ns
    try:
        with closing(_open(file)) as db:
            rows = db.execute("SELECT edge, epoch, seq, hash, row FROM event ORDER BY id").fetchall()
    except sqlite3.DatabaseError:
        rows = []
    return Store(name, now, [_stored(Place(*place), bytes(raw)) for *place, raw in rows])


def _from_api(event: dict[str, object]) -> StoredRow:
    place = msgspec.convert({key: event[key] for key in ("edge", "epoch", "seq", "hash")}, Place)
    return _stored(place, msgspec.json.Encoder(order="sorted").encode(event["row"]))


def _stored(place: Place, raw: bytes) -> StoredRow:
    row = decode_row(raw)
    openings = 0
    if row.point is not None and row.point.endswith(".door"):
        count = row.data.get("count" if row.kind == "point.pulse" else "missed") or 0
        openings = int(row.kind == "door.open") + int(count)
    return StoredRow(place, row.kind, row.point, row.mono, openings)


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=10)


def _number(file: Path, query: str) -> int:
    with closing(_open(file)) as db:
        return int(db.execute(query).fetchone()[0])
