"""What every store promises, the same on SQLite and on a real PostgreSQL."""

import asyncio
import threading
from importlib import import_module
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

import central
from central.board_model import Person, Room
from central.errors import BadValue, Conflict, NewerSchema, StoreUnavailable
from central.patrol import faults, queries
from central.patrol.clockwork import Clockwork
from central.patrol.desk import Desk, ReviewForm
from central.patrol.faults import Subject
from central.patrol.scene import WAITING_MAX
from central.patrol.schema import alert_event, fault, review, room_session
from central.patrol.supervision import Supervision
from central.store import audit, board_changes, events, schema
from central.store.board_changes import Cause
from central.store.database import Change, Store, Transaction
from central.store.events import NewEvent, Origin
from tests.support.county import RULES, STATIONS, T0, Journal, take

SINCE_0004 = (
    "edge_key",
    "enrolment_code",
    "checkpoint",
    "edge_witness",
    "maintenance",
    "command",
    "store_opening",
)
VIEWING_SINCE_0006 = ("viewing_no_delete", "viewing_no_truncate")
COLUMNS_SINCE_0004 = [
    "fault.settled_by",
    "fault.settled_reason",
    "edge_link.told_seq",
    "edge_link.in_maintenance",
]
COLUMNS_SINCE_0004 += ["edge_link.epoch", "edge_link.config", "live_row.skipped"]
COLUMNS_SINCE_0004 += ["edge_link.clock_run", "edge_link.clock_counted_ms"]
ONE = Person("1", "陈静")
TWO = Person("2", "刘洋")


async def open_door(store: Store, journal: Journal | None = None) -> str:
    """A door opened: the id of its alert."""
    journal = journal or Journal()
    first = journal.write("door.open", at=T0 - 40)
    await store.write(lambda tx: take(tx, journal.birth(liuxu__int1__door="open"), journal.batch(first)))
    alerts, _ = await store.read(lambda conn: queries.list_alerts(conn, None, None, 1))
    return alerts[0].id


async def board(store: Store) -> queries.Board:
    return await store.read(lambda conn: queries.snapshot(conn, STATIONS))


async def room(store: Store) -> Room:
    return next(one for one in (await board(store)).rooms if one.id == "liuxu.int1")


async def test_a_new_store_has_exactly_the_tables_that_the_code_declares(store: Store) -> None:
    for declared in sorted(Path(central.__file__).parent.glob("*/schema.py")):
        import_module(f"central.{declared.parent.name}.schema")

    def differences(conn):
        return compare_metadata(MigrationContext.configure(conn), schema.metadata)

    assert await store.read(differences) == []


async def test_opening_again_keeps_everything_and_the_epoch(url: str) -> None:
    first = Store(url)
    await first.open()
    await first.write(lambda tx: audit.record(tx.conn, who="system", what="t", object_id="o", at_ms=1))
    await first.close()
    again = Store(url)
    await again.open()
    assert again.epoch == first.epoch != ""
    assert await again.read(lambda conn: conn.scalar(select(func.count()).select_from(schema.audit))) == 1
    await again.close()


