"""From the centre's key to the lock and back: a slot opens once, by leave, in time, whatever is killed."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from contract import topics
from contract.ids import EdgeId
from contract.messages import Command, decode, encode
from tests.support import mosquitto
from tests.support.cabinet import LOCKS, CabinetWorld
from tests.support.eventually import eventually
from tests.support.world import STATION

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto.PATH is None, reason="needs mosquitto"),
    pytest.mark.timeout(240),
]
COMMAND = topics.down(EdgeId(STATION), topics.Down.COMMAND)


class Thief:
    """Reads every command on the way, and sends what it likes. Only where the broker lets it."""

    def __init__(self, port: int) -> None:
        self.taken: list[bytes] = []
        self._is_heard = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="thief")
        self._client.on_connect = lambda client, *_: client.subscribe(COMMAND, 1)
        self._client.on_subscribe = lambda *_: self._is_heard.set()
        self._client.on_message = lambda _client, _data, message: self.taken.append(bytes(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._is_heard.wait(10)

    def replay(self) -> None:
        for payload in list(self.taken):
            self.send(payload)

    def send(self, payload: bytes) -> None:
        self._client.publish(COMMAND, payload, 1).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CabinetWorld]:
    world = CabinetWorld(tmp_path, **getattr(request, "param", {}))
    yield world
    world.stop()


@pytest.mark.parametrize(
    "world", [{"secure": True}, {"secure": False}], indirect=True, ids=["keys", "no keys"]
)
def test_a_slot_opens_from_the_centre_and_is_not_forced(world: CabinetWorld) -> None:
    world.start()
    given = world.order(LOCKS[2], "open-slot-3")
    world.await_state(given, "done")
    eventually(lambda: world.slots() == ["closed", "closed", "open", "closed"], 20, "the slot")
    assert world.openings(LOCKS[2]) == 1
    assert [data for kind, data in world.rows("lock.open")] == [{"was": "closed", "simulated": True}]
    assert [kind for kind, _ in world.rows("command.")] == ["command.accepted", "command.done"]
    reread = world.order(LOCKS[2], "read-slot-3", "reread")
    assert world.await_state(reread, "done")["detail"] == "open good"
    said = world.run(
        "central", "command", "open-slot", LOCKS[0], "--reason", "试", "--config", "central.toml"
    )
    assert said.endswith("done")
    assert world.openings(LOCKS[0]) == 1


@pytest.mark.parametrize("world", [{"lock_ms": 4_000}], indirect=True)
def test_a_kill_between_the_pulse_and_its_result_abandons_the_command_and_no_replay_repeats_it(
    world: CabinetWorld,
) -> None:
    world.start()
    thief = Thief(world.broker_port)
    world.simulators.post("/devices/locks/acts", {"act": "answer no pulse"})
    given = world.order(LOCKS[0], "open-and-kill")
    eventually(lambda: world.openings(LOCKS[0]), 20, "the pulse")
    world.edge.kill()
    assert [kind for kind, _ in world.rows("command.")] == ["command.accepted"]
    world.simulators.post("/devices/locks/acts", {"act": "restore"})
    world.flip(LOCKS[0], "closed")
    world.edge.start()
    world.await_state(given, "abandoned", 40)
    thief.replay()
    after = world.order(LOCKS[1], "open-another")
    world.await_state(after, "done", 40)
    thief.replay()
    last = world.order(LOCKS[2], "open-the-last")
    world.await_state(last, "done", 40)
    thief.close()
    assert [world.openings(lock) for lock in LOCKS] == [1, 1, 1, 0]
    assert [(kind, data["id"]) for kind, data in world.rows("command.")] == [
        ("command.accepted", given),
        ("command.abandoned", given),
        ("command.accepted", after),
        ("command.done", after),
        ("command.accepted", last),
        ("command.done", last),
    ]


def test_a_command_of_another_start_or_of_an_old_beat_opens_nothing(world: CabinetWorld) -> None:
    world.start()
    first_beat_by = time.monotonic()
    thief = Thief(world.broker_port)
    world.await_state(world.order(LOCKS[0], "open-slot-1"), "done")
    taken = decode(Command, thief.taken[0])
    old = {"beat": 1, "valid_s": 1}
    eventually(lambda: time.monotonic() - first_beat_by > 1.5, 10, "the end of the old command's second")
    for number, changes in enumerate(({"session": taken.session + 1}, {"session": 0}, old, {"beat": 10**6})):
        forged = replace(taken, id=f"forged-{number}", point=LOCKS[1], **changes)
        thief.send(encode(forged))
    eventually(lambda: len(world.rows("command.refused")) == 4, 20, "four refusals")
    assert [data["why"] for _, data in world.rows("command.refused")] == [
        "session",
        "session",
        "expired",
        "expired",
    ]
    assert world.openings(LOCKS[1]) == 0
    thief.close()


def test_a_centre_that_is_killed_with_a_command_on_its_way_sends_the_same_again(world: CabinetWorld) -> None:
    world.start()
    thief = Thief(world.broker_port)
    world.edge.signal(signal.SIGSTOP)
    given = world.order(LOCKS[3], "open-and-kill")
    eventually(lambda: thief.taken, 10, "the command on its way")
    world.central.kill()
    world.central.start()
    eventually(lambda: len(thief.taken) > 1, 20, "the command again")
    assert len(set(thief.taken)) == 1
    world.edge.signal(signal.SIGCONT)
    world.await_centre()
    world.await_state(given, "done", 30)
    assert world.openings(LOCKS[3]) == 1
    thief.close()


def test_maintenance_marks_what_happens_hides_none_of_it_and_ends(world: CabinetWorld) -> None:
    def kinds() -> list[tuple[str, object]]:
        return [(kind, data.get("why")) for kind, data in world.rows("maintenance.")]

    world.start()
    leave = ("central", "maintain", STATION, "--reason", "换锁板", "--config", "central.toml")
    world.run(*leave, "--for", "2h")
    eventually(lambda: kinds() == [("maintenance.began", None)], 20, "the beginning")
    world.flip(world.doors[0], "open")
    (alert,) = eventually(world.alerts, 20, "the alert of a door in maintenance")
    assert alert["room"] == world.rooms[0]
    assert [data.get("maintenance") for kind, data in world.rows("door.open")] == [True]
    world.edge.kill()
    world.edge.start()
    restarted = [("maintenance.began", None), ("maintenance.ended", "restart"), ("maintenance.began", None)]
    eventually(lambda: kinds() == restarted, 30, "the beginning after a restart")
    world.run(*leave, "--end")
    eventually(lambda: kinds() == [*restarted, ("maintenance.ended", "told")], 20, "the end")
    world.flip(world.doors[1], "open")
    eventually(lambda: len(world.alerts()) == 2, 20, "another alert")
    assert [data.get("maintenance") for kind, data in world.rows("door.open")] == [True, None]
