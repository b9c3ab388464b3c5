"""Sign-in, sign-out and invitations over HTTP."""

from typing import Annotated, Any, Literal

import structlog
from aiohttp import web
from msgspec import Meta, Struct

from central.accounts.errors import AccountError, CodeRefused, LockedOut, NameTaken, WrongCredentials
from central.accounts.gate import Gate, SignedIn
from central.accounts.names import NAME_MAX_CHARS, one_spelling
from central.accounts.passwords import MIN_CHARS
from central.accounts.roles import Right, Role, User
from central.web.access import COOKIE, Anyone
from central.web.endpoints import Call, Endpoint, Nothing, json_response
from central.web.errors import Invalid, Problem

_STATUS: dict[type[AccountError], int] = {
    WrongCredentials: 401,
    CodeRefused: 401,
    NameTaken: 409,
    LockedOut: 429,
}
_log = structlog.get_logger(__name__)


class SignIn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """With `code`: makes the account that the one-time code is for, and signs it in."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX_CHARS)]
    password: Annotated[str, Meta(min_length=1, max_length=128)]
    code: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class SessionReply(Struct, frozen=True):
    user: User


class Invite(Struct, frozen=True, forbid_unknown_fields=True):
    role: Role


class InvitationReply(Struct, frozen=True):
    """`code` is told only here."""

    code: str
    expires_ms: int


class SignOutReply(Struct, frozen=True):
    signed_out: Literal[True] = True


class AccountRoutes:
    """Handlers over the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST", path="/api/v1/sessions", access=Anyone.PUBLIC, handler=self.sign_in,
                body=SignIn, reply=SessionReply, statuses=(401, 409, 429),
                summary="Sign in by password, or once by an invitation code",
            ),
            Endpoint(
                method="GET", path="/api/v1/sessions/current", access=Anyone.SIGNED_IN,
                handler=self.current, reply=SessionReply, summary="Who is signed in",
            ),
            Endpoint(
                method="DELETE", path="/api/v1/sessions/current", access=Anyone.SIGNED_IN,
                handler=self.sign_out, reply=SignOutReply, summary="Sign out",
            ),
            Endpoint(
                method="POST", path="/api/v1/invitations", access=Right.INVITE, handler=self.invite,
                body=Invite, reply=InvitationReply, summary="A one-time code for a new account",
            ),
        ]  # fmt: skip

    async def sign_in(self, call: Call[SignIn, Nothing]) -> web.Response:
        body, address = call.body, call.request.remote or "unknown"
        try:
            signed_in = await self._enter(body, address)
        except AccountError as error:
            _log.warning("sign_in_refused", code=error.code, address=address)
            wait: dict[str, Any] = {"wait_s": error.wait_s} if isinstance(error, LockedOut) else {}
            raise Problem(_STATUS[type(error)], error.code, str(error), **wait) from error
        _log.info("signed_in", account=signed_in.user.id, role=signed_in.user.role, address=address)
        response = json_response(SessionReply(signed_in.user))
        is_secure = call.request.headers["Origin"].startswith("https:")  # also behind a proxy that ends TLS
        response.set_cookie(
            COOKIE, signed_in.token, path="/", httponly=True, samesite="Strict", secure=is_secure
        )
        return response

    async def current(self, call: Call[Nothing, Nothing]) -> SessionReply:
        return SessionReply(call.user)

    async def sign_out(self, call: Call[Nothing, Nothing]) -> web.Response:
        await self._gate.sign_out(call.request.cookies[COOKIE])
        response = json_response(SignOutReply())
        response.del_cookie(COOKIE, path="/")
        return response

    async def invite(self, call: Call[Invite, Nothing]) -> InvitationReply:
        made = await self._gate.invite(call.body.role, made_by=call.user.id)
        return InvitationReply(made.code, made.expires_ms)

    async def _enter(self, body: SignIn, address: str) -> SignedIn:
        name = one_spelling(body.name)
        if name is None:
            raise Invalid("a name is words of visible characters, single spaces between", "body.name")
        if body.code is None:
            return await self._gate.sign_in(name, body.password, address)
        if len(body.password) < MIN_CHARS:
            raise Invalid(f"a new password has at least {MIN_CHARS} characters", "body.password")
        return await self._gate.sign_up(body.code, name, body.password, address)
