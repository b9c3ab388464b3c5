"""Ending a fault that no message can end: a person has looked into it, and says what it was."""

from msgspec import Struct
from sqlalchemy import select, update

from central.board_model import Fault
from central.errors import FaultGone, FaultNotFound, Refused
from central.patrol import board
from central.patrol.alarms import ALARMS
from central.patrol.places import Places
from central.patrol.schema import fault
from central.store import audit
from central.store.database import Transaction
from central.trust import witnesses

REASON_MAX_CHARS = 500


class Settling(Struct, frozen=True):
    """`who`: an account's id, or the console; `name`: what people read."""

    who: str
    name: str
    reason: str
    at_ms: int


def settle(tx: Transaction, places: Places, fault_id: str, said: Settling) -> Fault:
    """The fault ends now, and the audit keeps who, when and why. While its cause is there, it comes anew.

    Raises FaultNotFound; FaultGone where it ended before; Refused for a kind that ends by itself
    (`fault.ends_itself`) and without a reason (`fault.reason_needed`).
    """
    known = fault_id.isdecimal() and len(fault_id) <= 18
    row = tx.conn.execute(select(fault).where(fault.c.id == int(fault_id))).first() if known else None
    if row is None:
        raise FaultNotFound(f"there is no fault {fault_id[:32]}")
    if row.cleared_ms is not None:
        raise FaultGone(f"fault {fault_id} has ended already")
    alarm = ALARMS.get(row.kind)
    if alarm is None or not alarm.by_person:
        raise Refused("fault.ends_itself", f"{row.kind} ends by itself, with its cause")
    if not said.reason.strip() or len(said.reason) > REASON_MAX_CHARS:
        raise Refused("fault.reason_needed", f"needs a reason, of {REASON_MAX_CHARS} characters at most")
    ended = {"cleared_ms": said.at_ms, "settled_by": said.name, "settled_reason": said.reason}
    tx.conn.execute(update(fault).where(fault.c.id == row.id).values(ended))
    audit.record(
        tx.conn,
        who=said.who,
        what="fault.settled",
        object_id=fault_id,
        at_ms=said.at_ms,
        reason=said.reason,
        detail={"kind": row.kind, "station": row.station, "detail": row.detail, "since_ms": row.since_ms},
    )
    if row.kind == "two_machines":
        for station in places.stations:
            if station.id == row.station:
                witnesses.watch_anew(tx.conn, station.edge)
    settled = board.fault(tx.conn.execute(select(fault).where(fault.c.id == row.id)).one())
    tx.changed("fault", settled)
    return settled
