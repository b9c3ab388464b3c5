"""What the edge says of itself, and that a set clock is written down."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from contract.ids import EdgeId
from contract.limits import BEAT_INTERVAL_S
from contract.messages import Beat, Birth, decode
from contract.rows import decode_row
from contract.topics import Up
from device_drivers.driver import Observation
from edge import heartbeat
from edge.clock import SystemClock
from edge.heartbeat import KNOCK_EVERY_BEATS, Heartbeat, Identity, status
from edge.journal import Journal
from edge.outbox import Outbox
from edge.points import Points
from edge.settings import PointSettings
from edge.voice import Voice

EDGE = EdgeId("liuxu")
IDENTITY = Identity(EDGE, 3, "0.1.0", "cc" * 32)


class SetClock(SystemClock):
    """Somebody sets it by an hour, once."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = [3_600_000]

    def check(self) -> int:
        return self.steps.pop() if self.steps else 0


class FakeLink:
    def __init__(self) -> None:
        self.is_connected = True
        self.sent: list[tuple[Up, bytes, int, bool]] = []
        self.has_sent = asyncio.Event()

    def publish(self, lane: Up, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        self.sent.append((lane, payload, qos, retain))
        self.has_sent.set()
        return True


class Bench:
    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.clock = SetClock()
        door = PointSettings(id="liuxu.int1.door", type="door", device="io1", channel="di:0")
        self.points = Points([door], [], {}, is_simulated=False, last_at=0)
        self.outbox = Outbox(journal.epoch, 5, 2)
        self.link = FakeLink()
        self.heart = Heartbeat(
            IDENTITY,
            self.clock,
            journal=journal,
            points=self.points,
            outbox=self.outbox,
            link=self.link,
            voice=Voice(3),
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    journal = await Journal.open(tmp_path, EDGE, SystemClock())
    yield Bench(journal)
    await journal.close()


def births(bench: Bench) -> list[Birth]:
    return [decode(Birth, payload) for lane, payload, _, _ in bench.link.sent if lane is Up.BIRTH]


async def test_introduction_is_status_birth_and_beat(bench: Bench) -> None:
    bench.points.commit(bench.points.observe("io1", [Observation("di:0", active=False)], bench.clock.stamp()))
    bench.heart.introduce()
    assert [(lane, qos, retain) for lane, _, qos, retain in bench.link.sent] == [
        (Up.STATUS, 1, True),
        (Up.BIRTH, 1, False),
        (Up.BEAT, 0, False),
    ]
    (birth,) = births(bench)
    assert (birth.session, birth.config) == (3, "cc" * 32)
    assert [state.quality for state in birth.points] == ["good"]


async def test_birth_waits_for_the_first_readings(bench: Bench) -> None:
    bench.heart.introduce()
    assert births(bench) == []
    beating = asyncio.create_task(bench.heart.run(), name="heartbeat")
    bench.points.commit(bench.points.observe("io1", [Observation("di:0", active=True)], bench.clock.stamp()))
    async with asyncio.timeout(5):
        while not births(bench):
            bench.link.has_sent.clear()
            await bench.link.has_sent.wait()
    beating.cancel()
    assert [state.value for state in births(bench)[0].points] == ["open"]


async def test_birth_does_not_wait_for_a_beat_when_the_link_comes_after_the_start(bench: Bench) -> None:
    beating = asyncio.create_task(bench.heart.run(), name="heartbeat")
    await asyncio.sleep(0)
    bench.heart.introduce()
    bench.points.commit(bench.points.observe("io1", [Observation("di:0", active=True)], bench.clock.stamp()))
    async with asyncio.timeout(0.8 * BEAT_INTERVAL_S):
        while not births(bench):
            bench.link.has_sent.clear()
            await bench.link.has_sent.wait()
    beating.cancel()


async def test_birth_is_told_after_a_while_and_again_once_the_point_is_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.heart, "_patient_until_mono", 0.0)
    bench.heart.introduce()
    assert [state.quality for state in births(bench)[0].points] == ["stale"]
    beating = asyncio.create_task(bench.heart.run(), name="heartbeat")
    bench.points.commit(bench.points.observe("io1", [Observation("di:0", active=True)], bench.clock.stamp()))
    async with asyncio.timeout(5):
        while len(births(bench)) < 2:
            bench.link.has_sent.clear()
            await bench.link.has_sent.wait()
    beating.cancel()
    assert [state.quality for state in births(bench)[1].points] == ["good"]


async def test_beat_carries_head_queue_and_digest(bench: Bench) -> None:
    bench.heart.beat()
    seen = bench.points.observe("io1", [Observation("di:0", active=False)], bench.clock.stamp())
    bench.points.commit(seen)
    bench.heart.beat()
    first, second = (decode(Beat, payload) for _, payload, _, _ in bench.link.sent)
    assert (first.n, second.n, first.queued) == (1, 2, 3)
    assert first.hash == bench.journal.head_hash.hex()
    assert first.digest != second.digest


async def test_two_starts_number_their_beats_from_different_places(bench: Bench) -> None:
    """A command for a beat of the one is none of the other's, whatever their sessions are."""
    again = Heartbeat(
        bench.heart._identity,
        bench.clock,
        journal=bench.journal,
        points=bench.points,
        outbox=bench.heart._outbox,
        link=bench.link,
        voice=bench.heart._voice,
    )
    for heart in (bench.heart, bench.heart, again):
        heart.beat()
    first, second, other = (decode(Beat, payload).beat for _, payload, _, _ in bench.link.sent)
    assert second == first + 1
    assert abs(other - first) > 1_000


async def test_birth_and_beat_that_carry_a_row_know_what_it_changed(bench: Bench) -> None:
    bench.journal.listener = lambda _rows, _drafts: bench.heart.introduce()
    for seq, value in ((1, "closed"), (2, "open")):
        seen = [Observation("di:0", active=value == "open")]
        proposal = bench.points.observe("io1", seen, bench.clock.stamp())
        await bench.journal.append(proposal.drafts, proposal.memories, partial(bench.points.commit, proposal))
        birth = decode(Birth, bench.link.sent[-2][1])
        beat = decode(Beat, bench.link.sent[-1][1])
        assert (birth.seq, birth.points[0].value) == (seq, value)
        assert (beat.seq, beat.digest) == (seq, bench.points.digest())


async def test_no_beat_is_made_without_a_link(bench: Bench) -> None:
    bench.link.is_connected = False
    bench.heart.beat()
    assert bench.link.sent == []


async def test_clock_that_was_set_is_a_row_before_the_next_beat(bench: Bench, monkeypatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_INTERVAL_S", 0.01)
    task = asyncio.create_task(bench.heart.run(), name="heartbeat")
    await asyncio.wait_for(bench.link.has_sent.wait(), 5)
    task.cancel()
    (row,) = await bench.journal.rows(1, 1)
    assert decode_row(row.raw).kind == "clock.stepped"
    assert decode_row(row.raw).data == {"step_ms": 3_600_000}


def test_will_says_offline_for_this_session() -> None:
    will = status(IDENTITY, SystemClock(), "will")
    assert (will.state, will.session, will.edge) == ("offline", 3, EDGE)


async def test_an_edge_that_believes_the_centre_away_knocks_now_and_then(bench: Bench) -> None:
    """What was told of the centre may have come late: a birth is answered, and who answers is there."""
    bench.points.commit(bench.points.observe("io1", [Observation("di:0", active=False)], bench.clock.stamp()))
    for _ in range(2 * KNOCK_EVERY_BEATS):
        bench.heart.keep_time()
    assert len(births(bench)) == 2
    bench.outbox.answered()
    for _ in range(2 * KNOCK_EVERY_BEATS):
        bench.heart.keep_time()
    assert len(births(bench)) == 2, "and stops when the centre is there"
