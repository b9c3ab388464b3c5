"""Bad input is refused by name, counted, logged once, and disturbs nothing else; silence is an alarm."""

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
import pytest

from contract import chain, limits, topics
from contract.ids import EdgeId, Epoch
from contract.messages import Batch, encode
from contract.topics import Up
from tests.support.eventually import eventually
from tests.support.mosquitto import PATH
from tests.support.processes import CASEWATCH
from tests.support.world import STATION, World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(PATH is None, reason="mosquitto is not installed"),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    county = World(tmp_path_factory.mktemp("county"))
    try:
        yield county.start()
    finally:
        county.stop()


@pytest.fixture
def stranger(world: World) -> Iterator[mqtt.Client]:
    """Somebody else at the same broker."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", world.broker_port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def refused(world: World) -> dict[str, float]:
    """The centre's count of refused messages by code, from /metrics as an operator reads it."""
    with urllib.request.urlopen(f"{world.board}/metrics") as answer:
        text = answer.read().decode()
    found = re.findall(r'casewatch_ingest_refused_total\{code="([^"]+)"\} (\S+)', text)
    return {code: float(count) for code, count in found}


def forged(epoch: int, head: str) -> bytes:
    """A batch of this station whose row does not hash to its head."""
    row = msgspec.Raw(
        b'{"at":1,"boot":"ab","clock":"free","data":{},"kind":"door.open","mono":1,'
        b'"point":"test.r009.door","seq":1}'
    )
    prev = chain.anchor(EdgeId(STATION), Epoch(epoch)).hex()
    return encode(Batch(edge=STATION, epoch=epoch, first=1, prev=prev, head=head, rows=[row]))


@pytest.mark.parametrize("case", ["malformed", "oversized", "broken chain", "unknown edge", "wrong sender"])
def test_a_bad_message_is_counted_and_disturbs_nothing(
    world: World, stranger: mqtt.Client, case: str
) -> None:
    epoch = world.events()[0]["epoch"]
    log, unknown = topics.up(EdgeId(STATION), Up.LOG), topics.up(EdgeId("nowhere"), Up.LOG)
    topic, payload, code = {
        "malformed": (log, b'{"edge":', "contract.malformed"),
        "oversized": (log, b"x" * (limits.BATCH_MAX_BYTES + 2_000), "contract.too_large"),
        "broken chain": (log, forged(epoch, "0" * 64), "contract.chain_broken"),
        "unknown edge": (unknown, forged(epoch, "0" * 64), "contract.unknown_edge"),
        "wrong sender": (topics.up(EdgeId("other"), Up.LOG), forged(epoch, "0" * 64), "contract."),
    }[case]
    before = sum(count for name, count in refused(world).items() if name.startswith(code))
    for _ in range(3):
        stranger.publish(topic, payload, qos=1).wait_for_publish(5)
    eventually(
        lambda: sum(n for name, n in refused(world).items() if name.startswith(code)) >= before + 3,
        what=f"{code} counted",
    )
    room = world.rooms[["malformed", "oversized", "broken chain", "unknown edge", "wrong sender"].index(case)]
    world.flip(f"{room}.door", "open")
    eventually(lambda: world.door_states()[room] == "open", 5, "the next opening")
    assert "test.r009.door" not in {
        event["row"]["point"] for event in world.events() if event["row"]["kind"] == "door.open"
    }


def test_a_refusal_is_logged_once(world: World) -> None:
    lines = [line for line in world.central.log.read_text().splitlines() if "edge_message_refused" in line]
    told = [(entry["edge"], entry["code"]) for entry in map(msgspec.json.decode, lines)]
    assert len(told) == len(set(told))


def test_a_module_that_vanishes_is_lost_and_back_without_invented_openings(world: World) -> None:
    def fault_kinds() -> set[str]:
        kinds = {fault["kind"] for fault in world.centre.get("/api/v1/faults")["faults"]}
        return kinds - {"simulated", "insecure"}  # which this world is

    before = [event for event in world.events() if event["row"]["kind"] == "door.open"]
    world.simulators.post("/cables/io1", {"online": False})
    eventually(lambda: "point_silent" in fault_kinds(), 20, "the silent points' fault")
    assert set(world.door_states().values()) == {"unknown"}
    world.simulators.post("/cables/io1", {"online": True})
    eventually(lambda: not fault_kinds(), 20, "the end of the fault")
    assert "unknown" not in world.door_states().values()
    assert [event for event in world.events() if event["row"]["kind"] == "door.open"] == before


def test_a_silent_edge_is_an_alarm_and_its_return_ends_it(world: World) -> None:
    def link() -> str:
        return str(world.centre.get("/api/v1/stations")["stations"][0]["link"])

    assert link() == "online"
    world.edge.kill()
    eventually(lambda: link() == "lost", limits.SILENCE_AFTER_S + 10, "失联")
    kinds = {fault["kind"] for fault in world.centre.get("/api/v1/faults")["faults"]}
    assert "station_lost" in kinds
    assert set(world.door_states().values()) == {"unknown"}
    world.edge.start()
    eventually(lambda: link() == "online", 20, "the station's return")
    eventually(lambda: "unknown" not in world.door_states().values(), 20, "every door known again")


def test_a_config_with_ten_faults_lists_ten(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text(
        '[edge]\nid = "LIUXU"\ndata_dir = "edge"\nsimulatd = true\n\n'
        '[broker]\nhost = "127.0.0.1"\nport = 99999\n\n'
        '[[bus]]\nid = "io"\nkind = "modbus_udp"\nhost = "127.0.0.1"\n\n'
        '[[bus]]\nid = "line"\nkind = "modbus_rtu"\n\n'
        '[[device]]\nid = "io1"\nbus = "oi"\ndriver = "modbus_di"\nprofile = "adam-6050"\nunit = 1\n\n'
        '[[device]]\nid = "io2"\nbus = "line"\ndriver = "modbus_di"\nprofile = "adam-9999"\nunit = 1\n'
        'interval_ms = "fast"\n\n'
        '[[point]]\nid = "a.b.door"\ntype = "window"\ndevice = "io1"\nchannel = "di:0"\n\n'
        '[[point]]\nid = "a.c.door"\ntype = "door"\ndevice = "io9"\nchannel = "di:1"\n'
    )
    done = subprocess.run(
        [*CASEWATCH, "edge", "check", str(config)], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stdout.splitlines() + done.stderr.splitlines() if "edge.toml:" in line]
    faults = [line for line in told if re.search(r"edge\.toml:\d+:", line)]
    assert done.returncode != 0
    for path in (
        "edge.id",
        "simulatd",
        "broker.port",
        "kind",
        "device",
        "bus",
        "profile",
        "interval_ms",
        "type",
    ):
        assert any(path in line for line in faults), f"{path} is not among:\n" + "\n".join(faults)
    assert len(faults) == 10, "\n".join(faults)
