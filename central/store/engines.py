"""The two connections pools of a store, and what each database must be told so that both behave alike.

SQLite: WAL, synchronous=FULL, foreign keys on; a write begins IMMEDIATE, so it never fails half-way for
want of the lock. PostgreSQL: a write takes one advisory lock, so that ids are in commit order there too.
"""

import sqlite3
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

WRITER_LOCK = 0x63617365
"""Any number that no one else locks in this database."""
WAL_KEPT_BYTES = 16 * 2**20
"""A write-ahead log that grew beyond it under a long read is cut when that read ends."""


def writer(url: str) -> Engine:
    """One connection, for writes."""
    target = make_url(url)
    engine = create_engine(target, pool_size=1, max_overflow=0, pool_pre_ping=not _is_sqlite(target))
    if _is_sqlite(target):
        _make_folder(target)
        event.listen(engine, "connect", _connect_sqlite)
        event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        event.listen(engine, "begin", _lock_writers)
    return engine


def readers(url: str, count: int) -> Engine:
    """Up to `count` connections that can only read, each read on one consistent view."""
    target = make_url(url)
    if _is_sqlite(target):
        engine = create_engine(target, pool_size=count, max_overflow=0)
        event.listen(engine, "connect", _connect_sqlite)
        event.listen(engine, "connect", _forbid_writes)
        event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
        return engine
    return create_engine(
        target,
        pool_size=count,
        max_overflow=0,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )


def of_copy(path: Path) -> Engine:
    """To read a store's copy that nobody has opened: nothing is written beside it either."""
    address = f"{path.absolute().as_uri()}?immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))
    event.listen(engine, "connect", _forbid_writes)
    return engine


def file_of(url: str) -> Path | None:
    """The store's file, None where a server has it."""
    target = make_url(url)
    return Path(target.database or "") if _is_sqlite(target) else None


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _make_folder(url: URL) -> None:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _connect_sqlite(connection: SqliteConnection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, the module would say it too late
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000")
    for pragma in (*pragmas, f"journal_size_limit={WAL_KEPT_BYTES}"):
        connection.execute(f"PRAGMA {pragma}")


def _forbid_writes(connection: SqliteConnection, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


def _lock_writers(conn: Connection) -> None:
    conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
