"""Commands and maintenance at the centre, the same on SQLite and on a real PostgreSQL."""

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from central.commanding import queries, requests, windows
from central.commanding.requests import Order
from central.commanding.sending import (
    ANSWER_GRACE_MS,
    SEND_AGAIN_MS,
    VALID_ELSE_S,
    WAIT_MAX_MS,
    Sending,
    settle,
)
from central.commanding.states import OPEN, TRANSITIONS, State
from central.errors import Refused
from central.patrol.places import Places
from central.store import schema
from central.store.database import Store
from contract import messages
from contract.keys import Signer
from contract.messages import Action, Command
from contract.signing import check_signature
from tests.support.county import STATIONS, T0, Journal, take

LOCK = "liuxu.cab1.s01.lock"
WHO = ("7", "测试民警007")
PLACES = Places(STATIONS)
ORDER = Order("action-1", "liuxu", "open_slot", LOCK, "归还案卷")


@dataclass
class Bench:
    """A store, one edge that beats, and all that was published to it."""

    store: Store
    signer: Signer | None = None
    journal: Journal = field(default_factory=Journal)
    published: list[Command] = field(default_factory=list)
    now_ms: int = T0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Another process of the centre on the same store."""

        def publish(topic: str, payload: bytes) -> None:
            assert topic == "casewatch/1/liuxu/down/command"
            self.published.append(messages.decode(Command, payload))

        self.sending = Sending(self.store, publish, lambda: self.now_ms, self.signer)

    async def hear(self, *sent) -> None:
        await self.store.write(lambda tx: take(tx, *sent, now_ms=self.now_ms))

    async def beat(self, number: int = 1) -> None:
        beat = replace(self.journal.beat(), beat=number)
        await self.hear(self.journal.birth(), beat)

    async def order(self, asked: Order = ORDER) -> queries.Given:
        return await self.store.write(lambda tx: requests.order(tx, PLACES, asked, WHO, self.now_ms))

    async def tick(self, later_ms: int = 0) -> None:
        self.now_ms += later_ms
        await self.sending.tick(self.now_ms)

    async def row(self, kind: str, **data) -> None:
        seq = self.journal.write(kind, None, **data)
        await self.hear(self.journal.batch(seq))

    async def states(self) -> list[tuple[str, str]]:
        """Oldest first: state and detail of every command."""
        found = await self.store.read(lambda conn: queries.list_commands(conn, None, None, 100))
        return [(one.state.value, one.detail) for one in reversed(found)]

    async def begin(self, for_s: int = 7_200) -> windows.Window:
        return await self.store.write(
            lambda tx: requests.begin_maintenance(
                tx, PLACES, "liuxu", for_s=for_s, reason="换锁板", who=WHO, now_ms=self.now_ms
            )
        )

    async def end(self, window_id: int) -> windows.Window | None:
        return await self.store.write(
            lambda tx: requests.end_maintenance(tx, window_id, reason="完工", who=WHO, now_ms=self.now_ms)
        )


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


async def test_an_order_goes_out_with_the_newest_beat_of_the_edges_present_start(bench: Bench) -> None:
    await bench.beat(12)
    given = await bench.order()
    await bench.tick()
    (sent,) = bench.published
    assert (sent.id, sent.edge, sent.action, sent.point) == (given.id, "liuxu", Action.OPEN_SLOT, LOCK)
    assert (sent.session, sent.beat, sent.valid_s) == (1, 12, VALID_ELSE_S)
    assert await bench.states() == [("sent", "")]


async def test_what_is_sent_is_signed_by_the_centre(store: Store) -> None:
    bench = Bench(store, signer=Signer.new())
    await bench.beat()
    await bench.order()
    await bench.tick()
    check_signature(bench.published[0], bench.signer.public)


async def test_two_workers_claim_a_command_once(bench: Bench) -> None:
    await bench.beat(3)
    await bench.order()
    other = Store(bench.store._write_engine.url.render_as_string(hide_password=False))
    await other.open()
    first, second = await asyncio.gather(
        bench.store.write(lambda tx: settle(tx, T0)), other.write(lambda tx: settle(tx, T0 + 1))
    )
    assert [one.id for one in first] == [one.id for one in second]
    assert first[0].sent_ms == second[0].sent_ms, "one claimed it, the other found it claimed"
    await other.close()


async def test_after_a_restart_of_the_centre_it_is_the_same_command_and_no_younger(bench: Bench) -> None:
    await bench.beat(3)
    await bench.order()
    await bench.tick()
    await bench.beat(9)
    bench.restart()
    await bench.tick(1_000)
    first, again = bench.published
    assert again == first
    assert again.beat == 3


async def test_it_is_sent_again_until_a_row_tells_of_it_and_never_after(bench: Bench) -> None:
    await bench.beat()
    given = await bench.order()
    await bench.tick()
    await bench.tick(SEND_AGAIN_MS - 1)
    assert len(bench.published) == 1
    await bench.tick(1)
    assert len(bench.published) == 2
    await bench.row("command.accepted", id=given.id, action="open_slot")
    await bench.tick(SEND_AGAIN_MS)
    assert len(bench.published) == 2
    assert bench.published[0] == bench.published[1]


async def test_an_edge_that_cannot_be_reached_is_sent_nothing_when_it_comes_back_late(bench: Bench) -> None:
    await bench.order()
    await bench.tick()
    assert await bench.states() == [("waiting", "")]
    await bench.tick(WAIT_MAX_MS + 1)
    await bench.beat()
    await bench.tick(1_000)
    assert await bench.states() == [("unanswered", "not_reached")]
    assert bench.published == []


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000])
async def test_a_wall_clock_that_is_set_makes_no_old_order_young(bench: Bench, step_ms: int) -> None:
    await bench.order()
    bench.now_ms += step_ms
    await bench.beat()
    await bench.tick()
    assert bench.published == []


async def test_an_edge_that_says_goodbye_is_sent_nothing(bench: Bench) -> None:
    await bench.beat()
    await bench.hear(bench.journal.goodbye())
    await bench.order()
    await bench.tick()
    assert bench.published == []


async def test_after_a_restart_of_the_edge_nothing_is_sent_before_it_has_beaten(bench: Bench) -> None:
    bench.journal.start()
    await bench.hear(bench.journal.birth(), replace(bench.journal.beat(), beat=500))
    bench.journal.start()
    await bench.hear(bench.journal.birth())
    await bench.order()
    await bench.tick()
    assert bench.published == []
    await bench.hear(replace(bench.journal.beat(), beat=1))
    await bench.tick()
    assert [(one.session, one.beat) for one in bench.published] == [(bench.journal.session, 1)]


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        (("accepted", "done"), ("done", "")),
        (("accepted", "failed"), ("failed", "unknown")),
        (("refused",), ("refused", "unknown")),
        (("accepted", "abandoned"), ("abandoned", "unknown")),
        (("accepted", "done", "refused", "abandoned"), ("done", "")),
        (("done", "accepted"), ("done", "")),
    ],
)
async def test_the_rows_of_its_edge_say_what_came_of_it(bench: Bench, kinds, state) -> None:
    await bench.beat()
    given = await bench.order()
    await bench.tick()
    for kind in kinds:
        why = {} if kind in {"accepted", "done"} else {"why": "unknown"}
        await bench.row(f"command.{kind}", id=given.id, **why)
    assert await bench.states() == [state]


async def test_the_rows_of_another_edge_say_nothing_of_it(bench: Bench) -> None:
    await bench.beat()
    given = await bench.order()
    await bench.tick()
    foreign = Journal("linhu")
    foreign.write("command.done", None, id=given.id)
    foreign.write("command.done", None, id=7)
    await bench.hear(foreign.batch())
    assert await bench.states() == [("sent", "")]


async def test_a_row_that_runs_ahead_of_a_backlog_tells_of_it_at_once(bench: Bench) -> None:
    await bench.beat()
    given = await bench.order()
    await bench.tick()
    for _ in range(3):
        bench.journal.write("door.open")
    bench.journal.write("command.done", LOCK, id=given.id)
    await bench.hear(bench.journal.live())
    assert await bench.states() == [("done", "")]
    await bench.hear(bench.journal.batch())
    assert await bench.states() == [("done", "")]


async def test_what_nobody_answered_is_told_as_such_and_a_late_row_is_believed(bench: Bench) -> None:
    await bench.beat()
    given = await bench.order()
    await bench.tick()
    await bench.tick(VALID_ELSE_S * 1_000 + ANSWER_GRACE_MS)
    assert await bench.states() == [("sent", "")]
    await bench.tick(1)
    assert await bench.states() == [("unanswered", "no_answer")]
    sent = len(bench.published)
    await bench.tick(SEND_AGAIN_MS)
    assert len(bench.published) == sent
    await bench.row("command.accepted", id=given.id)
    await bench.row("command.done", id=given.id)
    assert await bench.states() == [("done", "")]


async def test_one_press_of_a_key_is_one_command_and_one_line_of_the_audit(bench: Bench) -> None:
    first = await bench.order()
    assert await bench.order() == first
    assert len(await bench.states()) == 1
    assert (
        await bench.store.read(lambda conn: conn.scalar(select(func.count()).select_from(schema.audit))) == 1
    )
    with pytest.raises(Refused):
        await bench.order(replace(ORDER, point="liuxu.cab1.s02.lock"))
    other = await bench.store.write(lambda tx: requests.order(tx, PLACES, ORDER, ("8", "另一人"), T0))
    assert other.id != first.id, "ids of acts are each person's own"


@pytest.mark.parametrize(
    "asked",
    [
        replace(ORDER, point="liuxu.cab1.s01.item"),
        replace(ORDER, point="liuxu.cab9.s01.lock"),
        replace(ORDER, point="liuxu.int1.door"),
        replace(ORDER, edge="linhu"),
        replace(ORDER, edge="nowhere"),
        replace(ORDER, action="reread", point="liuxu.nothing.door"),
    ],
)
async def test_what_the_county_does_not_have_cannot_be_told_anything(bench: Bench, asked: Order) -> None:
    with pytest.raises(Refused):
        await bench.order(asked)
    assert await bench.states() == []


async def test_so_many_orders_wait_for_one_edge_and_no_more(bench: Bench) -> None:
    for n in range(requests.OPEN_MAX):
        await bench.order(replace(ORDER, action_id=f"action-{n}-"))
    with pytest.raises(Refused, match="wait"):
        await bench.order(replace(ORDER, action_id="one-more-"))


async def test_maintenance_is_told_at_once_at_each_start_and_with_the_time_that_is_left(bench: Bench) -> None:
    await bench.beat(4)
    window = await bench.begin(for_s=3_600)
    await bench.tick()
    (first,) = bench.published
    assert (first.action, first.args) == (Action.MAINTAIN, {"permission": str(window.id), "for_s": 3_600})
    await bench.row("command.accepted", id=first.id)
    await bench.row("command.done", id=first.id)
    for _ in range(3):
        await bench.tick(60_000)
    assert len(bench.published) == 1, "an edge that knows is not told again"
    bench.journal.session += 1
    await bench.beat()
    await bench.tick(20_000)
    _, again = bench.published
    assert (again.session, again.args["for_s"]) == (2, 3_400)
    assert again.id != first.id


async def test_maintenance_that_no_edge_has_taken_is_told_until_it_is_over(bench: Bench) -> None:
    await bench.begin(for_s=60)
    await bench.tick()
    assert bench.published == []
    await bench.tick(30_000)
    await bench.beat()
    await bench.tick()
    assert [one.args["for_s"] for one in bench.published] == [30]
    await bench.tick(30_000)
    bench.journal.session += 1
    await bench.beat()
    await bench.tick()
    assert len({one.id for one in bench.published}) == 1
    (window,) = await bench.store.read(lambda conn: windows.list_windows(conn, None, 10))
    assert window.ended_ms == window.until_ms == T0 + 60_000


async def test_maintenance_that_was_refused_is_asked_for_again_and_not_in_a_storm(bench: Bench) -> None:
    await bench.beat()
    await bench.begin()
    await bench.tick()
    await bench.row("command.refused", id=bench.published[0].id, why="expired")
    await bench.tick(1_000)
    assert len(bench.published) == 1
    await bench.tick(windows.TELL_AGAIN_AFTER_MS)
    assert len(bench.published) == 2


async def test_maintenance_that_is_taken_back_is_told_and_cannot_be_given_twice_at_a_time(
    bench: Bench,
) -> None:
    await bench.beat()
    window = await bench.begin()
    with pytest.raises(Refused, match="already"):
        await bench.begin()
    await bench.tick()
    await bench.row("command.done", id=bench.published[0].id)
    ended = await bench.end(window.id)
    assert ended is not None
    assert ended.ended_ms == T0
    assert await bench.end(window.id) == ended
    await bench.tick()
    assert [one.action for one in bench.published] == [Action.MAINTAIN, Action.END_MAINTENANCE]
    assert bench.published[1].args == {"permission": str(window.id)}
    await bench.row("command.done", id=bench.published[1].id)
    await bench.tick(60_000)
    assert len(bench.published) == 2
    assert (await bench.begin()).id != window.id


async def test_maintenance_ended_before_the_edge_had_heard_of_it_is_never_told(bench: Bench) -> None:
    window = await bench.begin()
    await bench.tick()
    await bench.end(window.id)
    await bench.beat()
    await bench.tick()
    assert bench.published == []
    assert await bench.end(99) is None


async def test_nothing_is_written_while_there_is_nothing_to_send(bench: Bench, monkeypatch) -> None:
    await bench.beat()

    async def write(_work) -> None:
        raise AssertionError("a write")

    monkeypatch.setattr(bench.store, "write", write)
    await bench.tick()


def test_what_has_an_end_stays_as_it_ended() -> None:
    lasting = set(State) - {*OPEN, State.UNANSWERED}
    assert lasting == {State.DONE, State.FAILED, State.REFUSED, State.ABANDONED}
    assert not [way for way in TRANSITIONS if way[0] in lasting]
