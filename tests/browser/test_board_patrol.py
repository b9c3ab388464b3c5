"""B2, B3, B4 and B10 of the board's specification, and a watcher's whole job, in a real browser."""

import re
import signal
import sqlite3
import time
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.eventually import eventually
from tests.support.world import World

MODULES, CAMERAS = 1, 1

SHIFT_CLOCK = """
const Real = Date;
const shift = 3600 * 1000;
window.Date = class extends Real {
  constructor(...given) { given.length ? super(...given) : super(Real.now() + shift); }
  static now() { return Real.now() + shift; }
};
"""


def card(page: Page, room: str) -> Any:
    return page.locator(f'[data-testid=card][data-room="{room}"]')


def alert_of(world: World, room: str) -> dict[str, Any]:
    found = [alert for alert in world.alerts() if alert["room"] == room]
    assert len(found) == 1, found
    return found[0]


def test_b2_bounces_make_one_alert_and_lose_no_edge(world: World, open_page: Any) -> None:
    room = world.rooms[2]
    desk = open_page("/desk")
    world.flip(f"{room}.door", "open")
    time.sleep(0.3)
    world.flip(f"{room}.door", "closed")
    start = time.monotonic()
    for n in range(20):
        time.sleep(max(0.0, start + n / 10 - time.monotonic()))
        world.flip(f"{room}.door", "closed" if n % 2 else "open")
    expect(card(desk, room)).to_have_count(1)
    raw = [c for c in world.record() if c["point"] == f"{room}.door" and c["value"] == "open"]
    eventually(lambda: alert_of(world, room)["opens"] >= len(raw), what="every opening")
    assert alert_of(world, room)["opens"] == len(raw) == 11
    assert card(desk, room).count() == 1


def test_b3_two_watchers_press_enter_and_one_owns_it(world: World, open_page: Any) -> None:
    room = world.rooms[3]
    desks = {name: open_page("/desk", name) for name in ("张三", "李四")}
    world.flip(f"{room}.door", "open")
    for desk in desks.values():
        card(desk, room).focus(timeout=5_000)
    pressed = time.monotonic()
    for desk in desks.values():
        desk.keyboard.down("Enter")
    assert time.monotonic() - pressed < 0.5
    for desk in desks.values():
        desk.keyboard.up("Enter")
        expect(card(desk, room).get_by_test_id("owner")).to_be_visible()
    alert = alert_of(world, room)
    assert alert["state"] == "CLAIMED"
    winner = alert["owner"]["name"]
    (loser,) = desks.keys() - {winner}
    expect(card(desks[loser], room).get_by_test_id("owner")).to_contain_text(winner)
    store = sqlite3.connect(f"file:{world.folder}/central/casewatch.db?mode=ro", uri=True)
    claims = store.execute(
        "SELECT count(*) FROM alert_event WHERE alert_id = ? AND kind = 'claim'", (int(alert["id"]),)
    ).fetchone()
    store.close()
    assert claims == (1,)


def test_b4_a_frozen_centre_is_said_aloud_and_leaves_no_trace(world: World, open_page: Any) -> None:
    room = world.rooms[4]
    desk = open_page("/desk")
    desk.mouse.click(5, 5)
    world.central.signal(signal.SIGSTOP)
    try:
        stopped = time.monotonic()
        stale = desk.get_by_test_id("stale")
        expect(stale).to_have_attribute("data-level", "amber", timeout=7_500)
        assert time.monotonic() - stopped <= 7.5
        expect(stale).to_have_attribute("data-level", "red", timeout=6_000)
        assert time.monotonic() - stopped <= 11.5
        world.flip(f"{room}.door", "open")
    finally:
        world.central.signal(signal.SIGCONT)
    resumed_ms = desk.evaluate("Date.now()")
    expect(desk.get_by_test_id("stale")).to_have_count(0, timeout=15_000)
    expect(card(desk, room)).to_have_count(1, timeout=10_000)
    tones = desk.evaluate("window.__casewatch.tones")
    heard = [tone for tone in tones if tone["at_ms"] >= resumed_ms and "link" not in tone["kind"]]
    assert len(heard) <= 1, tones
    eventually(lambda: world.door_states()[room] == "open", what="the true state")


def test_b10_a_wrong_zone_and_clock_show_the_same_times(world: World, open_page: Any) -> None:
    room = world.rooms[6]
    world.flip(f"{room}.door", "open")
    here = open_page("/desk", timezone_id="Asia/Shanghai")
    far = open_page("/desk", timezone_id="America/New_York", locale="en-US", script=SHIFT_CLOCK)
    for language in ("zh", "en"):
        if language == "en":
            far.get_by_test_id("language").first.click()
        expect(card(far, room)).to_be_visible()
        for test_id in ("clock", "age"):
            seen = [_seconds(_text(page, room, test_id)) for page in (here, far)]
            assert abs(seen[0] - seen[1]) <= 2, f"{language} {test_id}: {seen}"


def test_the_whole_job_by_keyboard(world: World, open_page: Any) -> None:
    room = world.rooms[0]
    desk = open_page("/desk", "王五")
    world.flip(f"{room}.door", "open")
    card(desk, room).focus(timeout=5_000)
    desk.keyboard.press("Enter")
    expect(card(desk, room)).to_have_attribute("data-state", re.compile("CLAIMED|REVIEWING"))
    expect(desk.get_by_test_id("camera-time").first).to_be_visible(timeout=15_000)
    eventually(lambda: alert_of(world, room)["viewed_ms"] >= 3_000, 20, "three seconds of picture")
    assert alert_of(world, room)["state"] == "REVIEWING"
    desk.keyboard.press("1")
    expect(desk.get_by_test_id("result-normal")).to_have_attribute("aria-pressed", "true")
    desk.get_by_test_id("notes").fill("两名民警在场，一切正常。")
    desk.keyboard.press("Control+Enter")
    expect(card(desk, room)).to_have_count(0, timeout=10_000)
    (review,) = world.centre.get(f"/api/v1/reviews?room={room}")["reviews"]
    assert review["result"] == "normal"
    assert review["reviewer"]["name"] == "王五"
    assert review["viewed_ms"] >= 3_000
    assert review["notes"] == "两名民警在场，一切正常。"
    assert alert_of(world, room)["state"] == "REVIEWED"


def _text(page: Page, room: str, test_id: str) -> str:
    place = page if test_id == "clock" else card(page, room)
    return str(place.get_by_test_id(test_id).first.inner_text())


def _seconds(text: str) -> int:
    """`06:55:23` or `01:04` as seconds."""
    found = re.search(r"\d+(?::\d\d)+", text)
    assert found, text
    total = 0
    for part in found[0].split(":"):
        total = total * 60 + int(part)
    return total
