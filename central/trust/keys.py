"""The edges' keys in the store. Read anew for each group of messages, never kept over it: a revocation by
another process holds from the next group on.
"""

from msgspec import Struct
from sqlalchemy import Connection, Row, insert, or_, select, update

from central.trust.schema import edge_key

DAY_MS = 86_400_000
WARN_DAYS = (1, 7, 30)


class EdgeKey(Struct, frozen=True):
    """`public`: hex. Ends by `superseded_ms` (another key speaks) or `revoked_ms` (nobody may believe it)."""

    id: int
    edge: str
    public: str
    certificate: str
    from_ms: int
    expires_ms: int
    superseded_ms: int | None = None
    revoked_ms: int | None = None
    reason: str = ""

    @property
    def is_good(self) -> bool:
        """What it signs now is believed. Its certificate may be over: the broker judges that, and the board
        has warned for 30 days; what it signed is still true.
        """
        return self.superseded_ms is None and self.revoked_ms is None

    @property
    def state(self) -> str:
        return "revoked" if self.revoked_ms else "superseded" if self.superseded_ms else "good"


def keys_of(conn: Connection, edge: str) -> list[EdgeKey]:
    """Every key that ever was this edge's, the newest first."""
    found = select(edge_key).where(edge_key.c.edge == edge).order_by(edge_key.c.id.desc())
    return [_key(row) for row in conn.execute(found)]


def all_keys(conn: Connection) -> list[EdgeKey]:
    """Of all edges, by edge, the newest first."""
    found = select(edge_key).order_by(edge_key.c.edge, edge_key.c.id.desc())
    return [_key(row) for row in conn.execute(found)]


def by_public(conn: Connection, public: str) -> EdgeKey | None:
    row = conn.execute(select(edge_key).where(edge_key.c.public == public)).one_or_none()
    return _key(row) if row else None


def enrol(
    conn: Connection, edge: str, *, public: str, certificate: str, expires_ms: int, now_ms: int, reason: str
) -> None:
    """A key that speaks for the edge from now on, beside those that still do."""
    conn.execute(
        insert(edge_key).values(
            edge=edge,
            public=public,
            certificate=certificate,
            from_ms=now_ms,
            expires_ms=expires_ms,
            reason=reason,
        )
    )


def supersede_others(conn: Connection, edge: str, public: str, now_ms: int) -> bool:
    """The keys of this edge from before `public` end here. Call it when `public` has signed a message, so
    that the old one lasts until the new one has spoken. False where there was none to end.
    """
    (own,) = conn.execute(select(edge_key.c.id).where(edge_key.c.public == public)).one()
    older = (
        edge_key.c.edge == edge,
        edge_key.c.id < own,
        edge_key.c.superseded_ms.is_(None),
        edge_key.c.revoked_ms.is_(None),
    )
    return bool(conn.execute(update(edge_key).where(*older).values(superseded_ms=now_ms)).rowcount)


def supersede_unspoken(conn: Connection, old: EdgeKey, now_ms: int) -> None:
    """Successors of `old` that have not spoken end: another takes their place."""
    later = (
        edge_key.c.edge == old.edge,
        edge_key.c.id > old.id,
        edge_key.c.superseded_ms.is_(None),
        edge_key.c.revoked_ms.is_(None),
    )
    conn.execute(update(edge_key).where(*later).values(superseded_ms=now_ms))


def revoke(conn: Connection, edge: str, reason: str, now_ms: int) -> list[str]:
    """None of the edge's keys is believed any more. Returns those that were until now (public, hex)."""
    ended = [key.public for key in keys_of(conn, edge) if key.is_good]
    mine = (edge_key.c.edge == edge, edge_key.c.revoked_ms.is_(None))
    conn.execute(update(edge_key).where(*mine).values(revoked_ms=now_ms, reason=reason))
    return ended


def ended(conn: Connection) -> list[EdgeKey]:
    """Keys whose certificates the broker must refuse."""
    over = or_(edge_key.c.revoked_ms.is_not(None), edge_key.c.superseded_ms.is_not(None))
    return [_key(row) for row in conn.execute(select(edge_key).where(over).order_by(edge_key.c.id))]


def days_left(expires_ms: int, now_ms: int) -> int | None:
    """1, 7 or 30: it ends within so many days; 0: it has ended; None: later. Pure."""
    if expires_ms <= now_ms:
        return 0
    return next((days for days in WARN_DAYS if expires_ms <= now_ms + days * DAY_MS), None)


def _key(row: Row[tuple[object, ...]]) -> EdgeKey:
    return EdgeKey(**row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's own mapping
