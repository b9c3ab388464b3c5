"""The edge as a process between simulated modules and a real broker; the centre is played by this file."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from contract import topics
from contract.ids import EdgeId
from contract.limits import BATCHES_IN_FLIGHT
from contract.messages import (
    Batch,
    Beat,
    Birth,
    CentralStatus,
    Live,
    Nak,
    Receipt,
    Status,
    batch_hashes,
    decode,
    encode,
)
from contract.rows import Row, decode_row
from edge.link import PACKET_MAX_BYTES
from tests.support import mosquitto
from tests.support.eventually import eventually
from tests.support.mosquitto import await_listener
from tests.support.processes import Process
from tests.support.world import STATION, World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto.PATH is None, reason="needs mosquitto"),
]
EDGE = EdgeId(STATION)
RECEIPTED_MS = 1_000
KINDS = {"birth": Birth, "status": Status, "beat": Beat, "live": Live, "log": Batch}


class Centre:
    """Takes rows in order, checks the chain, and gives receipts while `is_receipting`."""

    def __init__(self, port: int) -> None:
        self.rows: list[Row] = []
        self.repeated = 0
        self.messages: list[tuple[float, object]] = []
        self.is_receipting = True
        self._head = ""
        self._changed = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="centre")
        self._client.reconnect_delay_set(0.1, 0.5)
        self._client.on_connect = self._come
        self._client.on_message = self._take
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, lane: topics.Down, message: Receipt | Nak) -> None:
        self.send(lane, encode(message))

    def send(self, lane: topics.Down, payload: bytes) -> None:
        self._client.publish(topics.down(EDGE, lane), payload, qos=1)

    def receipt(self, seq: int, its_hash: str, epoch: int) -> Receipt:
        return Receipt(edge=EDGE, epoch=epoch, seq=seq, hash=its_hash, at=RECEIPTED_MS)

    def seen(self, kind: type) -> list[object]:
        with self._changed:
            return [message for _, message in self.messages if isinstance(message, kind)]

    def kinds(self, point: str | None = None) -> list[str]:
        with self._changed:
            return [row.kind for row in self.rows if point is None or row.point == point]

    def await_kind(self, kind: str, point: str, count: int = 1) -> None:
        eventually(lambda: self.kinds(point).count(kind) >= count, what=f"{kind} of {point}")

    def _come(self, client: Client, *_: object) -> None:
        client.subscribe([(topics.ALL_UP, 1)])
        client.publish(
            topics.CENTRAL_STATUS,
            encode(CentralStatus(state="online", instance="test", at=0)),
            qos=1,
            retain=True,
        )

    def _take(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        _, lane = topics.parse_up(message.topic)
        body = decode(KINDS[lane], message.payload)
        with self._changed:
            self.messages.append((time.monotonic(), body))
            if isinstance(body, Batch):
                self._take_batch(body)

    def _take_batch(self, batch: Batch) -> None:
        hashes = batch_hashes(batch)
        for raw, row_hash in zip(batch.rows, hashes, strict=True):
            row = decode_row(bytes(raw))
            if row.seq <= len(self.rows):
                self.repeated += 1
                continue
            assert row.seq == len(self.rows) + 1
            self.rows.append(row)
            self._head = row_hash.hex()
        if self.is_receipting:
            self.say(topics.Down.RECEIPT, self.receipt(len(self.rows), self._head, batch.epoch))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Broker, simulators and edge, running; no centre."""
    world = World(tmp_path)
    world.broker.start()
    await_listener(world.broker_port)
    world.sim.start()
    await_listener(world.control_port)
    world.edge.start()
    try:
        yield world
    finally:
        world.stop()


@pytest.fixture
def centre(world: World) -> Iterator[Centre]:
    centre = Centre(world.broker_port)
    try:
        eventually(lambda: centre.kinds().count("point.baseline") == len(world.doors), what="all baselines")
        yield centre
    finally:
        centre.close()


def flip(world: World, centre: Centre, door: str, value: str) -> None:
    """Flip a door and wait until the centre has it."""
    kind = f"door.{value}"
    before = centre.kinds(door).count(kind)
    world.flip(door, value)
    centre.await_kind(kind, door, before + 1)


def test_flip_reaches_the_centre_within_a_poll_and_is_let_go_on_receipt(world: World, centre: Centre) -> None:
    door = world.doors[0]
    started = time.monotonic()
    flip(world, centre, door, "open")
    assert time.monotonic() - started < 0.5
    flip(world, centre, door, "closed")
    assert centre.kinds(door) == ["point.baseline", "door.open", "door.closed"]
    assert centre.kinds()[0] == "edge.started"
    eventually(
        lambda: [b for b in centre.seen(Beat) if b.seq == len(centre.rows) and not b.queued], what="0 queued"
    )
    assert {state.id for birth in centre.seen(Birth) for state in birth.points} == set(world.doors)


def test_nothing_is_lost_while_an_empty_broker_returns(world: World, centre: Centre) -> None:
    door = world.doors[1]
    flip(world, centre, door, "open")
    world.broker.kill()
    for value in ("closed", "open", "closed"):
        world.flip_for_a_poll(door, value)
    world.broker.start()
    await_listener(world.broker_port)
    back = time.monotonic()
    centre.await_kind("door.closed", door, 2)
    assert time.monotonic() - back < 1.5
    assert centre.kinds(door)[1:] == ["door.open", "door.closed", "door.open", "door.closed"]


