"""What a watcher may do with an alert, and what is refused by which rule."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from central.board_model import Alert, Person
from central.errors import Conflict, NotFound, Refused
from central.patrol import queries
from central.patrol.clockwork import Clockwork
from central.patrol.desk import Desk, ReviewForm
from central.patrol.schema import alert_event
from central.patrol.supervision import Supervision
from central.store.database import Change, Store
from tests.support.county import RULES, STATIONS, T0, Journal, take

CHEN = Person("1", "陈静")
LIU = Person("2", "刘洋")
MINUTE = 60_000


class Watch:
    """A store with one alert in `liuxu.int1`, and a desk; acts get their own ids unless told."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store = store
        self.journal = journal
        self.desk = Desk(STATIONS, RULES)
        self.clockwork = Clockwork(store, STATIONS, RULES, Supervision(), lambda: T0)
        self.changes: list[Change] = []
        self.now_ms = T0
        self.alert_id = ""
        self._acts = 0
        store.listener = self.changes.extend

    async def open(self, room: str = "liuxu.int1") -> Alert:
        first = self.journal.write("door.open", f"{room}.door", at=self.now_ms)
        last = self.journal.write("door.closed", f"{room}.door", at=self.now_ms + 5_000)
        await self.store.write(lambda tx: take(tx, self.journal.batch(first, last), now_ms=self.now_ms))
        alerts, _ = await self.store.read(lambda conn: queries.list_alerts(conn, None, None, 1))
        self.alert_id = alerts[0].id
        return alerts[0]

    async def alert(self) -> Alert:
        found = await self.store.read(lambda conn: queries.find_alert(conn, self.alert_id))
        assert found is not None
        return found

    async def _act(
        self, name: str, person: Person, rev: int | None, action_id: str | None, *more: Any
    ) -> Alert:
        self._acts += 1
        action = action_id or f"action-{self._acts}"
        seen = (await self.alert()).rev if rev is None else rev
        act = getattr(self.desk, name)
        return await self.store.write(
            lambda tx: act(tx, self.alert_id, person, action, seen, *more, self.now_ms)
        )

    async def claim(
        self, person: Person = CHEN, rev: int | None = None, action_id: str | None = None
    ) -> Alert:
        return await self._act("claim", person, rev, action_id)

    async def release(self, person: Person = CHEN, rev: int | None = None) -> Alert:
        return await self._act("release", person, rev, None, "called away")

    async def review(self, person: Person = CHEN, rev: int | None = None, **form: Any) -> Alert:
        filled = {"result": "normal", "checklist": {}, "notes": "", **form}
        return await self._act("review", person, rev, None, ReviewForm(**filled))

    async def view(self, seconds: float, person: Person = CHEN) -> Alert:
        added = int(seconds * 1_000)
        return await self.store.write(
            lambda tx: self.desk.viewed(tx, self.alert_id, person.id, added, self.now_ms)
        )

    async def pass_time(self, ms: int) -> None:
        self.now_ms += ms
        await self.clockwork.tick(self.now_ms, 0.0)

    async def reviews(self) -> list[queries.Review]:
        return (await self.store.read(lambda conn: queries.list_reviews(conn, None, None, 10)))[0]


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    journal = Journal()
    doors = {"liuxu__int1__door": "closed", "liuxu__inq1__door": "closed", "liuxu__lawyer__door": "closed"}
    await store.write(lambda tx: take(tx, journal.birth(**doors, liuxu__int1__picture="ok")))
    made = Watch(store, journal)
    await made.open()
    yield made
    await store.close()


async def refused_as(code: str, act: Callable[[], Awaitable[Alert]]) -> None:
    with pytest.raises(Refused) as told:
        await act()
    assert told.value.code == code


