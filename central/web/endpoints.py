"""An endpoint of the HTTP API: typed query and body in, a typed reply out. The OpenAPI document is
made from the same table, so it cannot say anything else than what is served.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from central.accounts.roles import User
from central.web.access import ACCESS, USER, Access
from central.web.errors import Invalid, Problem

_WHERE = re.compile(r"^(.*?)(?: - at `(.*)`)?$", re.DOTALL)


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No query, no body, or no reply."""


B = TypeVar("B", bound=Struct)
Q = TypeVar("Q", bound=Struct)


@dataclass(frozen=True)
class Call(Generic[B, Q]):
    """One request, decoded."""

    request: web.Request
    body: B
    query: Q

    @property
    def user(self) -> User:
        return self.request[USER]

    def part(self, name: str) -> str:
        """A variable part of the path."""
        return self.request.match_info[name]


class Endpoint(Struct, frozen=True, kw_only=True):
    """`handler` takes a Call of `body` and `query`, and returns a `reply` or a ready response."""

    method: str
    path: str
    access: Access
    handler: Callable[[Call[Any, Any]], Awaitable[Struct | web.Response]]
    summary: str
    body: type[Struct] = Nothing
    query: type[Struct] = Nothing
    reply: type[Struct] = Nothing
    statuses: tuple[int, ...] = ()
    """Refusals of its own, beside those that any endpoint may give."""


def add_endpoints(app: web.Application, endpoints: Sequence[Endpoint]) -> None:
    """Serve them, and enter what each needs into the table of access."""
    for endpoint in endpoints:
        app.router.add_route(endpoint.method, endpoint.path, _handler(endpoint))
        app[ACCESS][endpoint.method, endpoint.path] = endpoint.access


def json_response(value: Struct, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", status=status)


def _handler(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    body_decoder = msgspec.json.Decoder(endpoint.body)

    async def handle(request: web.Request) -> web.StreamResponse:
        query = _query(request, endpoint.query)
        body: Struct = Nothing()
        if endpoint.body is not Nothing:
            body = await _body(request, body_decoder)
        reply = await endpoint.handler(Call(request, body, query))
        return reply if isinstance(reply, web.Response) else json_response(reply)

    return handle


def _query(request: web.Request, kind: type[Q]) -> Q:
    try:
        return msgspec.convert(dict(request.query), kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error, "query") from error


async def _body(request: web.Request, decoder: msgspec.json.Decoder[Struct]) -> Struct:
    if request.content_type != "application/json":
        raise Problem(415, "request.content_type", "the body must be application/json")
    try:
        return decoder.decode(await request.read())
    except msgspec.ValidationError as error:
        raise _invalid(error, "body") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not JSON: {error}", "body") from error


def _invalid(error: msgspec.ValidationError, part: str) -> Invalid:
    found = _WHERE.match(str(error))
    assert found is not None
    return Invalid(found[1], part + (found[2] or "$")[1:])
