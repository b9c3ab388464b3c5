"""The live channel: snapshot, changes, resume, heartbeats, and boards that are slow or signed out."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType
from msgspec import Raw
from sqlalchemy import select
from structlog.testing import capture_logs

from central.accounts.roles import Role
from central.board_model import Board
from central.errors import BadValue, StoreUnavailable
from central.settings import Rules
from central.store.database import Change
from central.web import conversation, paint_receipts
from central.web.live import HEARTBEAT_S, OUTBOX_FRAMES, RESUME_MAX_CHANGES, Hub
from central.web.paint_receipts import PaintReceipt, PaintReceipts
from central.web.schema import paint_receipt

HELLO = {"type": "hello", "epoch": None, "last_seq": 0, "view": "wall", "console": "wall-1"}


@asynccontextmanager
async def board(client, **known):
    async with client.ws_connect("/api/v1/live") as socket:
        await socket.send_json(HELLO | known)
        yield socket


async def next_of(socket, *types: str) -> dict:
    async with asyncio.timeout(5):
        while True:
            message = await socket.receive_json()
            if message["type"] in types:
                return message


async def test_a_new_board_gets_a_snapshot_and_then_each_commit_as_one_frame(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with board(client) as socket:
        snapshot = await next_of(socket, "snapshot")
        assert snapshot["epoch"] == centre.store.epoch
        assert (snapshot["zone"], snapshot["server_ms"]) == ("Asia/Shanghai", centre.clock.now_ms)
        assert snapshot["rules"]["lapse_after_s"] == 600
        assert [room["id"] for room in snapshot["rooms"]] == ["liuxu.int1"]
        await centre.publish_station("liuxu", queued=7)
        changes = await next_of(socket, "changes")
        assert [c["seq"] for c in changes["changes"]] == [snapshot["seq"] + 1]
        assert (changes["changes"][0]["kind"], changes["changes"][0]["entity"]["queued"]) == ("station", 7)


async def test_a_heartbeat_tells_the_last_change_sent(centre, monkeypatch) -> None:
    monkeypatch.setattr("central.web.live.HEARTBEAT_S", 0.05)
    client = await centre.signed_in(Role.WATCHER)
    async with board(client) as socket:
        seq = (await next_of(socket, "snapshot"))["seq"]
        assert await next_of(socket, "hb") == {"type": "hb", "seq": seq, "server_ms": centre.clock.now_ms}
        await centre.publish_station("liuxu", queued=1)
        await next_of(socket, "changes")
        assert (await next_of(socket, "hb"))["seq"] == seq + 1


def test_a_board_hears_from_us_every_two_seconds() -> None:
    assert HEARTBEAT_S == 2.0


async def test_a_board_that_was_away_gets_what_it_missed_and_nothing_twice(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with board(client) as socket:
        seq = (await next_of(socket, "snapshot"))["seq"]
    for queued in range(3):
        await centre.publish_station("liuxu", queued)
    async with board(client, epoch=centre.store.epoch, last_seq=seq) as socket:
        assert (await next_of(socket, "resume", "snapshot"))["type"] == "resume"
        missed = (await next_of(socket, "changes"))["changes"]
        assert [c["seq"] for c in missed] == [seq + 1, seq + 2, seq + 3]
        await centre.publish_station("liuxu", 9)
        assert [c["seq"] for c in (await next_of(socket, "changes"))["changes"]] == [seq + 4]


async def test_a_board_of_another_epoch_or_from_the_future_or_too_far_behind_gets_a_snapshot(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    await centre.publish_station("liuxu", 1)
    for known in ({"epoch": "another"}, {"epoch": centre.store.epoch, "last_seq": 99}):
        async with board(client, **known) as socket:
            assert (await next_of(socket, "resume", "snapshot"))["type"] == "snapshot"

    def storm(tx) -> None:
        for n in range(RESUME_MAX_CHANGES):
            tx.moved("station", f"s{n}", Rules)

    await centre.store.write(storm)
    async with board(client, epoch=centre.store.epoch, last_seq=0) as socket:
        assert (await next_of(socket, "resume", "snapshot"))["type"] == "snapshot"
    async with board(client, epoch=centre.store.epoch, last_seq=1) as socket:
        assert (await next_of(socket, "resume", "snapshot"))["type"] == "resume"


class SlowBoard:
    """A socket that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.sent: list[dict] = []
        self.stalled = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def send(self, frame: str) -> None:
        if not self.go.is_set():
            self.stalled.set()
        await self.go.wait()
        self.sent.append(json.loads(frame))


async def test_a_slow_board_gets_a_snapshot_in_place_of_an_endless_queue(centre) -> None:
    boards = iter(range(1, 10))

    def read_board(conn) -> Board:
        seq = 0 if next(boards) == 1 else OUTBOX_FRAMES * 3
        return Board(seq, [], [], [], [], [])

    hub = Hub(centre.store, Rules(), read_board, centre.clock)
    slow = SlowBoard()
    serving = asyncio.create_task(hub.serve(slow.send, None, 0))
    await until(lambda: slow.sent)
    slow.go.clear()
    for seq in range(1, OUTBOX_FRAMES * 3 + 1):
        hub.publish(changes(seq))
        if seq == 1:
            await slow.stalled.wait()
    (client,) = hub._clients
    assert client._frames.qsize() <= OUTBOX_FRAMES
    slow.go.set()
    await until(lambda: len(slow.sent) == 3)
    hub.publish(changes(OUTBOX_FRAMES * 3 + 1))
    await until(lambda: len(slow.sent) == 4)
    assert [m["type"] for m in slow.sent] == ["snapshot", "changes", "snapshot", "changes"]
    assert slow.sent[3]["changes"][0]["seq"] == OUTBOX_FRAMES * 3 + 1
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert not hub._clients