async def test_a_claim_names_its_owner_and_moves_the_revision(watch: Watch) -> None:
    alert = await watch.claim()
    assert (alert.state, alert.owner, alert.rev, alert.claimed_ms) == ("CLAIMED", CHEN, 2, T0)
    assert alert == await watch.alert()
    kinds = [change.kind for change in watch.changes[-2:]]
    assert kinds == ["alert", "room"]


async def test_who_claims_too_late_is_told_who_has_it(watch: Watch) -> None:
    await watch.claim()
    with pytest.raises(Conflict) as told:
        await watch.claim(LIU)
    assert told.value.alert.owner == CHEN
    assert "陈静" in str(told.value)


async def test_an_act_on_an_alert_that_moved_on_changes_nothing(watch: Watch) -> None:
    await watch.claim()
    await watch.release()
    with pytest.raises(Conflict) as told:
        await watch.claim(LIU, rev=1)
    assert (told.value.alert.state, told.value.alert.rev) == ("UNACK", 3)
    assert (await watch.alert()).owner is None


async def test_the_same_press_twice_is_one_act_with_one_answer(watch: Watch) -> None:
    first = await watch.claim(rev=1, action_id="press-0001")
    assert await watch.claim(rev=1, action_id="press-0001") == first
    assert (await watch.alert()).rev == 2
    await refused_as("action.reused", lambda: watch.claim(LIU, rev=1, action_id="press-0001"))


async def test_an_alert_that_is_not_there_is_not_found(watch: Watch) -> None:
    for name in ("999", "x", "-1", "9" * 40):
        with pytest.raises(NotFound):
            await watch.store.write(lambda tx, name=name: watch.desk.claim(tx, name, CHEN, "a-1", 1, T0))


async def test_looking_begins_with_two_seconds_of_picture_of_the_owner(watch: Watch) -> None:
    await watch.claim()
    assert (await watch.view(30, LIU)).viewed_ms == 0
    assert (await watch.view(1.9)).state == "CLAIMED"
    assert (await watch.view(0.1)).state == "REVIEWING"
    assert (await watch.view(3)).viewed_ms == 5_000


async def test_who_saw_nothing_cannot_sign(watch: Watch) -> None:
    await watch.claim()
    await refused_as("review.not_viewed", watch.review)
    await watch.view(5)
    await refused_as("review.too_short", watch.review)
    await refused_as("review.too_short", lambda: watch.review(short_view_reason="  "))
    alert = await watch.review(short_view_reason="室内无人")
    assert (alert.state, alert.result) == ("REVIEWED", "normal")
    (entry,) = await watch.reviews()
    assert (entry.viewed_ms, entry.short_view_reason, entry.late, entry.live) == (
        5_000,
        "室内无人",
        False,
        True,
    )


async def test_a_review_is_the_owners_alone_and_ends_the_alert(watch: Watch) -> None:
    await watch.claim()
    await watch.view(25)
    with pytest.raises(Conflict):
        await watch.review(LIU)
    await watch.review(result="problem", notes="两人未同时在场", checklist={"two_officers": "no"})
    with pytest.raises(Conflict):
        await watch.claim(LIU)
    with pytest.raises(Conflict):
        await watch.review()
    (entry,) = await watch.reviews()
    assert (entry.result, entry.checklist, entry.notes) == (
        "problem",
        {"two_officers": "no"},
        "两人未同时在场",
    )


async def test_what_one_owner_saw_does_not_count_for_the_next(watch: Watch) -> None:
    await watch.claim()
    await watch.view(25)
    released = await watch.release()
    assert (released.state, released.owner, released.viewed_ms) == ("UNACK", None, 0)
    await watch.claim(LIU)
    await refused_as("review.not_viewed", lambda: watch.review(LIU))


