"""The pipeline on a real store, with a publisher that only remembers: what is answered, and when."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from central.errors import BadValue, StoreUnavailable
from central.ingest.pipeline import WAITING_MAX, Ingest
from central.ingest.refusals import refused_total
from central.patrol import queries
from central.patrol.clockwork import Clockwork
from central.patrol.schema import alert_event
from central.patrol.supervision import Supervision
from central.store import events
from central.store.database import Change, Store
from central.store.schema import event
from contract import messages, topics
from contract.limits import SILENCE_AFTER_S
from contract.messages import Nak, Receipt
from tests.support.county import DOOR, RULES, STATIONS, T0, Journal, wire


class Centre:
    """Store and pipeline, and everything that left them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.published: list[tuple[str, bytes]] = []
        self.changes: list[Change] = []
        self.supervision = Supervision()
        self.ingest = Ingest(store, STATIONS, RULES, self.supervision, self._publish)
        store.listener = self.changes.extend
        self.now_ms = T0

    def _publish(self, topic: str, payload: bytes) -> None:
        self.published.append((topic, payload))

    def hear(self, *sent) -> None:
        for message in sent:
            self.ingest.receive(*wire(message), self.now_ms, 0.0)

    async def settle(self) -> None:
        """Until everything that waits is stored and answered: writes are done one after the other."""
        while self.ingest._urgent or self.ingest._log:
            await self.store.write(lambda tx: None)
        await self.store.write(lambda tx: None)

    async def answers(self) -> list[Receipt | Nak]:
        await self.settle()
        out, self.published = self.published, []
        return [
            messages.decode(Receipt if topic.endswith("receipt") else Nak, payload) for topic, payload in out
        ]

    async def board(self) -> queries.Board:
        return await self.store.read(lambda conn: queries.snapshot(conn, STATIONS))

    async def stored(self) -> list[bytes]:
        page, _ = await self.store.read(lambda conn: events.list_events(conn, 0, 1_000))
        return [bytes(one.row) for one in page]


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    made = Centre(store)
    task = asyncio.create_task(made.ingest.run(), name="ingest")
    yield made
    task.cancel()
    await asyncio.wait([task])
    await store.close()


@pytest.fixture
def journal() -> Journal:
    made = Journal()
    made.write("door.open", at=T0 - 50, was="closed")
    made.write("door.closed", at=T0 - 20, was="open")
    return made


def refused(code: str) -> float:
    return refused_total.labels(code)._value.get()


async def test_rows_are_stored_byte_for_byte_and_the_receipt_names_the_last(
    centre: Centre, journal: Journal
) -> None:
    centre.hear(journal.batch())
    (receipt,) = await centre.answers()
    assert isinstance(receipt, Receipt)
    assert (receipt.epoch, receipt.seq, receipt.hash) == (7, 2, journal.hashes[2].hex())
    assert await centre.stored() == journal.rows


async def test_a_receipt_is_withheld_until_the_commit(centre: Centre, journal: Journal) -> None:
    committed_at_answer: list[int] = []

    def look(_topic: str, _payload: bytes) -> None:
        with centre.store._read_engine.begin() as conn:
            committed_at_answer.append(conn.scalar(select(func.count()).select_from(event)))

    centre.ingest._publish = look
    centre.hear(journal.batch())
    await centre.settle()
    assert committed_at_answer == [2]


async def test_a_message_that_the_store_cannot_hold_is_refused_alone(
    centre: Centre, journal: Journal
) -> None:
    real = centre.ingest._take

    def take(group, tx):
        if any(arrival.message.edge == "linhu" for arrival in group):
            raise BadValue("no such text")
        return real(group, tx)

    centre.ingest._take = take
    before = refused("store.bad_value")
    centre.hear(Journal("linhu").birth(), journal.birth(), journal.batch())
    async with asyncio.timeout(10):
        while not centre.published:
            await centre.settle()
    assert await centre.stored() == journal.rows
    assert refused("store.bad_value") == before + 1
    assert set(centre.supervision._heard_mono) == {"liuxu"}