async def test_a_schema_of_a_later_release_is_refused(url: str) -> None:
    first = Store(url)
    await first.open()
    await first.write(lambda tx: tx.conn.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await first.close()
    later = Store(url)
    with pytest.raises(NewerSchema, match="9999"):
        await later.open()
    await later.close()


async def test_what_a_work_raises_rolls_all_of_it_back_and_tells_nobody(store: Store) -> None:
    told: list[Change] = []
    store.listener = told.extend
    alert_id = await open_door(store)
    (alert,) = (await board(store)).alerts
    told.clear()

    def fails(tx: Transaction) -> None:
        audit.record(tx.conn, who="1", what="t", object_id=alert_id, at_ms=1)
        tx.changed("alert", alert)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(fails)
    assert await store.read(lambda conn: conn.scalar(select(func.count()).select_from(schema.audit))) == 0
    assert told == []


async def test_changes_are_told_in_commit_order_without_a_gap_and_only_once_readable(store: Store) -> None:
    alert_id = await open_door(store)
    (alert,) = (await board(store)).alerts
    start = await store.read(board_changes.last_seq)
    told: list[Change] = []
    loop = asyncio.get_running_loop()

    def listen(changes: list[Change]) -> None:
        assert asyncio.get_running_loop() is loop
        with store._read_engine.begin() as conn:
            assert board_changes.last_seq(conn) >= changes[-1].seq
        told.extend(changes)

    store.listener = listen
    cause = Cause("liuxu", 7, 1, T0)
    works = [store.write(lambda tx: tx.changed("alert", alert, cause)) for _ in range(20)]
    await asyncio.gather(*works)
    assert [change.seq for change in told] == list(range(start + 1, start + 21))
    assert {msgspec.json.decode(change.entity)["id"] for change in told} == {alert_id}
    assert await store.read(lambda conn: board_changes.since(conn, start, 100)) == told


async def test_a_client_too_far_behind_is_told_to_begin_anew(store: Store, monkeypatch) -> None:
    monkeypatch.setattr(board_changes, "KEPT", 5)
    monkeypatch.setattr(board_changes, "PRUNE_EVERY", 10)
    await open_door(store)
    (alert,) = (await board(store)).alerts
    for _ in range(30):
        await store.write(lambda tx: tx.changed("alert", alert))
    last = await store.read(board_changes.last_seq)

    def since(seq: int, limit: int = 100):
        return store.read(lambda conn: board_changes.since(conn, seq, limit))

    assert len(await since(last - 3)) == 3
    assert await since(last) == []
    assert await since(last - 3, limit=2) is None
    assert await since(1) is None
    assert await since(last + 1) is None


@pytest.mark.parametrize("verb", ["update", "delete"])
async def test_what_is_written_down_is_neither_changed_nor_removed(store: Store, verb: str) -> None:
    journal = Journal()
    alert_id = await open_door(store, journal)
    await review_it(store, alert_id)
    await store.write(lambda tx: audit.record(tx.conn, who="1", what="t", object_id="o", at_ms=1))
    for table in (schema.event, schema.audit, alert_event, review):
        statement = delete(table) if verb == "delete" else update(table).values({table.c[1]: table.c[1]})
        with pytest.raises(DBAPIError, match="append-only"):
            await store.write(lambda tx, statement=statement: tx.conn.execute(statement))


async def test_one_row_of_an_edge_is_stored_once(store: Store) -> None:
    row = NewEvent("liuxu", 7, 1, "0" * 64, None, T0, b"{}")
    await store.write(lambda tx: events.append(tx.conn, [row]))
    with pytest.raises(DBAPIError):
        await store.write(lambda tx: events.append(tx.conn, [row]))


async def test_events_come_in_commit_order_page_by_page_and_by_room(store: Store) -> None:
    journal = Journal()
    for n in range(5):
        journal.write("door.open", f"liuxu.{'int1' if n % 2 else 'inq1'}.door", at=T0 + n)
    await store.write(lambda tx: take(tx, journal.batch()))

    def page(after: int, origin=None):
        return store.read(lambda conn: events.list_events(conn, after, 2, origin))

    first, after = await page(0)
    rest, end = await page(after)
    last, none = await page(end)
    assert [bytes(one.row) for one in (*first, *rest, *last)] == journal.rows
    assert none is None
    int1 = Origin("liuxu", ("liuxu.int1.door",))
    of_room, _ = await page(0, int1)
    assert [one.seq for one in of_room] == [2, 4]
    newest = await store.read(lambda conn: events.last_events(conn, 2))
    assert [one.seq for one in newest] == [4, 5]
    newest = await store.read(lambda conn: events.last_events(conn, 1, int1))
    assert [one.seq for one in newest] == [4]


async def test_a_rooms_events_are_those_of_its_own_edge(store: Store) -> None:
    liar = Journal("linhu")
    liar.write("door.open", "liuxu.int1.door")
    await store.write(lambda tx: take(tx, liar.batch()))
    await open_door(store)
    int1 = Origin("liuxu", ("liuxu.int1.door",))
    page, _ = await store.read(lambda conn: events.list_events(conn, 0, 10, int1))
    newest = await store.read(lambda conn: events.last_events(conn, 10, int1))
    assert [one.edge for one in page] == [one.edge for one in newest] == ["liuxu"]


async def test_reads_see_one_moment_while_a_write_goes_on(store: Store) -> None:
    journal = Journal()
    journal.write("door.open")
    is_between = threading.Event()
    is_written = threading.Event()

    def count_twice(conn) -> tuple[int, int]:
        counting = select(func.count()).select_from(schema.event)
        before = conn.scalar(counting)
        is_between.set()
        assert is_written.wait(10)
        return before, conn.scalar(counting)

    reading = asyncio.create_task(store.read(count_twice), name="reading")
    await asyncio.to_thread(is_between.wait, 10)
    await store.write(lambda tx: take(tx, journal.batch()))
    is_written.set()
    assert await reading == (0, 0)


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises((DBAPIError, StoreUnavailable)):
        await store.read(lambda conn: conn.execute(insert(schema.store_identity).values(epoch="x")))


async def test_of_two_who_claim_at_once_one_has_it_and_the_other_learns_who(store: Store) -> None:
    alert_id = await open_door(store)
    desk = Desk(STATIONS, RULES)
    answers = await asyncio.gather(
        *(
            store.write(lambda tx, p=person: desk.claim(tx, alert_id, p, f"action-{p.id}", 1, T0))
            for person in (ONE, TWO)
        ),
        return_exceptions=True,
    )
    won, lost = sorted(answers, key=lambda answer: isinstance(answer, Exception))
    assert won.state == "CLAIMED"
    assert isinstance(lost, Conflict)
    assert lost.alert.owner == won.owner


async def review_it(store: Store, alert_id: str) -> None:
    desk = Desk(STATIONS, RULES)
    form = ReviewForm(result="normal", checklist={"lights": "yes"}, notes="安静")
    await store.write(lambda tx: desk.claim(tx, alert_id, ONE, "action-claim", 1, T0))
    await store.write(lambda tx: desk.viewed(tx, alert_id, ONE.id, 21_000, T0 + 21_000))
    await store.write(lambda tx: desk.review(tx, alert_id, ONE, "action-review", 3, form, T0 + 22_000))


async def test_an_alerts_life_from_the_door_to_the_review_log(store: Store) -> None:
    journal = Journal()
    alert_id = await open_door(store, journal)
    await review_it(store, alert_id)
    (entry,), _ = await store.read(lambda conn: queries.list_reviews(conn, "liuxu.int1", None, 10))
    assert (entry.alert, entry.reviewer, entry.viewed_ms, entry.live, entry.late) == (
        alert_id, ONE, 21_000, True, False,
    )  # fmt: skip
    assert entry.checklist == {"lights": "yes"}
    assert (await board(store)).alerts == []
    (closed,), _ = await store.read(lambda conn: queries.list_alerts(conn, "REVIEWED", None, 10))
    assert (closed.id, closed.result, closed.rev) == (alert_id, "normal", 4)
    steps = select(alert_event.c.kind, alert_event.c.to_state, alert_event.c.rev).order_by(alert_event.c.id)
    assert await store.read(lambda conn: [tuple(row) for row in conn.execute(steps)]) == [
        ("raised", "UNACK", 1),
        ("claim", "CLAIMED", 2),
        ("view", "REVIEWING", 3),
        ("review", "REVIEWED", 4),
    ]


async def test_what_is_due_happens_after_a_restart_too(url: str) -> None:
    first = Store(url)
    await first.open()
    alert_id = await open_door(first)
    await first.close()
    again = Store(url)
    await again.open()
    clockwork = Clockwork(again, STATIONS, RULES, Supervision(), lambda: T0)
    due_ms = T0 + RULES.lapse_after_s * 1_000
    await clockwork.tick(due_ms - 1, 0.0)
    assert [alert.state for alert in (await board(again)).alerts] == ["UNACK"]
    await clockwork.tick(due_ms, 0.0)
    await clockwork.tick(due_ms + 1_000, 0.0)
    (alert,) = (await board(again)).alerts
    assert (alert.id, alert.state, alert.lapsed, alert.level, alert.rev) == (alert_id, "LAPSED", True, 3, 2)
    await again.close()


async def test_a_fault_stands_once_and_is_cleared_once(store: Store) -> None:
    journal = Journal()
    for kind in ("picture.covered", "picture.covered", "picture.dark", "picture.ok", "picture.ok"):
        journal.write(kind, "liuxu.int1.picture")
    await store.write(lambda tx: take(tx, journal.batch()))
    rows = await store.read(lambda conn: conn.execute(select(fault).order_by(fault.c.id)).all())
    assert [(row.kind, row.detail, row.cleared_ms) for row in rows] == [
        ("picture", "covered", T0),
        ("picture", "dark", T0),
    ]


async def test_the_same_fault_of_two_rooms_is_two_faults(store: Store) -> None:
    rooms = [Subject("picture", "liuxu", room) for room in ("liuxu.int1", "liuxu.inq1")]
    for room in rooms:
        await store.write(lambda tx, room=room: faults.stand(tx, room, "dark", T0))
    assert [stands.room for stands in (await board(store)).faults] == ["liuxu.int1", "liuxu.inq1"]
    await store.write(lambda tx: faults.stand(tx, rooms[1], None, T0 + 1))
    assert [stands.room for stands in (await board(store)).faults] == ["liuxu.int1"]


async def test_a_room_has_one_live_session_however_much_history_comes_late(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "ALERTS_SHOWN_MAX", WAITING_MAX)
    journal = Journal()
    day_ms = 24 * 3_600_000
    for n in range(2 * WAITING_MAX):
        journal.write("door.open", at=T0 - (50 - n) * day_ms)
    live = journal.write("door.open", at=T0)
    await store.write(lambda tx: take(tx, journal.birth(liuxu__int1__door="closed"), journal.live(live)))
    before = (await room(store)).session
    for seq in range(1, live):
        await store.write(lambda tx, seq=seq: take(tx, journal.batch(seq, seq)))
    journal.write("door.closed", at=T0 + 1)
    await store.write(lambda tx: take(tx, journal.batch(live)))
    told = select(room_session.c.id).where(room_session.c.ended_ms.is_(None))
    assert await store.read(lambda conn: [str(one) for one in conn.scalars(told)]) == [before.id]
    assert (await room(store)).session.id == before.id
    again = update(room_session).where(room_session.c.id == int(before.id) + 1).values(ended_ms=None)
    with pytest.raises(DBAPIError):
        await store.write(lambda tx: tx.conn.execute(again))


async def test_a_store_with_two_live_sessions_in_a_room_keeps_the_newest(url: str) -> None:
    def as_in_0003(tx: Transaction) -> None:
        for table in SINCE_0004:
            tx.conn.execute(text(f"DROP TABLE {table}"))
        for trigger in VIEWING_SINCE_0006 if url.startswith("postgresql") else VIEWING_SINCE_0006[:1]:
            on = " ON viewing" if url.startswith("postgresql") else ""
            tx.conn.execute(text(f"DROP TRIGGER {trigger}{on}"))
        for column in COLUMNS_SINCE_0004:
            table, _, name = column.partition(".")
            tx.conn.execute(text(f"ALTER TABLE {table} DROP COLUMN {name}"))
        tx.conn.execute(text("UPDATE alembic_version SET version_num = '0003'"))
        tx.conn.execute(text("DROP INDEX room_session_live"))
        tx.conn.execute(text("CREATE INDEX room_session_live ON room_session (room) WHERE ended_ms IS NULL"))
        opened = {"station": "liuxu", "room": "liuxu.int1", "started_ms": T0, "activity_ms": T0, "opens": 1}
        both = [{**opened, "id": number, "due_ms": T0 + 1, "max_at_ms": T0 + 1} for number in (1, 2)]
        tx.conn.execute(insert(room_session), both)

    first = Store(url)
    await first.open()
    await first.write(as_in_0003)
    await first.close()
    again = Store(url)
    await again.open()
    ended = select(room_session.c.ended_ms).order_by(room_session.c.id)
    assert await again.read(lambda conn: list(conn.scalars(ended))) == [T0, None]
    await again.close()


async def test_text_that_the_database_cannot_hold_is_refused_and_nothing_else_lost(
    store: Store, url: str
) -> None:
    def record(object_id: str):
        return store.write(lambda tx: audit.record(tx.conn, who="1", what="t", object_id=object_id, at_ms=1))

    if url.startswith("postgresql"):
        with pytest.raises(BadValue):
            await record("\x00")
        with pytest.raises(BadValue):
            await store.read(
                lambda conn: conn.scalar(select(schema.audit.c.id).where(schema.audit.c.who == "\x00"))
            )
    beyond = select(schema.audit.c.id).where(schema.audit.c.id == 2**70)
    with pytest.raises(BadValue):
        await store.read(lambda conn: conn.scalar(beyond))
    await record("o")
    assert await store.read(lambda conn: list(conn.scalars(select(schema.audit.c.object)))) == ["o"]


async def test_a_server_that_is_not_there_is_said_to_be_unavailable() -> None:
    absent = Store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        await absent.open()
    await absent.close()
