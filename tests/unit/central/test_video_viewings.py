"""Viewings in the store, and what they tell the desk."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select, update

from central.board_model import Person
from central.patrol.schema import alert, room_session
from central.store.database import Store
from central.store.schema import audit
from central.video.schema import viewing
from central.video.viewings import Viewing

WATCHER = Person("7", "周敏")
ROOM = "liuxu.int1"


class Desk:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    def viewed(self, _tx: object, alert_id: str, person_id: str, added_ms: int, _now_ms: int) -> None:
        self.told.append((alert_id, person_id, added_ms))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await opened.open()
    await opened.write(lambda tx: _raise_alert(tx.conn))
    yield opened
    await opened.close()


def _raise_alert(conn: Any) -> None:
    conn.execute(
        insert(room_session).values(
            id=1, station="liuxu", room=ROOM, started_ms=1, activity_ms=1, opens=1, due_ms=9, max_at_ms=9
        )
    )
    conn.execute(
        insert(alert).values(
            id=5, session_id=1, station="liuxu", room=ROOM, state="CLAIMED", level=2, edge_ms=1, raised_ms=1,
            late_ms=0, cond="OPEN", viewed_ms=0, lapse_at_ms=9, lapsed=False, rev=1, chain_pending=False,
        )
    )  # fmt: skip


def look(store: Store, desk: Desk, alert_id: str, room: str = ROOM) -> Viewing:
    return Viewing(store, desk, WATCHER, room, alert_id)  # type: ignore[arg-type]


def show(viewed: Viewing, pictures: range) -> None:
    for seq in pictures:
        viewed.presented.sent(seq, seq * 200)
        viewed.presented.presented(seq)


async def rows(store: Store, table: Any) -> list[Any]:
    return await store.read(lambda conn: list(conn.execute(select(table))))


async def test_viewing_is_written_down_and_audited_before_anything_is_shown(store: Store):
    assert await look(store, Desk(), "5").begin(1_000)
    (row,) = await rows(store, viewing)
    assert (row.person_id, row.room, row.alert_id, row.from_ms, row.presented_ms) == ("7", ROOM, 5, 1_000, 0)
    (entry,) = await rows(store, audit)
    assert (entry.who, entry.what, entry.object, entry.at_ms) == ("7", "video.viewed", ROOM, 1_000)
    assert (entry.reason, msgspec.json.decode(entry.detail)) == ("alert 5", {"viewing": row.id})


async def test_desk_is_told_what_was_added_since_the_last_note(store: Store):
    desk = Desk()
    viewed = look(store, desk, "5")
    await viewed.begin(1_000)
    show(viewed, range(1, 7))
    await viewed.note(2_000)
    show(viewed, range(7, 9))
    await viewed.note(3_000)
    await viewed.note(4_000)
    assert desk.told == [("5", "7", 1_000), ("5", "7", 400)]
    (row,) = await rows(store, viewing)
    assert (row.until_ms, row.presented_ms) == (4_000, 1_400)


async def test_viewing_that_does_not_count_is_written_down_and_counts_from_when_it_may(store: Store):
    desk = Desk()
    viewed = look(store, desk, "5")
    await viewed.begin(1_000)
    viewed.counts = False
    show(viewed, range(1, 7))
    await viewed.note(2_000)
    assert desk.told == []
    assert (await rows(store, viewing))[0].presented_ms == 1_000
    viewed.counts = True
    show(viewed, range(7, 9))
    await viewed.note(3_000)
    assert desk.told == [("5", "7", 400)]


async def test_looking_on_after_the_review_is_written_down_and_counts_for_nothing(store: Store):
    desk = Desk()
    viewed = look(store, desk, "5")
    await viewed.begin(1_000)
    await store.write(lambda tx: tx.conn.execute(update(alert).values(state="REVIEWED")))
    show(viewed, range(1, 7))
    await viewed.note(2_000)
    assert desk.told == []
    assert (await rows(store, viewing))[0].presented_ms == 1_000


@pytest.mark.parametrize(
    ("alert_id", "room"), [("5", "liuxu.wait"), ("6", ROOM), ("x", ROOM), ("9" * 40, ROOM)]
)
async def test_alert_of_another_room_or_none_is_refused_and_nothing_written(
    store: Store, alert_id: str, room: str
):
    assert not await look(store, Desk(), alert_id, room).begin(1_000)
    assert await rows(store, viewing) == []
    assert await rows(store, audit) == []
