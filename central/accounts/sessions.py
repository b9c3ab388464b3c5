"""Queries on web sessions. The store knows a session's token by its hash only."""

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from central.accounts.roles import Role, User
from central.accounts.schema import account, web_session

SESSION_IDLE_MS = 12 * 3_600_000
"""A session unused so long has ended."""
SESSION_MAX_MS = 24 * 3_600_000
"""So long after its sign-in a session has ended, however much it is used."""
SESSIONS_OF_ONE_MAX = 16
"""Of one account at a time; one more ends its oldest."""


def add(conn: Connection, token_hash: str, user: User, now_ms: int) -> None:
    """Begin a session; those that have ended are cleared away with it."""
    conn.execute(delete(web_session).where(~_is_live(now_ms)))
    mine = select(web_session.c.token_hash).where(web_session.c.account_id == int(user.id))
    newest_first = mine.order_by(web_session.c.began_ms.desc(), web_session.c.token_hash)
    too_many = conn.scalars(newest_first.offset(SESSIONS_OF_ONE_MAX - 1)).all()
    conn.execute(delete(web_session).where(web_session.c.token_hash.in_(too_many)))
    conn.execute(
        insert(web_session).values(
            token_hash=token_hash, account_id=int(user.id), began_ms=now_ms, seen_ms=now_ms
        )
    )


class LiveSession(Struct, frozen=True):
    user: User
    seen_ms: int


def live(conn: Connection, token_hash: str, now_ms: int) -> LiveSession | None:
    query = (
        select(account.c.id, account.c.name, account.c.role, web_session.c.seen_ms)
        .join(account, account.c.id == web_session.c.account_id)
        .where(web_session.c.token_hash == token_hash, _is_live(now_ms))
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    return LiveSession(User(str(row.id), row.name, Role(row.role)), row.seen_ms)


def touch(conn: Connection, token_hash: str, now_ms: int) -> None:
    conn.execute(update(web_session).where(web_session.c.token_hash == token_hash).values(seen_ms=now_ms))


def end(conn: Connection, token_hash: str) -> None:
    conn.execute(delete(web_session).where(web_session.c.token_hash == token_hash))


def _is_live(now_ms: int) -> ColumnElement[bool]:
    return and_(
        web_session.c.seen_ms > now_ms - SESSION_IDLE_MS, web_session.c.began_ms > now_ms - SESSION_MAX_MS
    )
