"""The store: every write through one thread, one transaction each; reads beside it on their own connections.

One writer means that ids are in commit order and that no write ever waits for another's lock.
Changes of the board made inside a transaction reach `listener` after its commit, in commit order.
After a disk's fault in a write nothing is tried again: what the disk holds is not known, the process ends.
"""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, Connection, func, insert, select
from sqlalchemy.exc import DatabaseError, DataError, OperationalError

from central.board_model import Entity, EntityKind
from central.errors import BadValue, StoreBroken, StoreUnavailable
from central.store import board_changes, engines, upgrade
from central.store.board_changes import Cause, Change
from central.store.schema import store_identity

__all__ = ["Cause", "Change", "Store", "Transaction"]

T = TypeVar("T")

READERS = 4
_DISK_FAULTS = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""Primary result codes of SQLite. A full disk is none of these: it harms nothing and heals."""


class Transaction:
    """What a write is given, in the writer's thread. `conn` commits when the work returns."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.known: dict[Any, Any] = {}
        """What the work has read and itself keeps true, so that it is read once."""
        self._shown: dict[tuple[EntityKind, str], tuple[Callable[[], Entity], Cause | None]] = {}
        self._ids: dict[Column[Any], int] = {}

    def changed(self, kind: EntityKind, entity: Entity, cause: Cause | None = None) -> None:
        """The board shows `entity` from this commit on."""
        self.moved(kind, entity.id, lambda: entity, cause)

    def moved(
        self, kind: EntityKind, entity_id: str, look: Callable[[], Entity], cause: Cause | None = None
    ) -> None:
        """The board shows what `look` gives when the work is done: once, however often it moved on the way.

        Its cause is the newest row that moved it.
        """
        _, before = self._shown.get((kind, entity_id), (None, None))
        self._shown[kind, entity_id] = (look, _newer(before, cause))

    def next_id(self, column: Column[Any]) -> int:
        """The next number of a column that the database does not count: known before the insert."""
        if column not in self._ids:
            self._ids[column] = self.conn.scalar(select(func.max(column))) or 0
        self._ids[column] += 1
        return self._ids[column]

    def place_changes(self) -> list[Change]:
        """Writes the changes down; the store's last step before it commits."""
        shown = [
            (kind, msgspec.json.encode(look()), cause) for (kind, _), (look, cause) in self._shown.items()
        ]
        return board_changes.append(self.conn, shown)


class Store:
    """`url`: `sqlite:///path` or `postgresql+psycopg://…`."""

    def __init__(self, url: str) -> None:
        self.listener: Callable[[list[Change]], None] | None = None
        """Called on the event loop after each commit that changed the board, in commit order."""
        self.epoch = ""
        """Made with the store; a client that knows another must forget what it knows. Set by `open`."""
        self._write_engine = engines.writer(url)
        self._read_engine = engines.readers(url, READERS)
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._readers = ThreadPoolExecutor(READERS, "store-reader")
        self._fault: StoreBroken | None = None
        self._is_broken = asyncio.Event()

    async def open(self) -> None:
        """Brings the schema up to date. Raises NewerSchema, StoreUnavailable."""
        await self.write(lambda tx: upgrade.to_newest(tx.conn))
        self.epoch = await self.write(_identity)

    async def run(self) -> None:
        """Until the disk fails in a write; then raises StoreBroken."""
        await self._is_broken.wait()
        assert self._fault is not None
        raise self._fault

    async def close(self) -> None:
        """Waits for the writes and reads under way."""
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._readers.shutdown)
        self._write_engine.dispose()
        self._read_engine.dispose()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` in one transaction; what it raises rolls back. Raises StoreUnavailable, BadValue."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, self._commit, work, loop)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Runs `query` on one consistent view of the store. Raises StoreUnavailable, BadValue."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._view, query)

    def _commit(self, work: Callable[[Transaction], T], loop: asyncio.AbstractEventLoop) -> T:
        if self._fault is not None:
            raise self._fault
        try:
            with _own_errors(), self._write_engine.begin() as conn:
                tx = Transaction(conn)
                result = work(tx)
                changes = tx.place_changes()
        except StoreBroken as fault:
            self._fault = fault
            loop.call_soon_threadsafe(self._is_broken.set)
            raise
        if changes:
            # From this thread, before anybody is told of the result: so the order is that of the commits.
            loop.call_soon_threadsafe(self._tell, changes)
        return result

    def _view(self, query: Callable[[Connection], T]) -> T:
        with _own_errors(), self._read_engine.begin() as conn:
            return query(conn)

    def _tell(self, changes: list[Change]) -> None:
        if self.listener is not None:
            self.listener(changes)


def _newer(one: Cause | None, other: Cause | None) -> Cause | None:
    """`other`, unless `one` is a later row of the same journal: a live row runs ahead of the log."""
    if one is None or other is None:
        return other or one
    return one if one.epoch == other.epoch and one.seq > other.seq else other


@contextmanager
def _own_errors() -> Iterator[None]:
    """The database's errors that are no fault of the program, as the store's own."""
    try:
        yield
    except DataError as error:
        raise BadValue(str(error.orig)) from error
    except OverflowError as error:
        raise BadValue(str(error)) from error  # a driver that finds it before its database does
    except DatabaseError as error:
        # SQLite's extended code carries the primary one in its lowest byte.
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _DISK_FAULTS:
            raise StoreBroken(str(error.orig)) from error
        if isinstance(error, OperationalError):
            raise StoreUnavailable(str(error.orig)) from error
        raise


def _identity(tx: Transaction) -> str:
    epoch = tx.conn.scalar(select(store_identity.c.epoch))
    if epoch is None:
        epoch = str(uuid.uuid4())
        tx.conn.execute(insert(store_identity).values(epoch=epoch))
    return epoch
