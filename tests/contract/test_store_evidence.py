"""Whether a store's evidence is sound is told the same on SQLite and on a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from central.commanding import windows
from central.commanding.schema import command
from central.errors import OtherSchema
from central.evidence import package, queries, restoration
from central.evidence.chains import Verdict
from central.evidence.package import Wish
from central.evidence.package_check import PackageCheck
from central.evidence.verify import verify
from central.ingest.readmission import readmit
from central.ingest.schema import edge_cursor, live_row
from central.patrol.schema import room_session
from central.store import audit, engines, openings
from central.store.database import Store, Transaction
from central.store.schema import event, store_identity
from central.trust import enrolment, folder
from central.trust.schema import checkpoint, edge_key, store_opening
from central.video.schema import viewing
from tests.support.county import STATIONS, T0, Journal, take
from tests.support.signed_store import BATCH_ROWS, SignedStore

ROWS = 3 * BATCH_ROWS


@pytest.fixture
async def signed(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SignedStore:
    """A store with one signed chain of liuxu."""
    monkeypatch.setattr(queries, "PAGE", 5)
    made = SignedStore(store, tmp_path / "trust-of-the-test")
    await made.enrol()
    await made.fill(journal(ROWS))
    return made


def journal(rows: int, edge: str = "liuxu", epoch: int = 7) -> Journal:
    made = Journal(edge, epoch)
    for n in range(rows):
        made.write("door.open" if n % 2 else "door.closed", f"{edge}.int1.door", at=T0 + n)
    return made


def check(url: str, edge: str | None = None, authority: bytes | None = None) -> list[Verdict]:
    engine = engines.readers(url, 1)
    told: list[tuple[int, int]] = []
    try:
        verdicts = list(verify(engine, authority, lambda done, total: told.append((done, total)), edge))
    finally:
        engine.dispose()
    assert told == sorted(told)
    return verdicts


async def tamper(url: str, store: Store, act: Callable[[Transaction], object]) -> None:
    """With the triggers off, as whoever owns the machine can have it."""
    names = ("event", "checkpoint", "edge_key")

    def do(tx: Transaction) -> None:
        for table in names:
            if url.startswith("postgresql"):
                tx.conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
                continue
            found = text(f"SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '{table}'")
            for name in list(tx.conn.scalars(found)):
                tx.conn.execute(text(f"DROP TRIGGER {name}"))
        act(tx)

    await store.write(do)


async def test_a_signed_chain_is_sound_up_to_its_head(signed: SignedStore, url: str) -> None:
    (verdict,) = check(url)
    assert (verdict.edge, verdict.epoch, verdict.rows, verdict.last) == ("liuxu", 7, ROWS, ROWS)
    assert (verdict.signed, verdict.bad_seq, verdict.hash) == (ROWS, None, journal(ROWS).hashes[-1].hex())


async def test_rows_that_came_by_the_live_lane_first_are_sound(signed: SignedStore, url: str) -> None:
    longer = journal(ROWS + 2)
    await signed.store.write(lambda tx: take(tx, longer.live(ROWS + 2)))
    assert [verdict.bad_seq for verdict in check(url)] == [None]
    await signed.fill(longer, ROWS + 1)
    (verdict,) = check(url)
    assert (verdict.bad_seq, verdict.last) == (None, ROWS + 2)


TAMPERED = {
    "edited row": (
        lambda tx: tx.conn.execute(update(event).where(event.c.seq == 7).values(row=b"{}")), 7, "is no row",
    ),
    "deleted row": (
        lambda tx: tx.conn.execute(delete(event).where(event.c.seq == 6)), 6, "is missing: the next row is 7",
    ),
    "truncated": (
        lambda tx: tx.conn.execute(delete(event).where(event.c.seq > 9)), 10, "the edge signed rows up to 12",
    ),
    "truncated, checkpoints and all": (
        lambda tx: [tx.conn.execute(delete(table).where(table.c.seq > 8)) for table in (event, checkpoint)],
        9, "the cursor says that rows were stored up to 12",
    ),
    "truncated to nothing": (
        lambda tx: [tx.conn.execute(delete(table)) for table in (event, edge_cursor)],
        1, "the edge signed rows up to 12",
    ),
    "moved cursor": (
        lambda tx: tx.conn.execute(update(edge_cursor).values(seq=9)), 10, "the cursor stands before it",
    ),
    "left in the live lane": (
        lambda tx: tx.conn.execute(insert(live_row).values(
            edge="liuxu", epoch=7, seq=5, hash="0" * 64, received_ms=T0, row=b"{}", forked=False)),
        5, "still waits for it in the live lane",
    ),
    "row in another room": (
        lambda tx: tx.conn.execute(update(event).where(event.c.seq == 3).values(point="liuxu.inq1.door")),
        3, "is filed under point liuxu.inq1.door",
    ),
    "signature": (
        lambda tx: tx.conn.execute(update(checkpoint).where(checkpoint.c.seq == 8).values(sig="0" * 128)),
        8, "its key did not sign",
    ),
    "removed key": (lambda tx: tx.conn.execute(delete(edge_key)), 4, "was never this edge's"),
}  # fmt: skip


@pytest.mark.parametrize(("act", "seq", "words"), TAMPERED.values(), ids=TAMPERED)
async def test_tampering_is_found_at_its_row(
    signed: SignedStore, url: str, act: Callable[[Transaction], object], seq: int, words: str
) -> None:
    await tamper(url, signed.store, act)
    (verdict,) = check(url)
    assert verdict.bad_seq == seq
    assert words in verdict.fault


async def test_a_key_that_the_county_gave_no_certificate_signs_nothing(
    signed: SignedStore, url: str, tmp_path: Path
) -> None:
    """Whoever can write into the store can put a key of his own there: the county's certificate tells."""
    assert check(url, authority=signed.keyring.ca_pem)[0].bad_seq is None
    folder.make(tmp_path / "another", [], "", T0)
    (verdict,) = check(url, authority=(tmp_path / "another" / "ca.pem").read_bytes())
    assert verdict.bad_seq == BATCH_ROWS
    assert "whose certificate was not issued by this authority" in verdict.fault


