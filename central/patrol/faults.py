"""Faults of devices, stations and evidence: raised once, cleared once, never merged with an alert."""

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import bindparam, insert, select, update

from central.board_model import Fault, FaultKind
from central.patrol import board
from central.patrol.schema import fault
from central.store.board_changes import Cause
from central.store.database import Transaction

_RAISE = insert(fault)
_CLEAR = update(fault).where(fault.c.id == bindparam("key_id")).values(cleared_ms=bindparam("cleared_ms"))


class Subject(Struct, frozen=True):
    """What a fault is of. At most one stands for a subject."""

    kind: FaultKind
    station: str
    room: str | None = None
    point: str | None = None


def stand(
    tx: Transaction, subject: Subject, detail: str | None, now_ms: int, cause: Cause | None = None
) -> None:
    """The fault stands with this detail, or with None it does not. What is so already changes nothing."""
    standing = _standing(tx, subject.station)
    found = standing.get(subject)
    if (found.detail if found else None) == detail:
        return
    if found is not None:
        del standing[subject]
        tx.conn.execute(_CLEAR, {"key_id": int(found.id), "cleared_ms": now_ms})
        tx.changed("fault", replace(found, cleared_ms=now_ms), cause)
    if detail is not None:
        new_id = str(tx.next_id(fault.c.id))
        new = Fault(new_id, subject.kind, subject.station, subject.room, subject.point, detail, now_ms, None)
        standing[subject] = new
        tx.conn.execute(_RAISE, {**asdict(new), "id": int(new.id)})
        tx.changed("fault", new, cause)


def report(tx: Transaction, subject: Subject, detail: str, now_ms: int, cause: Cause | None = None) -> None:
    """Told once more: a fault that stands already keeps its own detail and age."""
    if subject not in _standing(tx, subject.station):
        stand(tx, subject, detail, now_ms, cause)


def end_of_gone(tx: Transaction, station: str, points: Collection[str], now_ms: int) -> None:
    """No fault of a point stands that the station, by the centre's settings, does not have any more."""
    for subject in list(_standing(tx, station)):
        if subject.point is not None and subject.point not in points:
            stand(tx, subject, None, now_ms)


def _standing(tx: Transaction, station: str) -> dict[Subject, Fault]:
    """What stands at a station, read once a transaction: only this file writes faults."""
    key = (fault.name, station)
    if key not in tx.known:
        query = select(fault).where(fault.c.station == station, fault.c.cleared_ms.is_(None))
        tx.known[key] = {
            Subject(row.kind, row.station, row.room, row.point): board.fault(row)
            for row in tx.conn.execute(query)
        }
    found: dict[Subject, Fault] = tx.known[key]
    return found
