"""From journal to link: batches that fit, rows that chain, and messages that cannot hurt."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from contract import limits, topics
from contract.ids import EdgeId, PointId
from contract.keys import Signer
from contract.messages import (
    Action,
    Batch,
    CentralStatus,
    Command,
    Live,
    Nak,
    Receipt,
    batch_hashes,
    decode,
    encode,
    live_hash,
)
from contract.rows import EdgeKind, decode_row
from contract.signing import check_signature, sign
from contract.topics import Down, Up
from edge.clock import SystemClock
from edge.delivery import Delivery, fitting
from edge.journal import Journal
from edge.journal_file import StoredRow
from edge.outbox import LIVE_WAITING_MAX, Outbox
from edge.proposals import Draft
from edge.voice import Keyring, Voice

CENTRE = Signer.new()
KEYS = Keyring(Signer.new(), CENTRE.public)
EDGE = EdgeId("liuxu")
DOOR = PointId("liuxu.int1.door")
STAMP = SystemClock().stamp()


class FakeLink:
    def __init__(self) -> None:
        self.sent: list[tuple[Up, bytes]] = []
        self.is_full = False
        self.has_sent = asyncio.Event()

    def publish(self, lane: Up, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        if self.is_full:
            return False
        self.sent.append((lane, payload))
        self.has_sent.set()
        return True


class Bench:
    """A real journal, a real outbox, a link that only remembers."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.link = FakeLink()
        self.outbox = Outbox(journal.epoch, journal.head, 0, first_window=limits.BATCHES_IN_FLIGHT)
        self._clock = SystemClock()
        self.delivery = Delivery(
            EDGE, self._clock, journal=journal, outbox=self.outbox, link=self.link, voice=Voice(1, KEYS)
        )
        self.has_row = asyncio.Event()
        journal.listener = self._row_came

    def _row_came(self, rows: list[StoredRow], drafts: Sequence[Draft]) -> None:
        self.delivery.appended(rows, drafts)
        self.has_row.set()

    async def open_doors(self, count: int, **data: str) -> None:
        stamp = self._clock.stamp()
        await self.journal.append([Draft("door.open", stamp, DOOR, data) for _ in range(count)])

    def centre_comes(self) -> None:
        self.delivery.connected(is_connected=True)
        self.centre_says("online")

    def centre_says(self, state: Literal["online", "offline"], instance: str = "a") -> None:
        self.tell(topics.CENTRAL_STATUS, CentralStatus(state=state, instance=instance, at=0))

    def tell(
        self, topic: str, message: CentralStatus | Receipt | Nak | Command, signer: Signer = CENTRE
    ) -> None:
        self.delivery.received(topic, encode(sign(message, signer)))

    def receipt(self, seq: int, its_hash: bytes) -> None:
        message = Receipt(edge=EDGE, epoch=self.journal.epoch, seq=seq, hash=its_hash.hex(), at=0)
        self.tell(topics.down(EDGE, Down.RECEIPT), message)

    def batches(self) -> list[Batch]:
        return [decode(Batch, payload) for lane, payload in self.link.sent if lane is Up.LOG]

    async def sent(self, count: int) -> None:
        """Wait until the link has taken so many messages."""
        async with asyncio.timeout(5):
            while len(self.link.sent) < count:
                self.link.has_sent.clear()
                await self.link.has_sent.wait()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    journal = await Journal.open(tmp_path, EDGE, SystemClock())
    bench = Bench(journal)
    task = asyncio.create_task(bench.delivery.run(), name="delivery")
    yield bench
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await journal.close()


async def test_batches_carry_the_rows_in_order_and_hash_to_their_heads(bench: Bench) -> None:
    await bench.open_doors(100)
    bench.centre_comes()
    await bench.sent(2)
    first, second = bench.batches()
    assert (first.first, len(first.rows), second.first, len(second.rows)) == (1, 64, 65, 36)
    assert batch_hashes(first)[-1].hex() == second.prev
    assert batch_hashes(second)[-1] == bench.journal.head_hash


