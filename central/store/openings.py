"""Who opened the store, and why: a store that goes on from an older copy of itself shows it here."""

from typing import Literal

from sqlalchemy import Connection, insert

from central.trust.schema import store_opening


def record(conn: Connection, *, at_ms: int, instance: str, reason: Literal["start", "restore"]) -> None:
    """`instance`: the start of the centre, as it tells the edges; empty for a restore."""
    conn.execute(insert(store_opening).values(at_ms=at_ms, instance=instance, reason=reason))