async def test_a_package_is_made_of_either_database(signed: SignedStore, tmp_path: Path) -> None:
    wish = Wish(1, "console", "a test", signed.made_ms)
    made = await signed.store.read(
        lambda conn: package.build(
            conn,
            stations=STATIONS,
            keyring=signed.keyring,
            wish=wish,
            fresh=tmp_path / "alert-1",
            tell=lambda _done, _total: None,
        )
    )
    steps = list(PackageCheck(tmp_path / "alert-1", signed.keyring.ca_pem).run())
    assert [step.fault for step in steps] == [None] * 7
    assert f"1 to {ROWS} recomputed, the last signed by the edge, {ROWS} of them" in steps[-1].what
    assert made.room == "liuxu.int1"


async def test_each_chain_is_told_of_by_itself(signed: SignedStore, url: str) -> None:
    await signed.enrol("linhu")
    await signed.fill(journal(6, "linhu", 3))
    await tamper(url, signed.store, lambda tx: tx.conn.execute(delete(event).where(event.c.seq == 5)))
    assert [(verdict.edge, verdict.bad_seq) for verdict in check(url)] == [("linhu", 5), ("liuxu", 5)]
    assert [verdict.edge for verdict in check(url, "liuxu")] == ["liuxu"]


@pytest.mark.parametrize("way", ["readmitted", "enrolled"])
async def test_a_chain_that_another_took_over_from_still_has_its_end(
    signed: SignedStore, url: str, way: str
) -> None:
    def begin_anew(tx: Transaction) -> None:
        if way == "readmitted":
            readmit(tx, "liuxu", 8, "console", T0, reason="new disk")
        else:
            enrolment._admit(tx.conn, "liuxu", 8, T0)

    await signed.store.write(begin_anew)
    await signed.fill(journal(4, epoch=8))
    assert [(verdict.epoch, verdict.bad_seq) for verdict in check(url)] == [(7, None), (8, None)]
    cut = {event: (7, 10), checkpoint: (7, 10)}
    await tamper(
        url,
        signed.store,
        lambda tx: [
            tx.conn.execute(delete(table).where(table.c.epoch == epoch, table.c.seq > seq))
            for table, (epoch, seq) in cut.items()
        ],
    )
    assert [(verdict.epoch, verdict.bad_seq) for verdict in check(url)] == [(7, 11), (8, None)]


