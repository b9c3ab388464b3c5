"""The one way in: sign in by password, or once by an invitation code that makes the account."""

import base64
import hashlib
import secrets
from collections.abc import Callable

from msgspec import Struct

from central.accounts import queries, sessions, tries
from central.accounts.errors import WrongCredentials
from central.accounts.passwords import Passwords
from central.accounts.roles import Role, User
from central.store import audit
from central.store.database import Store, Transaction

TOUCH_EVERY_MS = 60_000
_FIRST_START = "first start"


class SignedIn(Struct, frozen=True):
    """A new session. `token` is told once and stands nowhere but in the browser's cookie."""

    user: User
    token: str


class Invitation(Struct, frozen=True):
    """`code` is told once; it makes one account of its role, until `expires_ms`."""

    code: str
    role: Role
    expires_ms: int


class Gate:
    """Sign-in, sessions and invitations over the store. `clock` gives wall time in ms."""

    def __init__(self, store: Store, passwords: Passwords, clock: Callable[[], int]) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock

    async def sign_in(self, name: str, password: str, address: str) -> SignedIn:
        """Raises WrongCredentials or LockedOut."""
        subjects = [f"account {name}", f"address {address}"]
        await self._store.write(lambda tx: tries.begin(tx.conn, subjects, self._clock()))
        known = await self._store.read(lambda conn: queries.credentials(conn, name))
        if not await self._passwords.verify(known.password_hash if known else None, password):
            raise WrongCredentials("name or password is wrong")
        assert known is not None
        user = known.user
        return await self._store.write(lambda tx: self._begin_session(tx, user, subjects))

    async def sign_up(self, code: str, name: str, password: str, address: str) -> SignedIn:
        """Make the account an invitation is for. Raises CodeRefused, NameTaken or LockedOut."""
        subjects = [f"address {address}"]
        code_hash = _hash(_plain(code))
        await self._store.write(lambda tx: tries.begin(tx.conn, subjects, self._clock()))
        await self._store.read(lambda conn: queries.invited_role(conn, code_hash, self._clock()))
        password_hash = await self._passwords.hash(password)

        def use(tx: Transaction) -> SignedIn:
            now_ms = self._clock()
            role = queries.invited_role(tx.conn, code_hash, now_ms)
            user = queries.add_account(tx.conn, name, role, password_hash, now_ms)
            queries.use_invitation(tx.conn, code_hash, user, now_ms)
            audit.record(tx.conn, who=user.id, what="account.made", object_id=user.id, at_ms=now_ms)
            return self._begin_session(tx, user, subjects)

        return await self._store.write(use)

    async def user_of(self, token: str) -> User | None:
        """Whose session this is, and that it is in use; None where there is no live one."""
        token_hash, now_ms = _hash(token), self._clock()
        live = await self._store.read(lambda conn: sessions.live(conn, token_hash, now_ms))
        if live is None:
            return None
        if now_ms - live.seen_ms >= TOUCH_EVERY_MS:
            await self._store.write(lambda tx: sessions.touch(tx.conn, token_hash, now_ms))
        return live.user

    async def sign_out(self, token: str) -> None:
        await self._store.write(lambda tx: sessions.end(tx.conn, _hash(token)))

    async def invite(self, role: Role, made_by: str) -> Invitation:
        """A new code for one account of this role."""
        return await self._store.write(lambda tx: self._invite(tx, role, made_by))

    async def first_start(self) -> Invitation | None:
        """While nobody administers the centre: a new code for an administrator, the last one void."""

        def renew(tx: Transaction) -> Invitation | None:
            if queries.has_administrator(tx.conn):
                return None
            queries.withdraw_invitations(tx.conn, _FIRST_START)
            return self._invite(tx, Role.ADMINISTRATOR, _FIRST_START)

        return await self._store.write(renew)

    def _invite(self, tx: Transaction, role: Role, made_by: str) -> Invitation:
        code, now_ms = _new_code(), self._clock()
        expires_ms = queries.add_invitation(tx.conn, _hash(_plain(code)), role, made_by, now_ms)
        audit.record(tx.conn, who=made_by, what="account.invited", object_id=role, at_ms=now_ms)
        return Invitation(code, role, expires_ms)

    def _begin_session(self, tx: Transaction, user: User, subjects: list[str]) -> SignedIn:
        token, now_ms = secrets.token_urlsafe(32), self._clock()
        tries.forgive(tx.conn, subjects)
        sessions.add(tx.conn, _hash(token), user, now_ms)
        audit.record(tx.conn, who=user.id, what="account.signed_in", object_id=user.id, at_ms=now_ms)
        return SignedIn(user, token)


def _new_code() -> str:
    """100 random bits in five groups of four letters and digits, to be read aloud."""
    letters = base64.b32encode(secrets.token_bytes(13)).decode()[:20]
    return "-".join(letters[at : at + 4] for at in range(0, 20, 4))


def _plain(code: str) -> str:
    return "".join(code.upper().replace("-", " ").split())


def _hash(secret: str) -> str:
    """These secrets are random and long, so a plain hash hides them. A cookie may hold any bytes."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