async def test_batch_of_long_rows_stays_within_its_bytes(bench: Bench) -> None:
    await bench.open_doors(64, a="x" * 250, b="x" * 250, c="x" * 250)
    bench.centre_comes()
    await bench.sent(2)
    first, second = bench.batches()
    assert len(first.rows) < 64
    assert (second.first, len(first.rows) + len(second.rows)) == (1 + len(first.rows), 64)


async def test_new_row_is_sent_at_once(bench: Bench) -> None:
    bench.centre_comes()
    await bench.open_doors(1)
    await bench.sent(1)
    assert [len(batch.rows) for batch in bench.batches()] == [1]


async def test_a_centre_that_answers_is_there_whatever_a_will_told_late_says(bench: Bench) -> None:
    bench.centre_comes()
    bench.centre_says("offline")
    await bench.open_doors(1)
    assert not bench.outbox.is_open
    nak = Nak(edge=EDGE, epoch=bench.journal.epoch, first=1, last=1, reason="the log stands still", at=0)
    bench.tell(topics.down(EDGE, Down.NAK), nak)
    await bench.sent(1)
    assert [len(batch.rows) for batch in bench.batches()] == [1]


async def test_late_last_will_of_a_former_centre_does_not_shut_the_present_one_out(bench: Bench) -> None:
    bench.centre_comes()
    bench.centre_says("online", "b")
    bench.centre_says("offline", "a")
    assert bench.outbox.is_open
    bench.centre_says("offline", "b")
    assert not bench.outbox.is_open


async def test_receipt_makes_room_for_the_next_batches(bench: Bench) -> None:
    await bench.open_doors(600)
    bench.centre_comes()
    await bench.sent(LIVE_WAITING_MAX + limits.BATCHES_IN_FLIGHT)
    assert len(bench.batches()) == limits.BATCHES_IN_FLIGHT
    row = (await bench.journal.rows(256, 1))[0]
    count = len(bench.link.sent)
    bench.receipt(256, row.hash)
    await bench.sent(count + 1)
    assert bench.batches()[limits.BATCHES_IN_FLIGHT].first == 8 * 64 + 1
    assert bench.outbox.receipted == 256


async def test_live_row_goes_before_the_backlog_and_proves_its_place(bench: Bench) -> None:
    await bench.open_doors(1_000)
    bench.centre_comes()
    await bench.sent(1)
    lane, payload = bench.link.sent[0]
    assert lane is Up.LIVE
    live = decode(Live, payload)
    row = decode_row(bytes(live.row))
    assert live_hash(live) == await bench.journal.hash_at(row.seq)
    assert row.seq > limits.BATCHES_IN_FLIGHT * limits.BATCH_MAX_ROWS


async def test_live_row_that_newer_ones_replace_while_it_is_read_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.open_doors(1_000)
    read = bench.journal.rows

    async def as_doors_go_on(first: int, limit: int) -> list[StoredRow]:
        monkeypatch.setattr(bench.journal, "rows", read)
        await bench.open_doors(LIVE_WAITING_MAX)
        return await read(first, limit)

    monkeypatch.setattr(bench.journal, "rows", as_doors_go_on)
    bench.centre_comes()
    await bench.sent(1 + LIVE_WAITING_MAX + limits.BATCHES_IN_FLIGHT)
    assert len(bench.batches()) == limits.BATCHES_IN_FLIGHT


