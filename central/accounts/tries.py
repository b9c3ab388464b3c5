"""Failed sign-ins, kept in the store so that a restart forgives nobody."""

from sqlalchemy import Connection, delete, func, insert, select, update

from central.accounts import lockout
from central.accounts.errors import LockedOut
from central.accounts.schema import sign_in_failure

REMEMBERED_MAX = 10_000
"""Names and addresses. Beyond it those with the fewest failures give way, the oldest first."""


def begin(conn: Connection, subjects: list[str], now_ms: int) -> None:
    """Count a try as failed before it is looked at, so that many at once win nothing. Raises LockedOut."""
    forgotten_ms = now_ms - lockout.FORGOTTEN_AFTER_MS
    conn.execute(delete(sign_in_failure).where(sign_in_failure.c.last_ms <= forgotten_ms))
    found = conn.execute(select(sign_in_failure).where(sign_in_failure.c.subject.in_(subjects))).all()
    wait_ms = max((lockout.wait_ms(row.failures, row.last_ms, now_ms) for row in found), default=0)
    if wait_ms:
        raise LockedOut(-(-wait_ms // 1_000))
    known = {row.subject: row.failures for row in found}
    for subject in subjects:
        if subject in known:
            change = update(sign_in_failure).where(sign_in_failure.c.subject == subject)
            conn.execute(change.values(failures=known[subject] + 1, last_ms=now_ms))
        else:
            first = {"subject": subject, "failures": 1, "last_ms": now_ms}
            conn.execute(insert(sign_in_failure).values(first))
    _keep_within(conn)


def _keep_within(conn: Connection) -> None:
    surplus = (conn.scalar(select(func.count()).select_from(sign_in_failure)) or 0) - REMEMBERED_MAX
    if surplus > 0:
        least = select(sign_in_failure.c.subject).order_by(
            sign_in_failure.c.failures, sign_in_failure.c.last_ms
        )
        conn.execute(
            delete(sign_in_failure).where(
                sign_in_failure.c.subject.in_(conn.scalars(least.limit(surplus)).all())
            )
        )


def forgive(conn: Connection, subjects: list[str]) -> None:
    """The try was right: its failures are forgotten."""
    conn.execute(delete(sign_in_failure).where(sign_in_failure.c.subject.in_(subjects)))
