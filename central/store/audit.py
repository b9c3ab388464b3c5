"""The audit: who did what to what, why and when. Rows are only ever added; a trigger sees to it."""

from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from central.store.schema import audit


def record(
    conn: Connection,
    *,
    who: str,
    what: str,
    object_id: str,
    at_ms: int,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """`who`: an account's id or `system`; `what`: such as `video.viewed`, `account.invited`."""
    conn.execute(
        insert(audit).values(
            at_ms=at_ms,
            who=who,
            what=what,
            object=object_id,
            reason=reason,
            detail=msgspec.json.encode(detail or {}).decode(),
        )
    )
