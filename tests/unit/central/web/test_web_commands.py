"""Commands and maintenance over HTTP: who may, what is refused, what is written down."""

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import select

from central.accounts.roles import Role
from central.store import schema

LOCK = "liuxu.cab1.s01.lock"
ACT = {"action_id": "action-1", "action": "open_slot", "edge": "liuxu", "point": LOCK, "reason": "归还案卷"}
LEAVE = {"edge": "liuxu", "for_s": 7_200, "reason": "换锁板"}


async def post(client: TestClient, path: str, body: dict) -> tuple[int, dict]:
    async with client.post(f"/api/v1/{path}", json=body) as response:
        return response.status, await response.json()


async def get(client: TestClient, path: str) -> dict:
    async with client.get(f"/api/v1/{path}") as response:
        assert response.status == 200
        return await response.json()


async def audit(centre) -> list[tuple[str, str]]:
    rows = await centre.store.read(lambda conn: conn.execute(select(schema.audit)).all())
    return [(row.what, row.reason) for row in rows if row.what.startswith(("command", "maintenance"))]


async def test_a_watcher_opens_a_slot_and_finds_it_in_the_list(centre) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    status, reply = await post(watcher, "commands", ACT)
    assert status == 200
    assert (reply["command"]["state"], reply["command"]["who"]) == ("waiting", "测试民警001")
    assert await post(watcher, "commands", ACT) == (200, reply), "one press of a key is one command"
    assert (await get(watcher, "commands?edge=liuxu"))["commands"] == [reply["command"]]
    assert (await get(watcher, f"commands?before_ms={centre.clock.now_ms}"))["commands"] == []
    assert await audit(centre) == [("command.given", "归还案卷")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"point": "liuxu.int1.door"}, "command.unknown_point"),
        ({"edge": "elsewhere"}, "command.unknown_edge"),
        ({"reason": ""}, "request.invalid"),
        ({"action": "send_message"}, "request.invalid"),
        ({"action": "maintain"}, "request.invalid"),
        ({"args": {"x": 1}}, "request.invalid"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_and_leaves_nothing(centre, change: dict, code: str) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    status, reply = await post(watcher, "commands", ACT | change)
    assert (status, reply["code"]) == (422, code)
    assert (await get(watcher, "commands"))["commands"] == []
    assert await audit(centre) == []


async def test_an_administrator_gives_leave_to_maintain_and_takes_it_back(centre) -> None:
    admin = await centre.signed_in(Role.ADMINISTRATOR)
    status, reply = await post(admin, "maintenance", LEAVE)
    window = reply["maintenance"]
    assert status == 200
    assert window["until_ms"] - window["from_ms"] == 7_200_000
    status, refused = await post(admin, "maintenance", LEAVE)
    assert (status, refused["code"]) == (422, "maintenance.running")
    centre.clock.now_ms += 60_000
    status, reply = await post(admin, f"maintenance/{window['id']}/end", {"reason": "完工"})
    assert (status, reply["maintenance"]["ended_ms"]) == (200, centre.clock.now_ms)
    assert (await get(admin, "maintenance"))["maintenance"] == [reply["maintenance"]]
    assert await audit(centre) == [("maintenance.begun", "换锁板"), ("maintenance.ended", "完工")]


@pytest.mark.parametrize("for_s", [59, 8 * 3_600 + 1])
async def test_leave_is_neither_for_a_moment_nor_for_ever(centre, for_s: int) -> None:
    admin = await centre.signed_in(Role.ADMINISTRATOR)
    status, _ = await post(admin, "maintenance", LEAVE | {"for_s": for_s})
    assert status == 422


@pytest.mark.parametrize("number", ["7", "x", "9" * 30, "%C2%B2"])
async def test_a_leave_that_never_was_has_no_end(centre, number: str) -> None:
    admin = await centre.signed_in(Role.ADMINISTRATOR)
    status, _ = await post(admin, f"maintenance/{number}/end", {"reason": "x"})
    assert status == 404
