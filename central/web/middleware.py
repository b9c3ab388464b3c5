"""What every request passes: an id, the security headers, the origin, the session, the table of rights."""

import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web

from central.accounts.gate import Gate
from central.accounts.roles import Right
from central.errors import BadValue, StoreUnavailable
from central.web import metrics
from central.web.access import COOKIE, USER, Anyone, access_of
from central.web.errors import Forbidden, ForeignOrigin, NotFound, NotSignedIn, Problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = web.RequestKey("request_id", str)
GATE = web.AppKey("gate", Gate)

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "casewatch",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

_log = structlog.get_logger(__name__)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal: also reaches files and WebSocket upgrades."""
    response.headers.update(HEADERS)
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal becomes JSON with a code; what is nobody's fault but ours is logged with the id."""
    request[REQUEST_ID] = secrets.token_hex(8)
    started_mono = time.monotonic()
    try:
        response = await handler(request)
    except Problem as problem:
        response = _answer(problem)
    except web.HTTPException as error:
        response = _answer_http(error)
    except BadValue:
        response = _answer(Problem(422, BadValue.code, "the store cannot hold a value of this request"))
    except StoreUnavailable:
        response = _answer(Problem(503, StoreUnavailable.code, "the store does not answer"))
    except Exception:
        _log.exception("request_failed", id=request[REQUEST_ID], method=request.method, path=request.path)
        response = _answer(Problem(500, "server", "our fault; it is logged under the request's id"))
    metrics.note_request(request, response.status, time.monotonic() - started_mono)
    return response


@web.middleware
async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets pass who may: the origin is ours, the session lives, the role has the route's right."""
    if request.match_info.http_exception is not None:
        return await handler(request)
    access = access_of(request)
    if access is None:
        raise NotFound
    if request.method not in {"GET", "HEAD"} or request.headers.get("Upgrade"):
        check_origin(request)
    if access is Anyone.PUBLIC:
        return await handler(request)
    user = await request.app[GATE].user_of(request.cookies.get(COOKIE, ""))
    if user is None:
        if access is Right.READ_METRICS and is_local(request):
            return await handler(request)
        raise NotSignedIn
    if isinstance(access, Right) and not user.may(access):
        raise Forbidden(access)
    request[USER] = user
    return await handler(request)


def check_origin(request: web.Request) -> None:
    """Raises ForeignOrigin unless the page that asks was served from this very host and port."""
    try:
        origin = urlsplit(request.headers.get("Origin", ""))
    except ValueError as error:
        raise ForeignOrigin from error
    if origin.scheme not in {"http", "https"} or origin.netloc != request.host:
        raise ForeignOrigin


def is_local(request: web.Request) -> bool:
    """From this machine, and not passed on by a proxy on it."""
    proxied = {"Forwarded", "X-Forwarded-For", "X-Real-Ip"} & {name.title() for name in request.headers}
    return request.remote in {"127.0.0.1", "::1"} and not proxied


def _answer(problem: Problem) -> web.Response:
    body = {"code": problem.code, "message": problem.message} | problem.extra
    response = web.Response(
        body=msgspec.json.encode(body), content_type="application/json", status=problem.status
    )
    if isinstance(wait_s := problem.extra.get("wait_s"), int):
        response.headers["Retry-After"] = str(wait_s)
    return response


def _answer_http(error: web.HTTPException) -> web.Response:
    """What aiohttp itself refuses: no such route, wrong method, body too large."""
    if error.status < HTTPStatus.BAD_REQUEST:
        raise error
    phrase = HTTPStatus(error.status).phrase.lower()
    response = _answer(Problem(error.status, "request." + phrase.replace(" ", "_"), phrase))
    if allow := error.headers.get("Allow"):
        response.headers["Allow"] = allow
    return response