async def test_beats_that_wait_for_a_slow_store_are_no_silence(centre: Centre) -> None:
    journal = Journal()

    def at(mono_s: float, *sent) -> None:
        for message in sent:
            centre.ingest.receive(*wire(message), T0, mono_s)

    clockwork = Clockwork(centre.store, STATIONS, RULES, centre.supervision, lambda: T0)
    at(0.0, journal.birth(), Journal("linhu").birth())
    await centre.settle()
    is_written = threading.Event()
    stall = asyncio.create_task(centre.store.write(lambda tx: is_written.wait(10)))
    at(5.0, journal.beat())
    await asyncio.sleep(0)
    at(20.0, journal.beat())
    await clockwork.tick(T0, 40.0)
    is_written.set()
    await stall
    await centre.settle()
    assert (await centre.board()).faults == []
    await clockwork.tick(T0, 20.0 + SILENCE_AFTER_S)
    links = {station.id: station.link for station in (await centre.board()).stations}
    assert links == {"liuxu": "online", "linhu": "lost"}
    await clockwork.tick(T0, 20.1 + SILENCE_AFTER_S)
    assert (await centre.board()).stations[0].link == "lost"


def test_silence_is_judged_up_to_what_was_taken_in_however_much_waits() -> None:
    supervision = Supervision()
    supervision.heard("liuxu", 0.0)
    supervision.unheard(SILENCE_AFTER_S)
    assert supervision.silent(100.0) == []
    assert supervision.wait_s(100.0, 1.0) == pytest.approx(0.1), "no hurry"
    supervision.unheard(SILENCE_AFTER_S + 0.1)
    assert supervision.silent(100.0) == ["liuxu"]


async def test_a_store_that_cannot_be_written_answers_nothing(centre: Centre, journal: Journal) -> None:
    real = centre.store.write
    tried = asyncio.Event()

    async def full(_work):
        tried.set()
        raise StoreUnavailable("disk full")

    centre.store.write = full
    with capture_logs() as logs:
        for _ in range(3):
            tried.clear()
            centre.hear(journal.batch())
            await tried.wait()
    assert [entry["event"] for entry in logs] == ["store_lost"]
    centre.store.write = real
    assert await centre.answers() == []
    centre.hear(journal.batch())
    assert [answer.seq for answer in await centre.answers()] == [2]


async def test_rows_sent_again_change_nothing_and_are_receipted_again(
    centre: Centre, journal: Journal
) -> None:
    centre.hear(journal.batch())
    await centre.settle()
    before = await centre.board()
    centre.hear(journal.batch(), journal.batch(1, 1), journal.batch(2, 2))
    assert [answer.seq for answer in await centre.answers()][-1] == 2
    assert await centre.board() == before
    assert await centre.stored() == journal.rows


async def test_a_gap_is_named_and_nothing_of_it_is_stored(centre: Centre, journal: Journal) -> None:
    journal.write("door.open", at=T0)
    centre.hear(journal.batch(3, 3))
    (nak,) = await centre.answers()
    assert isinstance(nak, Nak)
    assert (nak.first, nak.last) == (1, 3)
    assert await centre.stored() == []


async def test_a_fork_is_a_fault_and_trims_nothing(centre: Centre, journal: Journal) -> None:
    centre.hear(journal.batch())
    await centre.answers()
    before = refused("contract.forked")
    centre.hear(journal.fork_at(2).batch(2, 2))
    assert await centre.answers() == []
    assert [(fault.kind, fault.station) for fault in (await centre.board()).faults] == [("forked", "liuxu")]
    assert refused("contract.forked") == before + 1
    assert await centre.stored() == journal.rows


async def test_another_journal_is_a_fault_until_the_right_one_is_back(
    centre: Centre, journal: Journal
) -> None:
    centre.hear(journal.birth(), journal.batch())
    await centre.answers()
    stranger = Journal(epoch=8)
    stranger.write("door.open")
    centre.hear(stranger.birth(), stranger.batch(), stranger.beat())
    assert await centre.answers() == []
    assert [fault.kind for fault in (await centre.board()).faults] == ["epoch_unknown"]
    assert await centre.stored() == journal.rows
    centre.hear(journal.birth())
    await centre.settle()
    assert (await centre.board()).faults == []


