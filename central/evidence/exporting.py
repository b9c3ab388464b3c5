"""The export of a package: read as of one moment, checked, written into the audit, then given its name."""

import asyncio
import hashlib
from functools import partial
from pathlib import Path

from central.evidence import package
from central.evidence.manifest import Manifest, encode
from central.evidence.package import Wish
from central.evidence.progress import bar
from central.settings import CentralSettings
from central.store import audit
from central.store.database import Store, Transaction
from central.trust.keyring import Keyring

EXPORTED = "evidence.exported"


def export(settings: CentralSettings, keyring: Keyring, wish: Wish, out: Path) -> Path:
    """The package's folder, `out`/alert-N. Raises Refused, StoreError, FileExistsError, OSError."""
    folder = out / f"alert-{wish.alert}"
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: no package is written over another")
    out.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.new")
    package.discard(fresh)
    try:
        asyncio.run(_export(settings, keyring, wish, fresh))
        package.place(fresh, folder)
    finally:
        package.discard(fresh)
    return folder


async def _export(settings: CentralSettings, keyring: Keyring, wish: Wish, fresh: Path) -> None:
    store = Store(settings.store.url)
    try:
        await store.open()
        with bar("rows written") as tell:
            build = partial(package.build, stations=settings.stations, keyring=keyring, wish=wish)
            made = await store.read(lambda conn: build(conn, fresh=fresh, tell=tell))
        await store.write(lambda tx: _record(tx, wish, made))
    finally:
        await store.close()


def _record(tx: Transaction, wish: Wish, made: Manifest) -> None:
    audit.record(
        tx.conn,
        who=wish.who,
        what=EXPORTED,
        object_id=str(wish.alert),
        at_ms=wish.now_ms,
        reason=wish.reason,
        detail={"manifest": hashlib.sha256(encode(made)).hexdigest(), "room": made.room},
    )