async def test_a_camera_that_showed_nothing_leaves_the_room_unpatrolled_and_raises_a_fault(
    watch: Watch,
) -> None:
    await watch.claim()
    alert = await watch.review(result="device_fault", notes="黑屏")
    assert (alert.state, alert.owner, alert.lapsed, alert.result) == ("LAPSED", None, True, None)
    (fault,) = await watch.store.read(queries.open_faults)
    assert (fault.kind, fault.room, fault.point) == ("picture", "liuxu.int1", "liuxu.int1.picture")
    assert [entry.result for entry in await watch.reviews()] == ["device_fault"]


async def test_a_lapsed_alert_is_cleared_by_a_late_review_and_by_nothing_less(watch: Watch) -> None:
    await watch.pass_time(RULES.lapse_after_s * 1_000)
    claimed = await watch.claim()
    assert (claimed.state, claimed.lapsed, claimed.owner) == ("LAPSED", True, CHEN)
    assert (await watch.release()).state == "LAPSED"
    await watch.claim()
    assert (await watch.view(30)).state == "REVIEWING"
    alert = await watch.review()
    assert (alert.state, alert.lapsed) == ("REVIEWED", True)
    (entry,) = await watch.reviews()
    assert entry.late


async def test_an_owner_keeps_the_alert_past_its_time_and_past_its_session(watch: Watch) -> None:
    await watch.claim()
    await watch.pass_time(RULES.session_idle_s * 1_000 + MINUTE)
    alert = await watch.alert()
    assert (alert.state, alert.owner) == ("CLAIMED", CHEN)
    assert alert.ended_ms == T0 + RULES.session_idle_s * 1_000
    assert (await watch.release()).state == "RTN_UNACK"
    await watch.pass_time(1_000)
    assert (await watch.alert()).state == "LAPSED"


async def test_a_room_without_camera_is_answered_for_in_words(watch: Watch) -> None:
    await watch.open("liuxu.lawyer")
    await watch.claim()
    await refused_as("review.notes_needed", watch.review)
    assert (await watch.review(notes="电话核实，会见正常")).state == "REVIEWED"


async def test_a_room_without_camera_has_no_picture_that_could_fail(watch: Watch) -> None:
    await watch.open("liuxu.lawyer")
    await watch.claim()
    await refused_as("review.no_camera", lambda: watch.review(result="device_fault", notes="黑屏"))
    assert await watch.store.read(queries.open_faults) == []


async def test_every_step_is_in_the_alerts_history_with_who_and_when(watch: Watch) -> None:
    await watch.claim()
    await watch.release()
    await watch.claim(LIU)
    await watch.view(25, LIU)
    await watch.review(LIU)
    steps = select(alert_event).order_by(alert_event.c.id)
    rows = await watch.store.read(lambda conn: conn.execute(steps).all())
    assert [(row.kind, row.from_state, row.to_state, row.actor) for row in rows] == [
        ("raised", None, "UNACK", "system"),
        ("closed", "UNACK", "UNACK", "system"),
        ("claim", "UNACK", "CLAIMED", "1"),
        ("release", "CLAIMED", "UNACK", "1"),
        ("claim", "UNACK", "CLAIMED", "2"),
        ("view", "CLAIMED", "REVIEWING", "2"),
        ("review", "REVIEWING", "REVIEWED", "2"),
    ]
    assert [row.rev for row in rows] == [1, 1, 2, 3, 4, 5, 6]
    assert rows[3].reason == "called away"


async def test_pages_of_alerts_are_newest_first_and_end(watch: Watch) -> None:
    for _ in range(4):
        watch.now_ms += RULES.session_idle_s * 1_000 + MINUTE
        await watch.open()
    page, after = await watch.store.read(lambda conn: queries.list_alerts(conn, None, None, 3))
    rest, end = await watch.store.read(lambda conn: queries.list_alerts(conn, None, after, 3))
    assert [int(alert.id) for alert in (*page, *rest)] == [5, 4, 3, 2, 1]
    assert end is None
    (newest,), _ = await watch.store.read(lambda conn: queries.list_alerts(conn, "UNACK", None, 3))
    assert newest.id == "5"