async def test_door_that_a_batch_of_long_rows_had_no_room_for_goes_ahead(bench: Bench) -> None:
    long = dict.fromkeys("abcdefg", "x" * 250)
    stamp = SystemClock().stamp()
    count = limits.BATCHES_IN_FLIGHT * limits.BATCH_MAX_ROWS - 1
    await bench.journal.append([Draft("card.read", stamp, DOOR, long) for _ in range(count)])
    await bench.open_doors(1)
    bench.centre_comes()
    await bench.sent(limits.BATCHES_IN_FLIGHT + 1)
    lane, payload = bench.link.sent[-1]
    assert lane is Up.LIVE
    assert decode_row(bytes(decode(Live, payload).row)).seq == count + 1


async def test_row_the_link_did_not_take_is_sent_later(bench: Bench) -> None:
    bench.link.is_full = True
    await bench.open_doors(1)
    bench.centre_comes()
    await asyncio.sleep(0)
    assert bench.outbox.queued == 1
    bench.link.is_full = False
    await bench.open_doors(1)
    await bench.sent(1)
    assert bench.batches()[0].first == 1


async def test_message_that_cannot_be_read_is_counted_and_disturbs_nothing(bench: Bench) -> None:
    for payload in (b"", b"{", b"\xff" * 100, b"x" * 200_000):
        bench.delivery.received(topics.down(EDGE, Down.RECEIPT), payload)
    bench.delivery.received("casewatch/9/liuxu/down/receipt", b"{}")
    assert bench.delivery.counters.malformed == 5
    bench.centre_comes()
    await bench.open_doors(1)
    await bench.sent(1)


async def test_receipt_of_a_hash_we_never_had_forks_and_lets_nothing_go(bench: Bench) -> None:
    await bench.open_doors(2)
    bench.centre_comes()
    await bench.sent(1)
    bench.receipt(1, b"\xaa" * 32)
    await bench.open_doors(1)
    await bench.sent(2)
    assert bench.outbox.is_forked
    assert bench.outbox.queued == 4, "the three doors, and the row that tells of the fork"


async def test_drained_waits_for_the_last_receipt(bench: Bench) -> None:
    bench.centre_comes()
    await bench.open_doors(1)
    await bench.sent(1)
    waiting = asyncio.create_task(bench.delivery.drained(), name="drained")
    await asyncio.sleep(0)
    assert not waiting.done()
    bench.receipt(1, bench.journal.head_hash)
    await asyncio.wait_for(waiting, 5)


def test_batch_of_long_rows_is_cut_to_its_bytes() -> None:
    rows = [StoredRow(n, b"x" * limits.ROW_MAX_BYTES, b"") for n in range(1, 65)]
    taken = fitting(rows)
    assert 1 <= len(taken) < 64
    assert sum(len(row.raw) for row in taken) <= limits.BATCH_MAX_BYTES
    assert fitting(rows[:1]) == rows[:1]


async def kinds(bench: Bench) -> list[str]:
    return [decode_row(row.raw).kind for row in await bench.journal.rows(1, 100)]


async def told(bench: Bench, kind: EdgeKind) -> None:
    """Wait until the journal has a row of this kind."""
    async with asyncio.timeout(5):
        while kind not in await kinds(bench):
            bench.has_row.clear()
            await bench.has_row.wait()


async def test_what_it_says_is_numbered_and_signed_by_its_key(bench: Bench) -> None:
    await bench.open_doors(65)
    bench.centre_comes()
    await bench.sent(2)
    first, second = bench.batches()
    check_signature(first, KEYS.signer.public)
    assert [first.place, second.place] == [(1, 1), (1, 2)]
    assert [first.last, second.last] == [64, 65]


async def test_a_receipt_of_somebody_else_lets_nothing_go(bench: Bench) -> None:
    await bench.open_doors(2)
    bench.centre_comes()
    await bench.sent(1)
    own = await bench.journal.hash_at(2)
    assert own is not None
    forged = Receipt(edge=EDGE, epoch=bench.journal.epoch, seq=2, hash=own.hex(), at=0)
    bench.tell(topics.down(EDGE, Down.RECEIPT), forged, Signer.new())
    bench.delivery.received(topics.down(EDGE, Down.RECEIPT), encode(forged))
    assert bench.delivery.counters.malformed == 2
    assert bench.outbox.queued == 2


