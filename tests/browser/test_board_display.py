"""B1 of the board's specification: what a contact does is on every board within a second."""

import sqlite3
import time
from typing import Any

from tests.support.eventually import eventually
from tests.support.world import World

MODULES, CAMERAS = 13, 0
EDGES = 200

# Notes when a frame with each card, and with each open door, has really been painted.
WATCH_PAINT = """
window.__painted = { cards: {}, doors: {} };
let waiting = false;
const look = () => {
  waiting = false;
  const cards = [...document.querySelectorAll('[data-testid=card]')].filter((e) => e.textContent.trim());
  const rooms = cards.map((e) => e.dataset.room);
  const open = document.querySelectorAll('[data-testid=tile][data-door=open]');
  const doors = [...open].map((e) => e.dataset.room);
  requestAnimationFrame(() => {
    const now = Date.now();
    for (const room of rooms) window.__painted.cards[room] ??= now;
    for (const room of doors) window.__painted.doors[room] ??= now;
  });
};
new MutationObserver(() => {
  if (!waiting) { waiting = true; requestAnimationFrame(look); }
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


def test_b1_an_edge_is_on_the_wall_and_on_two_desks_within_a_second(world: World, open_page: Any) -> None:
    wall = open_page("/wall", script=WATCH_PAINT)
    desks = [open_page("/desk", name, script=WATCH_PAINT) for name in ("张三", "李四")]
    rooms = world.rooms[:EDGES]
    start = time.monotonic()
    for n, room in enumerate(rooms):
        time.sleep(max(0.0, start + n / 5 - time.monotonic()))
        world.flip(f"{room}.door", "open")
    flipped_ms = {change["point"].removesuffix(".door"): change["at_ms"] for change in world.record()}
    for page, kind in ((wall, "doors"), (desks[0], "cards"), (desks[1], "cards")):
        look = f"window.__painted.{kind}"
        eventually(
            lambda page=page, look=look: len(page.evaluate(look)) >= EDGES, 20, f"{look} of {page.url}"
        )
        painted = page.evaluate(look)
        delays_ms = sorted(painted[room] - flipped_ms[room] for room in rooms)
        assert delays_ms[int(0.99 * EDGES) - 1] <= 1_000, f"{page.url}: {delays_ms[-5:]}"
    newest = wall.evaluate("window.__casewatch.lastSeq")
    eventually(lambda: _newest_receipt(world) >= newest, 10, "the wall's paint receipt")


def _newest_receipt(world: World) -> int:
    store = sqlite3.connect(f"file:{world.folder}/central/casewatch.db?mode=ro", uri=True)
    try:
        return int(store.execute("SELECT max(seq) FROM paint_receipt").fetchone()[0] or 0)
    finally:
        store.close()