async def test_rows_that_the_edge_had_no_more_are_stepped_over(signed: SignedStore, url: str) -> None:
    detail = {"epoch": 7, "first": 5, "last": 8, "hash": journal(ROWS).hashes[8].hex()}
    between = [table.c.seq.between(5, 8) for table in (event, checkpoint)]
    await tamper(
        url,
        signed.store,
        lambda tx: [
            tx.conn.execute(delete(table).where(where))
            for table, where in zip((event, checkpoint), between, strict=True)
        ],
    )
    assert [verdict.bad_seq for verdict in check(url)] == [5]
    await signed.store.write(
        lambda tx: audit.record(
            tx.conn, who="system", what=queries.SKIPPED, object_id="liuxu", at_ms=T0, detail=detail
        )
    )
    (verdict,) = check(url)
    assert (verdict.bad_seq, verdict.rows, verdict.skipped) == (None, ROWS - 4, 4)


async def test_a_store_of_another_release_is_not_judged(signed: SignedStore, url: str) -> None:
    await signed.store.write(
        lambda tx: tx.conn.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    )
    with pytest.raises(OtherSchema, match="0005"):
        check(url)


async def test_what_is_kept_as_evidence_does_not_go_by_mistake(signed: SignedStore) -> None:
    def looked(tx: Transaction) -> None:
        session = {"station": "liuxu", "room": "liuxu.int1", "started_ms": T0, "activity_ms": T0, "opens": 1}
        tx.conn.execute(insert(room_session).values(**session, id=99, due_ms=T0, max_at_ms=T0, ended_ms=T0))
        openings.record(tx.conn, at_ms=T0, instance="a", reason="start")
        look = {"person_id": "1", "person_name": "陈静", "room": "liuxu.int1", "from_ms": T0, "until_ms": T0}
        tx.conn.execute(insert(viewing).values(**look, presented_ms=0))

    await signed.store.write(looked)
    for statement, words in (
        (delete(edge_key), "edge_key is never removed"),
        (delete(viewing), "viewing is never removed"),
        (update(checkpoint).values(sig="0"), "checkpoint is append-only"),
        (delete(checkpoint), "checkpoint keeps the newest"),
        (update(store_opening).values(reason="x"), "store_opening is append-only"),
        (delete(store_opening), "store_opening is append-only"),
    ):
        with pytest.raises(DBAPIError, match=words):
            await signed.store.write(lambda tx, statement=statement: tx.conn.execute(statement))
    await signed.store.write(lambda tx: tx.conn.execute(delete(checkpoint).where(checkpoint.c.seq < ROWS)))
    await signed.store.write(lambda tx: tx.conn.execute(update(viewing).values(presented_ms=5)))


async def test_a_restored_store_keeps_what_was_revoked_and_sends_no_command_again(
    signed: SignedStore, store: Store
) -> None:
    def was_given(tx: Transaction) -> None:
        given = {
            "edge": "liuxu",
            "action": "open_slot",
            "args": "{}",
            "made_ms": T0,
            "who": "1",
            "reason": "",
            "detail": "",
        }
        states = ("waiting", "sent", "done")
        tx.conn.execute(insert(command), [{**given, "id": state, "state": state} for state in states])
        windows.begin(tx, "liuxu", for_s=3_600, who="1", reason="", now_ms=T0)

    def go_on(tx: Transaction) -> None:
        newer = [{**key, "revoked_ms": T0 + 1, "reason": "stolen"} for key in restoration.keys_in(tx.conn)]
        newer.append({**newer[0], "id": 2, "public": "ab" * 32, "revoked_ms": None, "reason": "new box"})
        restoration.settle(tx.conn, who="console", now_ms=T0 + 2, keys=newer, detail={"file": "monday.db"})

    await store.write(was_given)
    await store.write(go_on)
    keys = await store.read(
        lambda conn: [(key["revoked_ms"], key["reason"]) for key in restoration.keys_in(conn)]
    )
    assert keys == [(T0 + 1, "stolen"), (None, "new box")]
    states = await store.read(lambda conn: set(conn.scalars(select(command.c.state))))
    assert states == {"unanswered", "done"}
    assert await store.read(lambda conn: windows.running(conn, "liuxu", T0 + 3)) is None
    assert await store.read(lambda conn: list(conn.scalars(select(store_opening.c.reason)))) == ["restore"]
    epoch = await store.read(lambda conn: conn.scalar(select(store_identity.c.epoch)))
    assert epoch != store.epoch