async def test_one_slow_board_does_not_hold_up_another(centre) -> None:
    hub = Hub(centre.store, Rules(), lambda conn: Board(0, [], [], [], [], []), centre.clock)
    slow, quick = SlowBoard(), SlowBoard()
    serving = [asyncio.create_task(hub.serve(b.send, None, 0)) for b in (slow, quick)]
    await until(lambda: slow.sent and quick.sent)
    slow.go.clear()
    for seq in range(1, 4):
        hub.publish(changes(seq))
    await until(lambda: len(quick.sent) == 4)
    assert len(slow.sent) == 1
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


def changes(seq: int) -> list:
    return [Change(seq, "station", Raw(b"{}"), None)]


async def until(is_true) -> None:
    async with asyncio.timeout(5):
        while not is_true():  # noqa: ASYNC110 - what is awaited has no event of its own
            await asyncio.sleep(0)


async def test_paint_receipts_reach_the_store(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with board(client) as socket:
        await next_of(socket, "snapshot")
        await socket.send_json({"type": "painted", "seq": 41})
        await until(lambda: centre.receipts._waiting)
    await centre.receipts.write()
    rows = await centre.store.read(lambda conn: conn.execute(select(paint_receipt)).all())
    assert [(row.console, row.user, row.seq, row.at_ms) for row in rows] == [
        ("wall-1", "1", 41, centre.clock.now_ms)
    ]


async def test_paint_receipts_are_bounded_waiting_and_stored(centre, monkeypatch) -> None:
    monkeypatch.setattr(paint_receipts, "WAITING_MAX", 5)
    monkeypatch.setattr(paint_receipts, "KEPT", 7)
    receipts = PaintReceipts(centre.store)
    for first in (0, 100):
        for seq in range(first, first + 9):
            receipts.note(PaintReceipt("wall-1", "1", seq, 1))
        await receipts.write()
    stored = await centre.store.read(lambda conn: conn.scalars(select(paint_receipt.c.seq)).all())
    assert stored == [7, 8, 104, 105, 106, 107, 108]


@pytest.mark.parametrize(
    "first",
    [
        "{",
        "[]",
        '{"type":"painted","seq":1}',
        json.dumps(HELLO | {"view": "door"}),
        json.dumps(HELLO | {"console": "wall\0"}),
        json.dumps(HELLO | {"epoch": "\0"}),
        "x" * 1_000,
    ],
)
async def test_a_board_that_does_not_say_hello_is_shown_out(centre, first: str) -> None:
    client = await centre.signed_in(Role.WATCHER)
    async with client.ws_connect("/api/v1/live") as socket:
        await socket.send_str(first)
        message = await socket.receive(timeout=5)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)


async def test_a_board_whose_session_ends_is_told_to_sign_in_again(centre, monkeypatch) -> None:
    monkeypatch.setattr(conversation, "SESSION_CHECK_S", 0.05)
    client = await centre.signed_in(Role.WATCHER)
    async with board(client) as socket:
        await next_of(socket, "snapshot")
        async with client.delete("/api/v1/sessions/current") as response:
            assert response.status == 200
        async with asyncio.timeout(5):
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                pass
        assert (message.type, message.data) == (WSMsgType.CLOSE, conversation.SESSION_ENDED)


async def test_a_store_that_does_not_answer_sends_the_board_away_to_try_again(centre, monkeypatch) -> None:
    client = await centre.signed_in(Role.WATCHER)

    async def lost(work: object) -> None:
        raise StoreUnavailable("disk full")

    async with client.ws_connect("/api/v1/live") as socket:
        monkeypatch.setattr(centre.store, "read", lost)
        await socket.send_json(HELLO)
        message = await socket.receive(timeout=5)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1013)


@pytest.mark.parametrize("refusal", [StoreUnavailable("disk full"), BadValue("NUL")])
async def test_paint_receipts_outlive_a_store_that_refuses_them_and_say_so_once(
    centre, monkeypatch, refusal: Exception
) -> None:
    async def refused(work: object) -> None:
        raise refusal

    with monkeypatch.context() as while_lost, capture_logs() as logged:
        while_lost.setattr(centre.store, "write", refused)
        for _ in range(2):
            centre.receipts.note(PaintReceipt("wall-1", "1", 1, 1))
            await centre.receipts.write()
    assert [entry["event"] for entry in logged] == ["paint_receipts_refused"]
    centre.receipts.note(PaintReceipt("wall-1", "1", 2, 2))
    await centre.receipts.write()
    assert await centre.store.read(lambda conn: conn.scalars(select(paint_receipt.c.seq)).all()) == [2]
