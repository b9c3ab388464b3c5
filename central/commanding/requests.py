"""What people ask of an edge: a slot opened, a point read, leave to maintain. Each is written into the audit.

Raises Refused where a rule says no; then nothing has changed.
"""

import uuid
from typing import Literal

from msgspec import Struct

from central.commanding import queries, windows
from central.commanding.queries import Given
from central.commanding.states import State
from central.commanding.windows import Window
from central.errors import Refused
from central.patrol.places import Places
from central.store import audit
from central.store.database import Transaction
from contract.limits import MAINTENANCE_MAX_S
from contract.messages import Action

OPEN_MAX = 8
"""Commands of one edge that may wait or be on their way."""
FOR_MIN_S = 60
REASON_MAX_CHARS = 256
_ACTS = uuid.UUID("6f1f0f6e-8f0a-5c3e-9f43-2d7b6a1c9e55")

Who = tuple[str, str]
"""An account's id, for the audit, and the name that people read."""


class Order(Struct, frozen=True):
    """`action_id` is made for one press of a key: the same again is the same command."""

    action_id: str
    edge: str
    action: Literal["open_slot", "reread"]
    point: str
    reason: str


def order(tx: Transaction, places: Places, asked: Order, who: Who, now_ms: int) -> Given:
    """The command as it stands; a new one waits to be sent."""
    account, name = who
    id_ = str(uuid.uuid5(_ACTS, f"{account} {asked.action_id}"))
    known = queries.get(tx.conn, id_)
    if known is not None:
        if (known.edge, known.action, known.point) != (asked.edge, asked.action, asked.point):
            raise Refused("command.action_id", "this action_id was another command's")
        return queries.given(known)
    _check(tx, places, asked)
    queries.give(
        tx,
        id_=id_,
        edge=asked.edge,
        action=Action(asked.action),
        point=asked.point,
        args={},
        who=name,
        reason=asked.reason,
        now_ms=now_ms,
    )
    audit.record(
        tx.conn,
        who=account,
        what="command.given",
        object_id=id_,
        at_ms=now_ms,
        reason=asked.reason,
        detail={"edge": asked.edge, "action": asked.action, "point": asked.point},
    )
    new = queries.get(tx.conn, id_)
    assert new is not None
    return queries.given(new)


def begin_maintenance(
    tx: Transaction, places: Places, edge: str, *, for_s: int, reason: str, who: Who, now_ms: int
) -> Window:
    """From now on, for `for_s` seconds at most."""
    _check_reason(reason)
    if edge not in places.station_of_edge:
        raise Refused("maintenance.unknown_edge", f"no station has edge {edge}")
    if not FOR_MIN_S <= for_s <= MAINTENANCE_MAX_S:
        raise Refused(
            "maintenance.too_long",
            f"a permission lasts {FOR_MIN_S // 60} minute to {MAINTENANCE_MAX_S // 3600} hours",
        )
    if (known := windows.running(tx.conn, edge, now_ms)) is not None:
        raise Refused(
            "maintenance.running", f"{edge} is in maintenance already, by {known.who}: end it first"
        )
    account, name = who
    window = windows.begin(tx, edge, for_s=for_s, who=name, reason=reason, now_ms=now_ms)
    _note(tx, account, "maintenance.begun", window, reason=reason, now_ms=now_ms)
    return window


def end_maintenance(tx: Transaction, window_id: int, *, reason: str, who: Who, now_ms: int) -> Window | None:
    """None where there is no such window; one that has ended stays as it was."""
    window = windows.get(tx.conn, window_id)
    if window is None:
        return None
    if windows.end(tx, window_id, min(now_ms, window.until_ms)):
        _note(tx, who[0], "maintenance.ended", window, reason=reason, now_ms=now_ms)
    return windows.get(tx.conn, window_id)


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON_MAX_CHARS:
        raise Refused("command.reason", f"a reason has 1 to {REASON_MAX_CHARS} characters")


def _check(tx: Transaction, places: Places, asked: Order) -> None:
    _check_reason(asked.reason)
    if asked.edge not in places.station_of_edge:
        raise Refused("command.unknown_edge", f"no station has edge {asked.edge}")
    if asked.action == "open_slot" and not places.has_lock(asked.edge, asked.point):
        raise Refused("command.unknown_point", f"{asked.edge} has no slot with the lock {asked.point}")
    if places.of(asked.edge, asked.point) is None:
        raise Refused("command.unknown_point", f"{asked.edge} has no point {asked.point}")
    if len(queries.in_states(tx.conn, [State.WAITING, State.SENT], asked.edge)) >= OPEN_MAX:
        raise Refused("command.too_many", f"{OPEN_MAX} commands wait for {asked.edge} already")


def _note(tx: Transaction, account: str, what: str, window: Window, *, reason: str, now_ms: int) -> None:
    audit.record(
        tx.conn,
        who=account,
        what=what,
        object_id=window.edge,
        at_ms=now_ms,
        reason=reason,
        detail={"maintenance": window.id, "until_ms": window.until_ms},
    )
