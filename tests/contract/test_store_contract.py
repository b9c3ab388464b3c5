"""What every store promises, the same on SQLite and on a real PostgreSQL."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

import central
from central.board_model import Person
from central.errors import Conflict, NewerSchema, StoreUnavailable
from central.patrol import queries
from central.patrol.clockwork import Clockwork
from central.patrol.desk import Desk, ReviewForm
from central.patrol.schema import alert_event, fault, review
from central.patrol.supervision import Supervision
from central.store import audit, board_changes, events, schema
from central.store.board_changes import Cause
from central.store.database import Change, Store, Transaction
from central.store.events import NewEvent
from tests.support.county import RULES, STATIONS, T0, Journal, take
from tests.support.postgres import find_binaries, running_server

ONE = Person("1", "陈静")
TWO = Person("2", "刘洋")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: that the store works the same on it was not shown")
    with running_server(binaries) as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/central/casewatch.db"
    address: str = request.getfixturevalue("postgres_url")
    engine = create_engine(address)
    with engine.begin() as conn:
        conn.execute(text("DROP SCHEMA public CASCADE"))
        conn.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return address


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    made = Store(url)
    await made.open()
    yield made
    await made.close()


async def open_door(store: Store, journal: Journal | None = None) -> str:
    """A door opened: the id of its alert."""
    journal = journal or Journal()
    first = journal.write("door.open", at=T0 - 40)
    await store.write(lambda tx: take(tx, journal.birth(liuxu__int1__door="open"), journal.batch(first)))
    alerts, _ = await store.read(lambda conn: queries.list_alerts(conn, None, None, 1))
    return alerts[0].id


async def board(store: Store) -> queries.Board:
    return await store.read(lambda conn: queries.snapshot(conn, STATIONS))


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

    def page(after: int, points=None):
        return store.read(lambda conn: events.list_events(conn, after, 2, points))

    first, after = await page(0)
    rest, end = await page(after)
    last, none = await page(end)
    assert [bytes(one.row) for one in (*first, *rest, *last)] == journal.rows
    assert none is None
    of_room, _ = await page(0, ["liuxu.int1.door"])
    assert [one.seq for one in of_room] == [2, 4]
    newest = await store.read(lambda conn: events.last_events(conn, 2))
    assert [one.seq for one in newest] == [4, 5]
    newest = await store.read(lambda conn: events.last_events(conn, 1, ["liuxu.int1.door"]))
    assert [one.seq for one in newest] == [4]


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
    clockwork = Clockwork(again, STATIONS, RULES, Supervision())
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


async def test_a_server_that_is_not_there_is_said_to_be_unavailable() -> None:
    absent = Store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        await absent.open()
    await absent.close()