async def test_several_waiting_batches_share_a_commit_and_a_receipt(centre: Centre, journal: Journal) -> None:
    for n in range(200):
        journal.write("door.open" if n % 2 else "door.closed", at=T0 + n)
    centre.hear(journal.batch(1, 64), journal.batch(65, 128), journal.batch(129, 192), journal.batch(193))
    assert [answer.seq for answer in await centre.answers()] == [202]
    assert await centre.stored() == journal.rows


async def test_a_live_row_is_shown_at_once_and_its_mark_goes_when_the_log_reaches_it(
    centre: Centre, journal: Journal
) -> None:
    journal.write("door.open", at=T0)
    centre.hear(journal.live(3))
    await centre.settle()
    (alert,) = (await centre.board()).alerts
    assert (alert.chain_pending, alert.opens, alert.edge_ms) == (True, 1, T0)
    assert await centre.stored() == []
    centre.now_ms = T0 + 500
    centre.hear(journal.batch())
    await centre.settle()
    (alert,) = (await centre.board()).alerts
    assert (alert.chain_pending, alert.opens) == (False, 2)
    page, _ = await centre.store.read(lambda conn: events.list_events(conn, 0, 10))
    assert [one.received_ms - T0 for one in page] == [500, 500, 0]


async def test_the_mark_of_a_live_row_goes_too_when_the_log_comes_in_the_same_group(
    centre: Centre, journal: Journal
) -> None:
    """Seed 5075 of the simulated schedules: 链待核 stood for ever."""
    journal.write("door.open", at=T0)
    centre.hear(journal.live(3), journal.batch())
    await centre.settle()
    assert [alert.chain_pending for alert in (await centre.board()).alerts] == [False]


async def test_a_live_row_that_the_log_contradicts_stays_marked_and_is_a_fork(
    centre: Centre, journal: Journal
) -> None:
    journal.write("door.open", at=T0)
    centre.hear(journal.fork_at(3).live(3))
    centre.hear(journal.batch())
    await centre.settle()
    board = await centre.board()
    assert [alert.chain_pending for alert in board.alerts] == [True]
    assert [fault.kind for fault in board.faults] == ["forked"]
    assert await centre.stored() == journal.rows


async def test_a_live_row_after_its_log_row_and_sent_twice_has_no_second_effect(
    centre: Centre, journal: Journal
) -> None:
    journal.write("door.open", at=T0)
    centre.hear(journal.live(3), journal.live(3), journal.batch(), journal.live(3))
    await centre.settle()
    assert [alert.opens for alert in (await centre.board()).alerts] == [2]
    told = select(func.count()).select_from(alert_event).where(alert_event.c.kind == "raised")
    assert await centre.store.read(lambda conn: conn.scalar(told)) == 1


async def test_each_place_is_shown_once_a_group_and_names_the_newest_row_it_comes_from(
    centre: Centre, journal: Journal
) -> None:
    journal.write("door.open", "liuxu.inq1.door", at=T0 - 10)
    centre.hear(journal.batch())
    await centre.settle()
    causes = [(change.kind, change.cause.seq, change.cause.at) for change in centre.changes]
    assert sorted(causes) == [
        (kind, seq, at) for kind in ("alert", "room") for seq, at in ((2, T0 - 20), (3, T0 - 10))
    ]
    shown = [msgspec.json.decode(c.entity) for c in centre.changes if c.kind == "room"]
    assert [(room["door"], room["session"]["opens"]) for room in shown] == [("unknown", 1), ("unknown", 1)]
    assert [change.seq for change in centre.changes] == list(range(1, len(centre.changes) + 1))


