"""A room's picture over its socket: refused without a reason, written down, and counted once a person."""

import asyncio
import itertools
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from aiohttp.test_utils import TestClient
from sqlalchemy import select

from central.accounts.roles import Role
from central.store.schema import audit
from central.video import routes
from central.video.schema import viewing
from contract.pictures import decode_header

LIVE = "/api/v1/rooms/liuxu.int1/live"


async def rows(centre, table: Any) -> list[Any]:
    return await centre.store.read(lambda conn: list(conn.execute(select(table))))


async def viewed_ms(client: TestClient) -> int:
    async with client.get("/api/v1/alerts") as response:
        return (await response.json())["alerts"][0]["viewed_ms"]


async def claim(client: TestClient, alert: dict) -> None:
    sent = {"action_id": "an-action", "rev": alert["rev"]}
    async with client.post(f"/api/v1/alerts/{alert['id']}/claim", json=sent) as response:
        assert response.status == 200


async def draw(centre, sockets: list, seqs: range) -> None:
    """Every socket gets and draws these pictures, 200 ms apart."""
    for seq in seqs:
        centre.pictures.show(seq, seq * 200)
        for socket in sockets:
            header = decode_header(await socket.receive_bytes(timeout=5))
            assert header.seq == seq
            await socket.send_json({"type": "presented", "seq": seq})


async def test_a_plain_get_shows_nothing_and_is_no_viewing(centre, alert) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with client.get(f"{LIVE}?alert={alert['id']}") as response:
        assert (response.status, (await response.json())["code"]) == (400, "video.socket_needed")
    assert await rows(centre, viewing) == []
    assert "video.viewed" not in {entry.what for entry in await rows(centre, audit)}


@pytest.mark.parametrize(("query", "status"), [("", 422), ("?alert=", 422), ("?alert=99", 404)])
async def test_a_look_without_an_alert_of_this_room_is_refused(
    centre, alert, query: str, status: int
) -> None:
    client = await centre.signed_in(Role.WATCHER)
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect(LIVE + query)
    assert refused.value.status == status
    assert await rows(centre, viewing) == []


async def test_the_audit_says_for_which_alert_a_room_was_looked_into(centre, alert) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with client.ws_connect(f"{LIVE}?alert={alert['id']}"):
        (entry,) = (e for e in await rows(centre, audit) if e.what == "video.viewed")
    assert (entry.object, entry.reason) == ("liuxu.int1", f"alert {alert['id']}")


async def test_two_sockets_of_one_person_count_once_and_the_second_takes_over(
    centre, alert, monkeypatch
) -> None:
    monkeypatch.setattr(routes, "NOTE_EVERY_S", 0.02)
    client = await centre.signed_in(Role.WATCHER)
    await claim(client, alert)
    first = await client.ws_connect(f"{LIVE}?alert={alert['id']}")
    second = await client.ws_connect(f"{LIVE}?alert=0{alert['id']}")  # the same alert, spelled otherwise
    async with asyncio.timeout(10):
        await draw(centre, [first, second], range(1, 12))
        while [row.presented_ms for row in await rows(centre, viewing)] != [2_000, 2_000]:
            pass
        assert await viewed_ms(client) == 2_000
        await first.close()
        seqs = itertools.count(12)
        while await viewed_ms(client) == 2_000:
            seq = next(seqs)
            await draw(centre, [second], range(seq, seq + 1))
    await second.close()
