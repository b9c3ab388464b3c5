"""Backup and restore of the store: a copy is checked before it gets its name, and again before it is used."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy.exc import DatabaseError

from central.errors import BadCopy, StoreError
from central.evidence import restoration
from central.evidence.chains import Verdict
from central.evidence.progress import bar
from central.evidence.verify import verify
from central.settings import CentralSettings
from central.store import backup, engines, lock
from central.store.database import Store, Transaction
from central.trust.keyring import FOLDER


class Restored(Struct, frozen=True):
    """`aside`: where the former store lies, if there was one. `is_trust_kept`: its keys were taken along."""

    verdicts: list[Verdict]
    aside: Path | None
    is_trust_kept: bool


def back_up(url: str, file: Path, authority: bytes | None) -> list[Verdict]:
    """A verdict on each chain of the copy, which is kept although one is bad: so is the store's.

    Raises StoreError; FileExistsError, because no backup is written over another.
    """
    source = backup.file_of(url, "backup")
    if file.exists():
        raise FileExistsError(f"{file} is there already: no backup is written over another")
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with bar("pages copied") as tell:
            backup.copy(source, fresh, tell)
        backup.check_integrity(fresh)
        verdicts = _verify_copy(fresh, authority)
        backup.place(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
    return verdicts


def restore(settings: CentralSettings, file: Path, who: str, now_ms: int) -> Restored:
    """Puts a copy in the store's place. Raises StoreError, OSError; then the store is as it was."""
    url, data_dir = settings.store.url, settings.data_dir
    path = backup.file_of(url, "restore")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.restored")
    with lock.held(url, data_dir):
        for suffix in ("", "-wal", "-shm"):
            fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
        try:
            with bar("pages copied") as tell:
                backup.copy(file, fresh, tell)
            backup.check_integrity(fresh)
            _bring_up_to_date(fresh)
            verdicts = _verify_copy(fresh, authority_of(data_dir))
            for bad in (verdict for verdict in verdicts if verdict.bad_seq is not None):
                raise BadCopy(f"{file} is not sound: {bad}")
            keys = _release_present(path)
            stamp = datetime.fromtimestamp(now_ms / 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
            detail = {"file": file.name, "sha256": sha256_of(file), "aside": stamp if path.exists() else ""}
            _settle(fresh, who, now_ms, keys or [], detail)
            aside = backup.set_aside(path, stamp) if path.exists() else None
            backup.place(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    return Restored(verdicts, aside, keys is not None)


def record_restored(url: str, data_dir: Path, who: str, now_ms: int) -> None:
    """For a store that its database's own tools have put back. Raises StoreError, OSError."""

    async def do() -> None:
        store = Store(url)
        try:
            await store.open()
            await store.write(lambda tx: _settle_in(tx, who, now_ms, [], {"by": "the database's own tools"}))
        finally:
            await store.close()

    with lock.held(url, data_dir):
        asyncio.run(do())


def authority_of(data_dir: Path) -> bytes | None:
    """The county's certificate, where the centre has one. Raises OSError."""
    file = data_dir / FOLDER / "ca.pem"
    return file.read_bytes() if file.exists() else None


def sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _verify_copy(copy: Path, authority: bytes | None) -> list[Verdict]:
    engine = engines.of_copy(copy)
    try:
        with bar("rows checked") as tell:
            return list(verify(engine, authority, tell))
    finally:
        engine.dispose()


def _bring_up_to_date(copy: Path) -> None:
    """A copy of an earlier release gets this one's tables."""
    _in_copy(copy, lambda _: None)


def _settle(copy: Path, who: str, now_ms: int, keys: list[dict[str, Any]], detail: dict[str, Any]) -> None:
    _in_copy(copy, lambda tx: _settle_in(tx, who, now_ms, keys, detail))


def _settle_in(
    tx: Transaction, who: str, now_ms: int, keys: list[dict[str, Any]], detail: dict[str, Any]
) -> None:
    restoration.settle(tx.conn, who=who, now_ms=now_ms, keys=keys, detail=detail)


def _in_copy(copy: Path, act: Callable[[Transaction], None]) -> None:
    async def do() -> None:
        store = Store(f"sqlite:///{copy}")
        try:
            await store.open()
            await store.write(act)
        finally:
            await store.close()

    asyncio.run(do())
    if not backup.release(copy):
        raise BadCopy(f"{copy} cannot be written")


def _release_present(path: Path) -> list[dict[str, Any]] | None:
    """The keys of the present store, closed by everybody; None where it cannot be read. Raises StoreInUse."""
    if not path.exists() or not backup.release(path):
        return None
    engine = engines.of_copy(path)
    try:
        with engine.begin() as conn:
            return restoration.keys_in(conn)
    except (DatabaseError, StoreError):
        return None
    finally:
        engine.dispose()