async def test_a_late_row_joins_the_use_it_belongs_to_however_many_newer_ones_wait(centre: Centre) -> None:
    hour_ms = 3_600_000
    journal = Journal()
    journal.write("door.open", at=T0 - 9 * hour_ms)
    journal.write("door.closed", at=T0 - 9 * hour_ms + 1_000)
    journal.write("door.open", at=T0 - 9 * hour_ms + 60_000)
    for hours in (6, 3, 0):
        journal.write("door.open", at=T0 - hours * hour_ms - 1_000)
        journal.write("door.closed", at=T0 - hours * hour_ms)
    centre.hear(journal.batch(1, 2))
    await centre.settle()
    for seq in range(4, 10):
        centre.hear(journal.live(seq))
        await centre.settle()
    centre.hear(journal.batch(3))
    await centre.settle()
    assert [alert.opens for alert in (await centre.board()).alerts] == [1, 1, 1, 2]


async def test_a_flood_of_rubbish_is_counted_logged_once_and_disturbs_nobody(
    centre: Centre, journal: Journal
) -> None:
    names = ("malformed", "too_large", "unknown_edge", "unknown_topic", "wrong_sender", "chain_broken")
    before = {name: refused(f"contract.{name}") for name in names}
    log_topic = topics.up("liuxu", topics.Up.LOG)
    strange = Journal("nowhere")
    strange.write("door.open")
    broken = msgspec.structs.replace(journal.batch(), head="0" * 64)
    with capture_logs() as logs:
        for n in range(100):
            for topic, payload in (
                (log_topic, b"{" * 50),
                (log_topic, b"x" * 300_000),
                wire(strange.batch()),
                ("casewatch/1/liuxu/up/else", b"{}"),
                (log_topic, messages.encode(strange.batch())),
            ):
                centre.ingest.receive(topic, payload, T0 + n, 0.0)
            centre.hear(broken)
            await centre.settle()
        neighbour = Journal("linhu")
        neighbour.write("door.open", "linhu.int1.door")
        centre.hear(neighbour.batch(), journal.batch())
        answers = await centre.answers()
    assert {name: refused(f"contract.{name}") - before[name] for name in names} == dict.fromkeys(names, 100)
    told = [(entry["edge"], entry["code"]) for entry in logs if entry["event"] == "edge_message_refused"]
    assert len(told) == len(set(told)) == len(names)
    assert {(answer.edge, answer.seq) for answer in answers} == {("linhu", 1), ("liuxu", 2)}


async def test_one_edges_flood_of_good_messages_leaves_room_for_the_others(
    centre: Centre, journal: Journal
) -> None:
    neighbour = Journal("linhu")
    neighbour.write("door.open", "linhu.int1.door")
    before = refused("ingest.overrun")
    centre.hear(*[journal.batch()] * (WAITING_MAX + 40), neighbour.batch())
    answers = await centre.answers()
    assert refused("ingest.overrun") - before == 40
    assert ("linhu", 1) in {(answer.edge, answer.seq) for answer in answers}


async def test_a_live_row_overtakes_the_backlog_that_waits(centre: Centre, journal: Journal) -> None:
    for n in range(64 * 12):
        journal.write("door.open" if n % 2 else "door.closed", "liuxu.inq1.door", at=T0 + n)
    journal.write("door.open", DOOR, at=T0)
    for first in range(1, 64 * 12, 64):
        centre.hear(journal.batch(first, first + 63))
    centre.hear(journal.live())
    await centre.settle()
    rooms = [msgspec.json.decode(change.entity)["id"] for change in centre.changes if change.kind == "room"]
    assert 0 <= rooms.index("liuxu.int1") < 4 * 64


@pytest.mark.parametrize("change", [{"session": -1}, {"session": 2**70}])
async def test_a_count_that_no_store_could_hold_is_refused(
    centre: Centre, journal: Journal, change: dict[str, int]
) -> None:
    before = refused("contract.malformed")
    for message in (journal.birth(), journal.beat(), journal.goodbye()):
        centre.hear(msgspec.structs.replace(message, **change))
    centre.hear(msgspec.structs.replace(journal.beat(), queued=2**64))
    await centre.settle()
    assert refused("contract.malformed") - before == 4
    assert (await centre.board()).stations[0].link == "never"


