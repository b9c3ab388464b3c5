"""What the centre's web side does where something would grow: boards, sessions, remembered failures."""

import asyncio

import pytest
from aiohttp import WSServerHandshakeError
from sqlalchemy import func, select

from central.accounts import sessions, tries
from central.accounts.lockout import FREE_FAILURES
from central.accounts.roles import Role
from central.accounts.schema import sign_in_failure, web_session
from central.web import live_socket

NAME = "测试民警001"
PASSWORD = "a long enough password"


async def rows(centre, table) -> int:
    return await centre.store.read(lambda conn: conn.scalar(select(func.count()).select_from(table)))


async def test_a_board_too_many_is_refused_and_disturbs_no_other(centre, monkeypatch) -> None:
    monkeypatch.setattr(live_socket, "BOARDS_MAX", 1)
    client = await centre.signed_in(Role.WATCHER)
    async with client.ws_connect("/api/v1/live") as first:
        with pytest.raises(WSServerHandshakeError) as caught:
            await client.ws_connect("/api/v1/live")
        assert caught.value.status == 503
        hello = {"type": "hello", "epoch": None, "last_seq": 0, "view": "wall", "console": "wall-1"}
        await first.send_json(hello)
        assert (await asyncio.wait_for(first.receive_json(), 5))["type"] == "snapshot"


async def test_a_session_too_many_ends_the_oldest_of_its_account(centre, monkeypatch) -> None:
    monkeypatch.setattr(sessions, "SESSIONS_OF_ONE_MAX", 3)
    other = await centre.signed_in(Role.WATCHER, "测试民警002")
    clients = [await centre.signed_in(Role.WATCHER, NAME)]
    for _ in range(3):
        centre.clock.now_ms += 1_000
        clients.append(await centre.visitor())
        async with clients[-1].post("/api/v1/sessions", json={"name": NAME, "password": PASSWORD}) as answer:
            assert answer.status == 200
    statuses = []
    for client in (*clients, other):
        async with client.get("/api/v1/sessions/current") as answer:
            statuses.append(answer.status)
    assert statuses == [401, 200, 200, 200, 200]
    assert await rows(centre, web_session) == 4


async def test_failures_of_many_names_push_out_no_lock(centre, monkeypatch) -> None:
    monkeypatch.setattr(tries, "REMEMBERED_MAX", 10)

    def fail(subject: str) -> object:
        return centre.store.write(lambda tx: tries.begin(tx.conn, [subject], centre.clock.now_ms))

    for _ in range(FREE_FAILURES):
        await fail("account locked")
    for n in range(30):
        centre.clock.now_ms += 1
        await fail(f"account {n}")
    assert await rows(centre, sign_in_failure) == 10
    with pytest.raises(tries.LockedOut):
        await fail("account locked")
