"""Queries on accounts and invitations. Each runs inside the caller's transaction."""

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from central.accounts.errors import CodeRefused, NameTaken
from central.accounts.roles import Role, User
from central.accounts.schema import account, invitation

INVITATION_MS = 24 * 3_600_000


class Credentials(Struct, frozen=True):
    user: User
    password_hash: str


def credentials(conn: Connection, name: str) -> Credentials | None:
    row = conn.execute(select(account).where(account.c.name == name)).first()
    if row is None:
        return None
    return Credentials(User(str(row.id), row.name, Role(row.role)), row.password_hash)


def has_administrator(conn: Connection) -> bool:
    query = select(account.c.id).where(account.c.role == Role.ADMINISTRATOR).limit(1)
    return conn.execute(query).first() is not None


def add_account(conn: Connection, name: str, role: Role, password_hash: str, now_ms: int) -> User:
    """Raises NameTaken."""
    values = {"name": name, "role": role, "password_hash": password_hash, "made_ms": now_ms}
    try:
        done = conn.execute(insert(account).values(values))
    except IntegrityError as error:
        raise NameTaken(name) from error
    assert done.inserted_primary_key is not None
    return User(str(done.inserted_primary_key[0]), name, role)


def add_invitation(conn: Connection, code_hash: str, role: Role, made_by: str, now_ms: int) -> int:
    """Note an invitation; returns when it expires, ms."""
    expires_ms = now_ms + INVITATION_MS
    conn.execute(
        insert(invitation).values(
            code_hash=code_hash, role=role, made_by=made_by, made_ms=now_ms, expires_ms=expires_ms
        )
    )
    return expires_ms


def withdraw_invitations(conn: Connection, made_by: str) -> None:
    """Unused invitations of one maker can no longer be used."""
    conn.execute(delete(invitation).where(invitation.c.made_by == made_by, invitation.c.used_ms.is_(None)))


def invited_role(conn: Connection, code_hash: str, now_ms: int) -> Role:
    """The role a code is for. Raises CodeRefused where it is unknown, used or expired."""
    row = conn.execute(select(invitation).where(invitation.c.code_hash == code_hash)).first()
    if row is None or row.used_ms is not None or row.expires_ms <= now_ms:
        raise CodeRefused("this code is unknown, used or expired")
    return Role(row.role)


def use_invitation(conn: Connection, code_hash: str, user: User, now_ms: int) -> None:
    """From now on the code is refused. In one transaction with `invited_role`."""
    this = invitation.c.code_hash == code_hash
    conn.execute(update(invitation).where(this).values(used_by=int(user.id), used_ms=now_ms))
