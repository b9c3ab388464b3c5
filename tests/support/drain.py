"""A backlog through the centre's ingest alone: real store, real pipeline, batches as they come off the link.

As an edge does, it keeps eight batches in flight and sends the next ones when a receipt has come.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Raw

from central.ingest.pipeline import Ingest
from central.patrol.supervision import Supervision
from central.settings import Name, RoomSettings, Rules, StationSettings
from central.store.database import Change, Store
from contract import chain, limits, messages, topics
from contract.ids import EdgeId, Epoch
from contract.messages import Batch, Birth, PointState, Receipt
from contract.points import Clock, PointType, Quality
from edge.journal_file import StoredRow
from tests.support.backlog import BOOT, Past, fill_journal

EDGE = EdgeId("backlog")
EPOCH = Epoch(7)
ROOMS, CAMERAS = 48, 8
NOW_MS = 1_800_000_000_000
INSERT_ROWS = 256
"""Rows of one transaction of the bare inserts: four batches."""


class Drained(msgspec.Struct):
    """What came of it. `changes`: changes of the board that were told."""

    rows: int
    seconds: float
    changes: int
    groups: int

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.seconds


def station() -> StationSettings:
    """48 rooms with a door each, the first eight with a camera."""
    names = [f"{EDGE}.r{n:03}" for n in range(1, ROOMS + 1)]
    rooms = tuple(
        RoomSettings(
            id=name,
            kind="interrogation_room",
            name=Name(zh="讯问室", en="Interrogation"),
            doors=(f"{name}.door",),
            camera=f"{name}.picture" if n < CAMERAS else None,
        )
        for n, name in enumerate(names)
    )
    return StationSettings(id=EDGE, edge=EDGE, name=Name(zh="测试派出所", en="Test Station"), rooms=rooms)


def backlog(folder: Path, count: int) -> list[StoredRow]:
    """So many rows as an edge's journal in `folder` has them."""
    rooms = station().rooms
    doors = [door for room in rooms for door in room.doors]
    pictures = [room.camera for room in rooms if room.camera]
    return fill_journal(folder, EDGE, Past(doors, pictures, count, NOW_MS), EPOCH)


def batches(rows: Sequence[StoredRow]) -> list[bytes]:
    """The messages that carry them, encoded."""
    previous, sent = chain.anchor(EDGE, EPOCH), []
    for start in range(0, len(rows), limits.BATCH_MAX_ROWS):
        some = rows[start : start + limits.BATCH_MAX_ROWS]
        head = some[-1].hash
        raw = [Raw(row.raw) for row in some]
        batch = Batch(
            edge=EDGE, epoch=EPOCH, first=some[0].seq, prev=previous.hex(), head=head.hex(), rows=raw
        )
        sent.append(messages.encode(batch))
        previous = head
    return sent


def birth(rows: Sequence[StoredRow]) -> bytes:
    """What the edge says first: everything is as the last row left it. So the whole backlog is history."""
    told = [
        PointState(point, PointType(point.rpartition(".")[2]), value, Quality.GOOD, NOW_MS)
        for room in station().rooms
        for point, value in ((room.doors[0], "closed"), (room.camera, "ok"))
        if point is not None
    ]
    newest = rows[-1]
    return messages.encode(
        Birth(
            edge=EDGE,
            epoch=EPOCH,
            session=1,
            boot=BOOT,
            software="0",
            config="0" * 64,
            seq=newest.seq,
            hash=newest.hash.hex(),
            clock=Clock.SYNCED,
            at=NOW_MS,
            points=told,
        )
    )


async def drain(folder: Path, rows: Sequence[StoredRow]) -> Drained:
    """Through a new store in `folder`, until the last row is receipted."""
    waiting, in_flight = deque(enumerate(batches(rows), start=1)), deque[int]()
    is_done = asyncio.Event()
    drained = Drained(len(rows), 0.0, 0, 0)

    def send() -> None:
        while waiting and len(in_flight) < limits.BATCHES_IN_FLIGHT:
            number, payload = waiting.popleft()
            in_flight.append(min(number * limits.BATCH_MAX_ROWS, len(rows)))
            ingest.receive(topics.up(EDGE, topics.Up.LOG), payload, NOW_MS, time.monotonic())

    def answered(topic: str, payload: bytes) -> None:
        assert topic.endswith("/receipt"), topic
        receipt = messages.decode(Receipt, payload)
        while in_flight and in_flight[0] <= receipt.seq:
            in_flight.popleft()
        drained.groups += 1
        if receipt.seq == len(rows):
            is_done.set()
        send()

    def told(changes: list[Change]) -> None:
        drained.changes += len(changes)

    store = Store(f"sqlite:///{folder}/casewatch.db")
    await store.open()
    store.listener = told
    ingest = Ingest(store, (station(),), Rules(), Supervision(), answered)
    working = asyncio.create_task(ingest.run(), name="ingest")
    started = time.perf_counter()
    ingest.receive(topics.up(EDGE, topics.Up.BIRTH), birth(rows), NOW_MS, time.monotonic())
    send()
    async with asyncio.timeout(600):
        await is_done.wait()
    drained.seconds = time.perf_counter() - started
    working.cancel()
    await asyncio.wait([working])
    await store.close()
    return drained


def bare_insert(folder: Path, rows: Sequence[StoredRow]) -> float:
    """Rows a second of nothing but inserts of the same rows, four batches a transaction: the disk's bound."""
    conn = sqlite3.connect(folder / "bare.db", isolation_level=None)
    conn.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE event(id INTEGER PRIMARY KEY, edge TEXT, epoch INTEGER, seq INTEGER, hash TEXT,"
        " row BLOB, UNIQUE (edge, epoch, seq));"
    )
    started = time.perf_counter()
    for start in range(0, len(rows), INSERT_ROWS):
        some = [(EDGE, EPOCH, row.seq, row.hash.hex(), row.raw) for row in rows[start : start + INSERT_ROWS]]
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO event(edge, epoch, seq, hash, row) VALUES (?, ?, ?, ?, ?)", some)
        conn.execute("COMMIT")
    seconds = time.perf_counter() - started
    conn.close()
    return len(rows) / seconds
