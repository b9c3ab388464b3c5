"""The centre's machine: the product's own store, ingest and patrol clockwork, without web and video.

The store is real SQLite; its two engines are made once for all worlds, because the compiled queries hang on
them, and each world begins with a copy of one migrated file.
"""

import asyncio
import functools
import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from central.commanding.requests import Order, order
from central.commanding.sending import Sending
from central.errors import Refused, StoreUnavailable
from central.ingest.pipeline import Ingest
from central.patrol.clockwork import Clockwork
from central.patrol.places import Places
from central.patrol.supervision import Supervision
from central.settings import CabinetSettings, Name, RoomKind, RoomSettings, Rules, StationSettings
from central.store import engines
from central.store.database import Change, Store, Transaction
from central.trust import keys
from contract.keys import Signer
from tests.sim.disk import Disk, Files, Killed, read_files, write_files
from tests.sim.links import CentreLink
from tests.sim.loop import Scheduler
from tests.sim.network import CENTRE, Network
from tests.sim.process import Process

FILE = "casewatch.db"
WALL_MS = 1_800_000_000_000
RULES = Rules()


def station_settings(name: str, doors: list[str], slots: int) -> StationSettings:
    rooms = tuple(
        RoomSettings(
            id=door.rpartition(".")[0],
            kind=RoomKind.INTERROGATION_ROOM,
            name=Name(zh="讯问室", en="Interrogation"),
            doors=(door,),
            camera=None,
        )
        for door in doors
    )
    cabinet = CabinetSettings(id=f"{name}.cab", name=Name(zh="案卷柜", en="Cabinet"), slots=slots)
    return StationSettings(
        id=name,
        edge=name,
        name=Name(zh="测试派出所", en="Test Station"),
        rooms=rooms,
        cabinets=(cabinet,) if slots else (),
    )


class Engines:
    """The two engines on one path, for every store that is opened there. Told of each commit before it is."""

    def __init__(self) -> None:
        self.on_commit: Callable[[], None] = lambda: None
        self.synchronous = 0
        """As the product set it on the writer's newest connection."""
        self._make_writer, self._make_readers = engines.writer, engines.readers
        self.writer = functools.cache(self._writer)
        self.readers = functools.cache(self._make_readers)

    def _writer(self, url: str) -> Engine:
        engine = self._make_writer(url)
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "commit", lambda _conn: self.on_commit())
        return engine

    def _connected(self, connection: sqlite3.Connection, _record: Any) -> None:
        (self.synchronous,) = connection.execute("PRAGMA synchronous").fetchone()


def signer_of(name: str) -> Signer:
    """The same key in every world: what a schedule does hangs on its seed alone."""
    return Signer(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


async def _make(url: str, edges: Sequence[str]) -> None:
    store = Store(url)
    await store.open()
    await store.write(lambda tx: [_enrol(tx, edge) for edge in edges])
    await store.close()


def _enrol(tx: Transaction, edge: str) -> None:
    keys.enrol(
        tx.conn,
        edge,
        public=signer_of(edge).public,
        certificate="",
        expires_ms=2**52,
        now_ms=0,
        reason="test",
    )


def template(folder: Path, edges: Sequence[str]) -> Files:
    """The files of a new store with this release's schema, and a key of each edge."""
    shutil.rmtree(folder, ignore_errors=True)
    asyncio.run(_make(f"sqlite:///{folder / FILE}", edges))
    return read_files(folder)


class Centre:
    """One machine. `stations`: whom it watches."""

    def __init__(
        self,
        stations: tuple[StationSettings, ...],
        *,
        scheduler: Scheduler,
        network: Network,
        disk: Disk,
        dice: random.Random,
        shared: Engines,
        watch: Any,
    ) -> None:
        self.stations = stations
        self.scheduler = scheduler
        self.network = network
        self.disk = disk
        self.dice = dice
        self.watch = watch
        self.offset_ms = 0
        self.is_store_full = False
        self.ingest: Ingest | None = None
        self.supervision: Supervision | None = None
        self.process = Process("centre", scheduler, disk)
        self.process.on_kill = self._let_go
        disk.synchronous = lambda: shared.synchronous
        self._shared = shared
        self._store: Store | None = None
        self._sending: Sending | None = None
        self._beside: sqlite3.Connection | None = None
        shared.on_commit = self._commits

    @property
    def url(self) -> str:
        return f"sqlite:///{self.disk.folder / FILE}"

    def wall_ms(self) -> int:
        return max(0, WALL_MS + int(self.scheduler.now * 1_000) + self.offset_ms)

    def start(self) -> None:
        self.watch.centre_starts()
        self.process.start(self._run)

    def kill(self) -> None:
        self.process.kill()

    def cut_power(self) -> None:
        self.process.kill()
        self.disk.cut_power()

    def snapshot(self) -> Files:
        return read_files(self.disk.folder)

    def restore(self, files: Files) -> None:
        self._look_away()
        write_files(self.disk.folder, files)

    def ask(self, query: str, *values: Any) -> list[Any]:
        """From what is committed, beside the process."""
        if self._beside is None:
            self._beside = sqlite3.connect(self.disk.folder / FILE)
        return self._beside.execute(query, values).fetchall()

    async def _run(self) -> None:
        """What `central.app` does, in its order."""
        store = Store(self.url)
        store.listener = self._tell
        await store.open()
        signer = signer_of(CENTRE)
        link = CentreLink(self.network, self.dice, f"{self.process.starts:032x}", self.wall_ms, signer)
        link.on_publish = self.watch.answers
        supervision = self.supervision = Supervision()
        self.ingest = Ingest(store, self.stations, RULES, supervision, link.publish, signer=signer)
        clockwork = Clockwork(store, self.stations, RULES, supervision, self.wall_ms)
        self._store, self._sending = store, Sending(store, link.publish, self.wall_ms, signer)
        async with asyncio.TaskGroup() as group:
            for part in (link.run(self._receive), self.ingest.run(), clockwork.run(), self._sending.run()):
                group.create_task(part)

    def _look_away(self) -> None:
        """A file that somebody has open is not put in another's place."""
        if self._beside is not None:
            self._beside.close()
            self._beside = None

    def give(self, edge: str, lock: str) -> None:
        """A watcher asks for a slot to be opened, if there is a board to ask at."""
        if self.process.loop is not None and self._store is not None and self._sending is not None:
            asked = Order(lock, edge, "open_slot", lock, "a test")
            loop = self.process.loop
            loop.call_soon(lambda: loop.create_task(self._order(asked)))

    async def _order(self, asked: Order) -> None:
        assert self._store is not None
        assert self._sending is not None
        with suppress(StoreUnavailable, Refused):
            places, now_ms = Places(self.stations), self.wall_ms()
            await self._store.write(lambda tx: order(tx, places, asked, ("w", "watcher"), now_ms))
            self._sending.wake()

    def _receive(self, topic: str, payload: bytes, received_ms: int, mono_s: float) -> None:
        assert self.ingest is not None
        self.watch.hears(topic, payload)
        self.ingest.receive(topic, payload, received_ms, mono_s)

    def _tell(self, changes: list[Change]) -> None:
        self.watch.board_changes(changes)

    def _commits(self) -> None:
        self.process.reach("commit")
        if self.process.loop is None:
            raise Killed
        if self.is_store_full:
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))

    def _let_go(self) -> None:
        self.ingest = self._store = self._sending = None
        self._look_away()
        self._shared.writer(self.url).dispose()
        self._shared.readers(self.url, READERS).dispose()


READERS = 4
"""As `central.store.database.READERS`: part of what an engine is kept under."""