async def test_what_the_centre_said_to_another_edge_is_refused(bench: Bench) -> None:
    await bench.open_doors(3)
    bench.centre_comes()
    await bench.sent(1)
    others = Receipt(edge="linhu", epoch=bench.journal.epoch, seq=2, hash="aa" * 32, at=0)
    bench.tell(topics.down(EDGE, Down.RECEIPT), others)
    asked = Nak(edge="linhu", epoch=bench.journal.epoch, first=1, last=1, reason="gap", at=1)
    bench.tell(topics.down(EDGE, Down.NAK), asked)
    taken: list[Command] = []
    bench.delivery.on_command = taken.append
    told = Command(
        edge="linhu", id="c1", action=Action.REREAD, point=DOOR, args={}, session=1, beat=1, valid_s=30
    )
    bench.tell(topics.down(EDGE, Down.COMMAND), told)
    assert (bench.delivery.counters.malformed, taken) == (3, [])
    await bench.open_doors(1)
    await bench.sent(2)
    assert not bench.outbox.is_forked
    assert [batch.first for batch in bench.batches()] == [1, 4]


async def test_a_command_that_the_centre_did_not_sign_is_handed_to_nobody(bench: Bench) -> None:
    taken: list[Command] = []
    bench.delivery.on_command = taken.append
    command = Command(
        edge=EDGE, id="c1", action=Action.OPEN_SLOT, point=DOOR, args={}, session=1, beat=1, valid_s=30
    )
    topic = topics.down(EDGE, Down.COMMAND)
    bench.delivery.received(topic, encode(command))
    bench.tell(topic, command, Signer.new())
    bench.delivery.received(topic, encode(replace(sign(command, CENTRE), id="c2")))
    assert (taken, bench.delivery.counters.malformed) == ([], 3)
    bench.tell(topic, command)
    assert [one.id for one in taken] == ["c1"]


async def test_what_became_of_a_command_does_not_wait_behind_a_backlog(bench: Bench) -> None:
    await bench.journal.append([Draft("card.read", STAMP, DOOR) for _ in range(1_000)])
    await bench.journal.append([Draft("command.done", STAMP, DOOR, {"id": "c1"})])
    await bench.journal.append([Draft("maintenance.began", STAMP)])
    bench.centre_comes()
    await bench.sent(1 + limits.BATCHES_IN_FLIGHT)
    lives = [decode(Live, payload) for lane, payload in bench.link.sent if lane is Up.LIVE]
    assert [decode_row(bytes(live.row)).kind for live in lives] == ["command.done"]


async def test_a_fork_is_written_down_once_whatever_the_centre_repeats(bench: Bench) -> None:
    await bench.open_doors(2)
    bench.centre_comes()
    for _ in range(3):
        bench.receipt(1, b"\xaa" * 32)
        await told(bench, EdgeKind.CENTRE_FORKED)
    assert (await kinds(bench)).count(EdgeKind.CENTRE_FORKED) == 1


async def test_a_centre_that_lost_what_it_receipted_is_filled_again_and_told_of(bench: Bench) -> None:
    await bench.open_doors(3)
    bench.centre_comes()
    await bench.sent(1)
    own = await bench.journal.hash_at(3)
    assert own is not None
    bench.receipt(3, own)
    await bench.delivery.drained()
    assert bench.delivery.witness is not None
    lost = Nak(edge=EDGE, epoch=bench.journal.epoch, first=2, last=0, reason="gap", at=1)
    bench.tell(topics.down(EDGE, Down.NAK), lost)
    await told(bench, EdgeKind.CENTRE_ROLLED_BACK)
    await bench.sent(2)
    assert bench.batches()[1].first == 2
    assert bench.delivery.witness.seq == 3, "the centre's own word is kept against it"