def test_edge_killed_without_a_centre_loses_and_repeats_nothing(world: World, centre: Centre) -> None:
    door = world.doors[2]
    world.broker.kill()
    for value in ("open", "closed", "open"):
        world.flip_for_a_poll(door, value)
    world.edge.kill()
    world.flip(door, "closed")
    world.edge.start()
    world.broker.start()
    centre.await_kind("door.closed", door, 2)
    assert centre.kinds(door)[1:] == ["door.open", "door.closed", "door.open", "door.closed"]
    assert centre.kinds().count("point.baseline") == len(world.doors)
    assert world.journal("verify").returncode == 0


def test_security_row_passes_a_backlog_that_is_not_receipted(world: World, centre: Centre) -> None:
    def ahead() -> list[str | None]:
        return [decode_row(bytes(live.row)).point for live in centre.seen(Live)]

    centre.is_receipting = False
    for door in world.doors[: BATCHES_IN_FLIGHT + 1]:
        world.flip(door, "open")
        seen = partial(lambda door: door in ahead() or "door.open" in centre.kinds(door), door)
        eventually(seen, what=f"{door} seen")
        if door in ahead():
            break
    assert ahead() == [door], "the first for which the log had no place"
    assert centre.kinds(door) == ["point.baseline"]
    centre.is_receipting = True
    centre.await_kind("door.open", door)


def test_receipt_with_a_foreign_hash_is_refused_and_said(world: World, centre: Centre) -> None:
    (birth, *_) = eventually(lambda: centre.seen(Birth), what="the birth")
    centre.say(topics.Down.RECEIPT, centre.receipt(3, "ab" * 32, birth.epoch))
    eventually(lambda: "receipt_refused" in world.edge.tail(), what="the refusal in the log")
    flip(world, centre, world.doors[0], "open")
    eventually(lambda: centre.seen(Beat)[-1].queued > 0, what="a beat that holds on to rows")


def test_message_longer_than_any_is_kept_back_by_the_broker(world: World, centre: Centre) -> None:
    centre.send(topics.Down.RECEIPT, b" " * PACKET_MAX_BYTES)
    centre.send(topics.Down.RECEIPT, b"not a receipt")
    eventually(lambda: "message_refused" in world.edge.tail(), what="the second one's refusal")
    assert "contract.too_large" not in world.edge.tail()
    flip(world, centre, world.doors[0], "open")


def test_module_that_vanishes_and_returns_invents_no_opening(world: World, centre: Centre) -> None:
    door = world.doors[3]
    flip(world, centre, door, "open")
    world.simulators.post("/cables/io1", {"online": False})
    centre.await_kind("point.quality", door)
    world.simulators.post("/cables/io1", {"online": True})
    centre.await_kind("point.quality", door, 2)
    flip(world, centre, door, "closed")
    changes = [kind for kind in centre.kinds(door) if kind.startswith("door.")]
    assert changes == ["door.open", "door.closed"]
    assert [kind for kind in centre.kinds() if kind.startswith("door.")] == changes


def test_killed_edge_is_offline_by_its_will(world: World, centre: Centre) -> None:
    world.edge.kill()
    eventually(lambda: centre.seen(Status)[-1].state == "offline", what="the last will")


def test_stop_is_a_row_and_a_goodbye(world: World, centre: Centre) -> None:
    assert world.edge.stop() == 0
    eventually(lambda: "edge.stopped" in centre.kinds(), what="the last row")
    eventually(lambda: centre.seen(Status)[-1].state == "offline", what="the goodbye")
    assert centre.rows[-1].data == {"reason": "sigterm"}
    assert centre.repeated == 0
    assert "are sound" in world.journal("verify").stdout
    assert "edge.stopped" in world.journal("tail").stdout.splitlines()[-1]
    counted = next(line for line in world.edge.log.read_text().splitlines() if '"counted"' in line)
    told = json.loads(counted)
    assert (told["connects"], told["malformed"], told["refused_publishes"]) == (1, 0, 0)
    assert 0 < told["receipts"] <= told["batches"]


def test_a_nak_older_than_the_receipt_that_an_earlier_start_kept_is_no_rollback(
    world: World, centre: Centre
) -> None:
    (birth, *_) = eventually(lambda: centre.seen(Birth), what="the birth")
    assert world.edge.stop() == 0
    centre.is_receipting = False
    world.edge.start()
    eventually(lambda: [one for one in centre.seen(Birth) if one.session > birth.session], what="a new start")
    said = Nak(edge=EDGE, epoch=birth.epoch, first=2, last=3, reason="gap", at=RECEIPTED_MS - 1)
    centre.say(topics.Down.NAK, said)
    line = eventually(
        lambda: [one for one in world.edge.log.read_text().splitlines() if "rows_asked_again" in one],
        what="an answer to the nak",
    )[0]
    assert json.loads(line)["verdict"] == "taken"


def test_changed_settings_are_a_row_of_the_next_start(world: World, centre: Centre) -> None:
    assert world.edge.stop() == 0
    settings = world.folder / "edge.toml"
    settings.write_text(settings.read_text() + "\n# another interval\n")
    world.edge.start()
    eventually(lambda: "config.changed" in centre.kinds(), what="the change")
    assert centre.kinds().count("edge.started") == 2


def test_broker_that_speaks_only_mqtt_3_is_joined_all_the_same(tmp_path: Path) -> None:
    pytest.importorskip("amqtt")
    world = World(tmp_path)
    command = [sys.executable, "-m", "simulators.amqtt_broker", str(world.broker_port)]
    world.broker = Process("amqtt", command, world.folder)
    world.broker.start()
    await_listener(world.broker_port)
    world.edge.start()
    try:
        eventually(lambda: "broker_connected" in world.edge.tail(), what="a connection")
    finally:
        world.stop()
