"""A disk that fails in a write: nothing is tried on it again, and the centre is told to end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from central.errors import StoreBroken, StoreUnavailable
from central.store.database import Store, Transaction


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    yield store
    await store.close()


def failing(kind: type[DatabaseError], code: int) -> Callable[[Transaction], NoReturn]:
    def work(_tx: Transaction) -> NoReturn:
        cause = sqlite3.OperationalError("as the disk said")
        cause.sqlite_errorcode = code
        raise kind("COMMIT", {}, cause)

    return work


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (OperationalError, sqlite3.SQLITE_IOERR_FSYNC),
        (OperationalError, sqlite3.SQLITE_IOERR_WRITE),
        (DatabaseError, sqlite3.SQLITE_CORRUPT),
        (DatabaseError, sqlite3.SQLITE_NOTADB),
    ],
)
async def test_after_a_disks_fault_every_write_is_refused_and_the_store_asks_to_end(
    store: Store, kind: type[DatabaseError], code: int
) -> None:
    running = asyncio.create_task(store.run())
    with pytest.raises(StoreBroken):
        await store.write(failing(kind, code))
    with pytest.raises(StoreBroken):
        await store.write(lambda tx: None)
    with pytest.raises(StoreBroken):
        await asyncio.wait_for(running, 5)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY])
async def test_a_full_or_busy_store_is_tried_again(store: Store, code: int) -> None:
    with pytest.raises(StoreUnavailable) as refusal:
        await store.write(failing(OperationalError, code))
    assert not isinstance(refusal.value, StoreBroken)
    assert await store.write(lambda tx: 7) == 7
