"""The acts on an alert over HTTP, on the real patrol: one owner, one answer an action, 409 with the truth."""

import asyncio
from types import SimpleNamespace

import msgspec
from aiohttp.test_utils import TestClient
from msgspec import Raw

from central.accounts.roles import Role
from central.app import prefetch_pictures
from central.store.database import Change


async def act(client: TestClient, alert: dict, name: str, **body: object) -> tuple[int, dict]:
    sent = {"action_id": "an-action", "rev": alert["rev"]} | body
    async with client.post(f"/api/v1/alerts/{alert['id']}/{name}", json=sent) as response:
        return response.status, await response.json()


async def test_of_two_watchers_at_once_one_gets_it_and_the_other_its_name(centre, alert) -> None:
    watchers = [await centre.signed_in(Role.WATCHER, f"测试民警00{n}") for n in (1, 2)]
    answers = await asyncio.gather(
        *(act(w, alert, "claim", action_id=f"action-{n}-") for n, w in enumerate(watchers))
    )
    (won,) = (reply for status, reply in answers if status == 200)
    (lost,) = (reply for status, reply in answers if status == 409)
    assert lost["code"] == "alert.conflict"
    assert lost["alert"]["owner"] == won["alert"]["owner"]
    assert lost["alert"]["state"] == "CLAIMED"


async def test_the_same_action_sent_again_gets_the_same_answer_and_acts_once(centre, alert) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    first = await act(watcher, alert, "claim")
    assert first[0] == 200
    assert await act(watcher, alert, "claim") == first
    status, released = await act(
        watcher, first[1]["alert"], "release", action_id="another-one", reason="换班"
    )
    assert (status, released["alert"]["state"]) == (200, "UNACK")
    assert await act(watcher, alert, "claim") == first


async def test_a_late_act_gets_409_and_changes_nothing(centre, alert) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    _, claimed = await act(watcher, alert, "claim")
    status, reply = await act(watcher, alert, "release", action_id="too-late", reason="换班")
    assert (status, reply["code"], reply["alert"]) == (409, "alert.conflict", claimed["alert"])


async def test_a_review_without_a_picture_seen_is_refused_by_its_rule(centre, alert) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    _, claimed = await act(watcher, alert, "claim")
    form = {"result": "normal", "checklist": {"two_officers": "yes"}, "notes": ""}
    status, reply = await act(watcher, claimed["alert"], "review", action_id="review-1", **form)
    assert (status, reply["code"]) == (422, "review.not_viewed")


async def test_a_review_form_is_checked_field_by_field(centre, alert) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    for wrong, path in (
        ({"result": "fine"}, "body.result"),
        ({"checklist": {"two_officers": "perhaps"}}, "body.checklist[...]"),
        ({"notes": "x" * 2_001}, "body.notes"),
        ({"more": 1}, "body"),
    ):
        form = {"result": "normal", "checklist": {}, "notes": ""} | wrong
        status, reply = await act(watcher, alert, "review", **form)
        assert (status, reply["path"]) == (422, path)


async def test_an_alert_that_is_not_there_is_404(centre) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    for missing in ("999", "x", "-1", "9" * 40):
        status, reply = await act(watcher, {"id": missing, "rev": 1}, "claim")
        assert (status, reply["code"]) == (404, "alert.not_found")


async def test_the_stored_rows_are_told_as_the_edge_wrote_them(centre, alert) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    async with watcher.get("/api/v1/events?room=liuxu.int1") as response:
        reply = await response.json()
    (event,) = reply["events"]
    assert (event["edge"], event["epoch"], event["seq"], reply["next"]) == ("liuxu", 1, 1, None)
    assert event["row"]["kind"] == "door.open"
    async with watcher.get("/api/v1/events?room=liuxu.nothing") as response:
        assert (response.status, (await response.json())["code"]) == (404, "room.not_found")


async def test_stations_rooms_and_cabinets_are_told_as_they_stand(centre, alert) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    async with watcher.get("/api/v1/stations") as response:
        reply = await response.json()
    assert [station["id"] for station in reply["stations"]] == ["liuxu"]
    assert [(room["door"], room["alert_id"]) for room in reply["rooms"]] == [("open", alert["id"])]
    assert [len(cabinet["slots"]) for cabinet in reply["cabinets"]] == [2]


async def test_a_room_that_waits_for_its_patrol_has_its_picture_fetched(alert) -> None:
    asked: list[str] = []
    relay = SimpleNamespace(prefetch=asked.append)
    prefetch_pictures(relay, [change("alert", alert | {"state": "REVIEWED"}), change("room", {})])
    assert asked == []
    prefetch_pictures(relay, [change("alert", alert)])
    assert asked == ["liuxu.int1"]


def change(kind: str, entity: dict) -> Change:
    return Change(1, kind, Raw(msgspec.json.encode(entity)), None)
