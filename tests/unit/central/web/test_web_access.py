"""Everything is refused but what the tables of access and rights allow."""

import asyncio
import re

import pytest
from aiohttp.test_utils import TestClient

from central.accounts.roles import RIGHTS, Right, Role
from central.web.access import ACCESS, COOKIE, Anyone
from central.web.middleware import HEADERS

PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/v1/sessions"),
    *((method, page) for method in ("GET", "HEAD") for page in ("/", "/wall", "/desk", "/assets/{name}")),
}


def concrete(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path)


async def status_of(client: TestClient, method: str, path: str) -> int:
    async with client.request(method, concrete(path), json={} if method == "POST" else None) as response:
        return response.status


async def test_exactly_the_named_routes_are_public(centre) -> None:
    table = centre.app[ACCESS]
    assert {route for route, access in table.items() if access is Anyone.PUBLIC} == PUBLIC


async def test_every_route_of_the_application_stands_in_the_table_of_access(centre) -> None:
    served = {(route.method, route.resource.canonical) for route in centre.app.router.routes()}
    assert served == set(centre.app[ACCESS])


async def test_every_other_route_refuses_who_is_not_signed_in(centre) -> None:
    client = await centre.visitor()
    closed = set(centre.app[ACCESS]) - PUBLIC - {("GET", "/metrics")}
    assert len(closed) >= 12
    assert {route: await status_of(client, *route) for route in closed} == dict.fromkeys(closed, 401)


@pytest.mark.parametrize("role", Role)
async def test_each_route_refuses_a_role_without_its_right_and_no_other(centre, role: Role) -> None:
    client = await centre.signed_in(role)
    for route, access in centre.app[ACCESS].items():
        if isinstance(access, Right):
            assert (await status_of(client, *route) == 403) is (access not in RIGHTS[role]), route


async def test_a_route_that_is_missing_from_the_table_answers_nobody(centre) -> None:
    client = await centre.signed_in(Role.ADMINISTRATOR)
    del centre.app[ACCESS]["GET", "/api/v1/stations"]
    assert await status_of(client, "GET", "/api/v1/stations") == 404


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "https://127.0.0.1", "ftp://x", "http://["]
)
async def test_an_act_that_a_foreign_page_asks_for_is_refused(centre, origin: str) -> None:
    client = await centre.signed_in(Role.ADMINISTRATOR)
    headers = {"Origin": origin}
    async with client.post("/api/v1/invitations", json={"role": "watcher"}, headers=headers) as response:
        assert response.status == 403
        assert (await response.json())["code"] == "request.origin"


async def test_a_socket_that_a_foreign_page_opens_is_refused(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://evil.example"}
    async with client.get("/api/v1/live", headers=upgrade) as response:
        assert response.status == 403


async def test_metrics_are_told_to_this_machine_but_not_through_a_proxy(centre) -> None:
    client = await centre.visitor()
    async with client.get("/metrics") as response:
        assert response.status == 200
        assert "casewatch_http_requests_total" in await response.text()
    for header in ("X-Forwarded-For", "Forwarded"):
        async with client.get("/metrics", headers={header: "10.0.0.9"}) as response:
            assert response.status == 401


async def test_every_answer_carries_the_security_headers_and_an_id(centre) -> None:
    client = await centre.visitor()
    ids = set()
    for path in ("/healthz", "/wall", "/nothing", "/api/v1/stations"):
        async with client.get(path) as response:
            assert {name: response.headers[name] for name in HEADERS} == HEADERS
            ids.add(response.headers["X-Request-Id"])
    assert len(ids) == 4


async def test_a_session_cookie_is_out_of_reach_of_scripts_and_foreign_sites(centre) -> None:
    client = await centre.visitor()
    invitation = await centre.gate.invite(Role.WATCHER, "test")
    body = {"code": invitation.code, "name": "测试民警001", "password": "a long enough password"}
    async with client.post("/api/v1/sessions", json=body) as response:
        cookie = response.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert not cookie["secure"]


async def test_a_cookie_of_any_bytes_is_no_session(centre) -> None:
    reader, writer = await asyncio.open_connection(centre.server.host, centre.server.port)
    request = b"GET /api/v1/stations HTTP/1.1\r\nHost: x\r\nCookie: %s=\xff\r\n\r\n" % COOKIE.encode()
    writer.write(request)
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()
    await writer.wait_closed()


async def test_a_session_begun_over_tls_stays_on_tls(centre) -> None:
    client = await centre.visitor()
    invitation = await centre.gate.invite(Role.WATCHER, "test")
    body = {"code": invitation.code, "name": "测试民警001", "password": "a long enough password"}
    headers = {"Origin": centre.origin.replace("http:", "https:")}
    async with client.post("/api/v1/sessions", json=body, headers=headers) as response:
        assert response.cookies[COOKIE]["secure"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "request.invalid"),
        (b"\xff", 422, "request.invalid"),
        (b"[" * 50_000, 422, "request.invalid"),
        (b'{"role":"king"}', 422, "request.invalid"),
        (b'{"role":"watcher","more":1}', 422, "request.invalid"),
        (b" " * 70_000, 413, "request.request_entity_too_large"),
    ],
)
async def test_a_body_that_is_not_as_agreed_is_refused(centre, body: bytes, status: int, code: str) -> None:
    client = await centre.signed_in(Role.ADMINISTRATOR)
    headers = {"Content-Type": "application/json"}
    async with client.post("/api/v1/invitations", data=body, headers=headers) as response:
        assert response.status == status
        assert (await response.json())["code"] == code


async def test_the_field_at_fault_is_named(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with client.post("/api/v1/alerts/1/claim", json={"action_id": "12345678", "rev": "1"}) as response:
        assert response.status == 422
        assert (await response.json())["path"] == "body.rev"
    async with client.get("/api/v1/alerts?limit=9999") as response:
        assert response.status == 422
        assert (await response.json())["path"] == "query.limit"


async def test_a_nul_is_refused_before_it_meets_the_store(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with client.get("/api/v1/reviews?room=%00") as response:
        assert (response.status, (await response.json())["path"]) == (422, "query.room")
    body = {"action_id": "12345678", "rev": 1, "reason": "a\0b\n"}
    async with client.post("/api/v1/alerts/1/release", json=body) as response:
        assert (response.status, (await response.json())["path"]) == (422, "body.reason")


async def test_a_form_is_no_json(centre) -> None:
    client = await centre.signed_in(Role.ADMINISTRATOR)
    async with client.post("/api/v1/invitations", data={"role": "watcher"}) as response:
        assert response.status == 415


async def test_unknown_paths_and_wrong_methods_are_told_in_json(centre) -> None:
    client = await centre.visitor()
    async with client.get("/nothing") as response:
        assert (response.status, (await response.json())["code"]) == (404, "request.not_found")
    async with client.get("/api/v1/invitations") as response:
        assert (response.status, (await response.json())["code"]) == (405, "request.method_not_allowed")
        assert response.headers["Allow"] == "POST"
