"""What has to change in an older copy of the store before a centre goes on from it.

Rows, alerts and reviews are as the copy has them. What opens doors is not: a key that was revoked since
stays revoked, a code or a session of that day opens nothing, no command of that day is sent again, and leave
to maintain is asked for anew.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from central.accounts.schema import invitation, web_session
from central.commanding.schema import command, maintenance
from central.store import audit, openings
from central.store.schema import store_identity
from central.trust.schema import edge_key, enrolment_code

UNFINISHED = ("waiting", "sent", "accepted")
"""States of a command that a centre still acts on."""


def keys_in(conn: Connection) -> list[dict[str, Any]]:
    """The edges' keys of a store, to be taken along."""
    return [dict(row._mapping) for row in conn.execute(select(edge_key).order_by(edge_key.c.id))]  # noqa: SLF001


def settle(
    conn: Connection, *, who: str, now_ms: int, keys: Sequence[dict[str, Any]], detail: dict[str, Any]
) -> None:
    """Makes the copy one to go on from. `keys`: of the store that it replaces, as far as that can be read."""
    for key in keys:
        _take_along(conn, key)
    conn.execute(delete(web_session))
    conn.execute(delete(invitation).where(invitation.c.used_ms.is_(None)))
    conn.execute(update(enrolment_code).where(enrolment_code.c.used_ms.is_(None)).values(used_ms=now_ms))
    conn.execute(
        update(command)
        .where(command.c.state.in_(UNFINISHED))
        .values(state="unanswered", result_ms=now_ms, detail="the store was restored")
    )
    conn.execute(update(maintenance).where(maintenance.c.ended_ms.is_(None)).values(ended_ms=now_ms))
    conn.execute(update(store_identity).values(epoch=str(uuid.uuid4())))
    openings.record(conn, at_ms=now_ms, instance="", reason="restore")
    audit.record(conn, who=who, what="store.restored", object_id="store", at_ms=now_ms, detail=detail)


def _take_along(conn: Connection, key: dict[str, Any]) -> None:
    """A key that the copy does not know, or knows as better than it is."""
    mine = edge_key.c.public == key["public"]
    here = conn.execute(select(edge_key).where(mine)).one_or_none()
    if here is None:
        conn.execute(insert(edge_key).values({name: key[name] for name in key if name != "id"}))
        return
    ends = {name: key[name] for name in ("superseded_ms", "revoked_ms") if getattr(here, name) is None}
    if any(ends.values()):
        conn.execute(update(edge_key).where(mine).values(**ends, reason=key["reason"]))