async def test_refusals_are_shown_at_the_station(centre: Centre) -> None:
    centre.ingest.receive(topics.up("liuxu", topics.Up.LOG), b"{", T0, 0.0)
    await centre.ingest._show_refused()
    assert [station.refused for station in (await centre.board()).stations] == [1, 0]


async def test_an_edge_may_not_speak_of_another_stations_doors(centre: Centre) -> None:
    liar = Journal("linhu")
    liar.write("door.open", DOOR)
    centre.hear(liar.batch(), liar.birth(liuxu__int1__door="open"))
    await centre.settle()
    board = await centre.board()
    assert board.alerts == []
    assert [room.door for room in board.rooms if room.id == "liuxu.int1"] == ["unknown"]
    assert await centre.stored() == liar.rows


async def test_a_birth_is_answered_with_what_is_durable(centre: Centre, journal: Journal) -> None:
    centre.hear(journal.birth())
    assert await centre.answers() == []
    centre.hear(journal.batch())
    await centre.answers()
    centre.hear(journal.birth())
    assert [answer.seq for answer in await centre.answers()] == [2]


async def test_the_last_word_of_a_group_says_whether_silence_is_awaited(
    centre: Centre, journal: Journal
) -> None:
    clockwork = Clockwork(centre.store, STATIONS, RULES, centre.supervision, lambda: T0)
    centre.hear(journal.birth())
    await centre.settle()
    centre.hear(journal.goodbye(), journal.birth(), journal.beat())
    await centre.settle()
    assert (await centre.board()).stations[0].link == "online"
    await clockwork.tick(T0, SILENCE_AFTER_S + 1.0)
    assert (await centre.board()).stations[0].link == "lost"
    centre.hear(journal.beat(), journal.goodbye())
    await centre.settle()
    assert centre.supervision.silent(SILENCE_AFTER_S + 1.0) == []


async def test_beats_and_births_are_signs_of_life_and_those_of_an_older_session_are_not(
    centre: Centre, journal: Journal
) -> None:
    journal.session = 5
    centre.ingest.receive(*wire(journal.birth()), T0, 100.0)
    await centre.settle()
    assert centre.supervision.silent(114.0) == []
    assert centre.supervision.silent(116.0) == ["liuxu"]
    journal.session = 4
    centre.ingest.receive(*wire(journal.beat()), T0, 116.0)
    await centre.settle()
    assert centre.supervision.silent(117.0) == ["liuxu"]


async def test_a_store_that_was_away_makes_nobody_silent(centre: Centre, journal: Journal) -> None:
    now_s = asyncio.get_running_loop().time()
    centre.ingest.receive(*wire(journal.birth()), T0, now_s - 20.0)
    await centre.settle()
    assert centre.supervision.silent(now_s) == ["liuxu"]
    real, tried = centre.store.write, asyncio.Event()

    async def full(_work):
        tried.set()
        raise StoreUnavailable("disk full")

    centre.store.write = full
    centre.ingest.receive(*wire(journal.beat()), T0, now_s)
    await tried.wait()
    centre.store.write = real
    await centre.settle()
    assert centre.supervision.silent(now_s + SILENCE_AFTER_S - 1.0) == []
    assert centre.supervision.silent(now_s + SILENCE_AFTER_S + 5.0) == ["liuxu"]


async def test_a_goodbye_that_is_said_again_takes_no_station_away(centre: Centre, journal: Journal) -> None:
    """Seed 1248 of the simulated schedules: whoever kept a last will could have its station lost at will."""
    goodbye = journal.goodbye("will")
    centre.hear(journal.birth(), goodbye)
    await centre.settle()
    assert (await centre.board()).stations[0].link == "lost"
    centre.hear(journal.beat())
    centre.hear(goodbye)
    await centre.settle()
    assert (await centre.board()).stations[0].link == "online"
    centre.hear(journal.goodbye("will"))
    await centre.settle()
    assert (await centre.board()).stations[0].link == "lost"
