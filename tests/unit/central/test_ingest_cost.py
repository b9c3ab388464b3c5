"""What a group of a backlog costs: counted in statements, which no busy machine can change."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import event

from central.ingest.intake import Arrival, Intake
from central.ingest.pipeline import LANE_SHARE
from central.patrol.places import Places
from central.settings import Rules
from central.store.database import Change, Store, Transaction
from contract.limits import BATCH_MAX_ROWS
from contract.messages import Batch, Birth, decode
from edge.journal_file import StoredRow
from tests.support.drain import NOW_MS, ROOMS, backlog, batches, birth, station

STATEMENTS_MAX = 28
"""Of a group of history, whatever its rows: each table is read once and written once. It takes 18 to 20."""

GROUPS = 4


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await made.open()
    yield made
    await made.close()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[StoredRow]:
    return backlog(tmp_path_factory.mktemp("edge"), GROUPS * LANE_SHARE * BATCH_MAX_ROWS)


async def take(store: Store, messages: Sequence[Batch | Birth]) -> list[str]:
    """Lets a group have its effect. Returns the statements it took."""
    statements: list[str] = []

    def note(_conn, _cursor, statement: str, *_rest) -> None:
        statements.append(statement)

    def work(tx: Transaction) -> None:
        intake = Intake(tx, Places((station(),)), Rules())
        for message in messages:
            intake.take(Arrival(message, NOW_MS, 0.0))
        assert intake.finish().refused == []

    event.listen(store._write_engine, "before_cursor_execute", note)
    await store.write(work)
    event.remove(store._write_engine, "before_cursor_execute", note)
    return statements


async def test_a_group_of_a_backlog_reads_and_writes_each_table_once(
    store: Store, rows: list[StoredRow]
) -> None:
    log = [decode(Batch, raw) for raw in batches(rows)]
    await take(store, [decode(Birth, birth(rows))])
    for start in range(0, len(log), LANE_SHARE):
        statements = await take(store, log[start : start + LANE_SHARE])
        assert len(statements) <= STATEMENTS_MAX, "\n".join(statements)


async def test_the_board_is_told_of_each_room_and_alert_once_a_group(
    store: Store, rows: list[StoredRow]
) -> None:
    told: list[list[Change]] = []
    store.listener = told.append
    await take(store, [decode(Batch, raw) for raw in batches(rows)[:LANE_SHARE]])
    await store.write(lambda _tx: None)
    (changes,) = told
    assert len([change for change in changes if change.kind == "room"]) == ROOMS
    alerts = [msgspec.json.decode(change.entity)["id"] for change in changes if change.kind == "alert"]
    assert len(alerts) == len(set(alerts)) > 0
