"""Makes an evidence package: a folder that proves, on any machine, what an edge wrote about one alert.

Built beside its place, checked as its receiver will check it, written into the audit, and only then given
its name: there is no package that the audit does not know.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlite_utils
from msgspec import Struct
from sqlalchemy import Connection, Table

from central.errors import Refused
from central.evidence import alert_record, manifest, package_page
from central.evidence.alert_record import PEOPLE, AlertRecord
from central.evidence.checkpoints import Checkpoint
from central.evidence.manifest import AUTHORITY, CENTRE, DATABASE, MANIFEST, PAGE, SIGNATURE, Manifest
from central.evidence.package_check import PackageCheck
from central.settings import StationSettings
from central.trust.keyring import Keyring
from central.trust.schema import edge_key

NO_VIDEO = "no video in this package: this release exports none"
ROW = {
    "edge": str,
    "epoch": int,
    "seq": int,
    "bytes": bytes,
    "hash": str,
    "received_ms": int,
    "is_of_alert": int,
}
START = {"edge": str, "epoch": int, "seq": int, "hash": str}
SEGMENT = {"camera": str, "from_ms": int, "until_ms": int, "file": str, "sha256": str}
ROWS_SHOWN_MAX = 2_000


class Wish(Struct, frozen=True):
    """Who wants the package of which alert, why, and when it was made."""

    alert: int
    who: str
    reason: str
    now_ms: int


def build(
    conn: Connection,
    *,
    stations: tuple[StationSettings, ...],
    keyring: Keyring,
    wish: Wish,
    fresh: Path,
    tell: Callable[[int, int], None],
) -> Manifest:
    """The package in `fresh`, a folder that is not there yet. Raises Refused, OSError."""
    record = alert_record.read(conn, wish.alert, stations)
    fresh.mkdir(mode=0o700)
    shown = _write_database(conn, record, wish, fresh / DATABASE, tell)
    (fresh / AUTHORITY).write_bytes(keyring.ca_pem)
    (fresh / CENTRE).write_bytes(keyring.central_pem)
    (fresh / PAGE).write_text(package_page.page(record, wish.who, wish.reason, wish.now_ms, shown))
    made = Manifest(
        alert=wish.alert,
        station=record.station,
        room=record.room,
        exported_ms=wish.now_ms,
        exported_by=wish.who,
        reason=wish.reason,
        software=version("casewatch"),
        files={name: manifest.sum_of(fresh / name) for name in manifest.CONTENTS},
    )
    raw = manifest.encode(made)
    (fresh / MANIFEST).write_bytes(raw)
    (fresh / SIGNATURE).write_bytes(bytes.fromhex(keyring.signer.sign(raw)))
    for step in PackageCheck(fresh, keyring.ca_pem).run():
        if step.fault is not None:
            raise Refused("evidence.not_sound", f"no package of what is not sound: {step.what}: {step.fault}")
    return made


def place(fresh: Path, folder: Path) -> None:
    """Gives a finished package its name, durably. Raises FileExistsError."""
    for path in fresh.iterdir():
        _sync(path)
    _sync(fresh)
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: no package is written over another")
    fresh.rename(folder)
    _sync(folder.parent)


def discard(fresh: Path) -> None:
    shutil.rmtree(fresh, ignore_errors=True)


def _write_database(
    conn: Connection, record: AlertRecord, wish: Wish, path: Path, tell: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """Returns the alert's own rows, as many as a page shows."""
    db = sqlite_utils.Database(path)
    try:
        for table in (*PEOPLE, edge_key):
            db.table(table.name).create(_columns(table))
            these = record.keys if table is edge_key else record.tables[table.name]
            db.table(table.name).insert_all(these)
        about = {"format": manifest.FORMAT, "alert": str(wish.alert), "video": NO_VIDEO}
        db.table("about").insert_all({"name": name, "value": value} for name, value in about.items())
        db.table("video_segment").create(SEGMENT)
        db.table("segment_start").create(START)
        db.table("checkpoint").create(dict(zip(Checkpoint.__struct_fields__, _CHECKPOINT_TYPES, strict=True)))
        db.table("row").create(ROW, pk=("edge", "epoch", "seq"))
        shown: list[dict[str, Any]] = []
        for segment in record.segments:
            edge, epoch = segment.chain_id
            start = {"edge": edge, "epoch": epoch, "seq": segment.seq, "hash": segment.hash}
            db.table("segment_start").insert(start)
            db.table("checkpoint").insert_all(
                {name: getattr(one, name) for name in Checkpoint.__struct_fields__}
                for one in segment.checkpoints
            )
            total = segment.last - segment.seq
            rows = _told(alert_record.rows_in(conn, segment), total, shown, tell)
            db.table("row").insert_all(rows, batch_size=1_000)
        return shown
    finally:
        db.close()


_CHECKPOINT_TYPES = (str, int, int, str, bytes, str, str, int)


def _told(
    rows: Iterator[dict[str, Any]], total: int, shown: list[dict[str, Any]], tell: Callable[[int, int], None]
) -> Iterator[dict[str, Any]]:
    """The same rows, counted on the way, the alert's own noted."""
    for done, row in enumerate(rows, start=1):
        if row["is_of_alert"] and len(shown) < ROWS_SHOWN_MAX:
            shown.append(row)
        if done % 1_000 == 0 or done == total:
            tell(done, total)
        yield row


def _columns(table: Table) -> dict[str, type]:
    return {column.name: column.type.python_type for column in table.columns}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
