"""Faults of devices, stations and evidence: raised once, cleared once, never merged with an alert."""

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, insert, select, update

from central.board_model import Fault, FaultKind
from central.patrol.schema import fault
from central.store.board_changes import Cause
from central.store.database import Transaction


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
    found = tx.conn.execute(select(fault).where(*_this(subject))).first()
    if (found.detail if found else None) == detail:
        return
    if found is not None:
        tx.conn.execute(update(fault).where(fault.c.id == found.id).values(cleared_ms=now_ms))
        tx.changed("fault", _fault(found.id, subject, found.detail, found.since_ms, now_ms), cause)
    if detail is not None:
        new = _fault(tx.next_id(fault.c.id), subject, detail, now_ms, None)
        tx.conn.execute(insert(fault).values({**asdict(new), "id": int(new.id)}))
        tx.changed("fault", new, cause)


def report(tx: Transaction, subject: Subject, detail: str, now_ms: int) -> None:
    """Told once more: a fault that stands already keeps its own detail and age."""
    if tx.conn.execute(select(fault.c.id).where(*_this(subject))).first() is None:
        stand(tx, subject, detail, now_ms)


def _this(subject: Subject) -> list[ColumnElement[bool]]:
    same = [fault.c[name] == value for name, value in asdict(subject).items()]
    return [*same, fault.c.cleared_ms.is_(None)]


def _fault(number: int, of: Subject, detail: str, since_ms: int, cleared_ms: int | None) -> Fault:
    return Fault(str(number), of.kind, of.station, of.room, of.point, detail, since_ms, cleared_ms)
