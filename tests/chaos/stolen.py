"""Row 16: somebody has an edge's key and a copy of its journal. He is confined, seen, and shut out."""

import shutil
import signal
import time

import paho.mqtt.client as mqtt

from contract import topics
from contract.ids import EdgeId
from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.history import Demand, Fact, Silence
from tests.chaos.station import Station
from tests.support import minted
from tests.support.processes import CASEWATCH, Process

SEEN_S = 30.0
"""The thief's start, and two turns of each: one broker holds one connection of a name."""
SHUT_OUT_S = 5.0


def stolen(ground: Ground) -> None:
    station = ground.running(20, secure=True)
    ground.wait(2, 3)
    pem = (station.folder / "edge" / "identity" / "edge.pem").read_bytes()
    with station.blind():
        station.history.note(Silence(STATION, time.monotonic_ns(), None))
        thief = clone(ground, station)
        _confined(station, pem)
        thief_ns = time.monotonic_ns()
        thief.start()
        kinds = ["two_machines", "forked"]
        station.history.note(Demand("P6", kinds, thief_ns, SEEN_S, "two machines speak as one edge"))
        until_fault(station, kinds, SEEN_S)
        station.run("central", "revoke", STATION, "--config", "central.toml", "--reason", "stolen")
        station.list_tap()
        station.broker.signal(signal.SIGHUP)
        time.sleep(SHUT_OUT_S)
        had = station.cursor()
        time.sleep(4.0)
        says = f"nothing is stored {SHUT_OUT_S:.0f} s after the key was revoked"
        station.history.note(Fact("P8", says, station.cursor() == had))
        thief.kill()
        station.edge.kill()
    ground.tried += 1
    assert station.load is not None
    station.load.stop()
    station.note_store("the store after the key was revoked")
    station.note_board()
    station.history.note(*station.tap.records())


def clone(ground: Ground, station: Station) -> Process:
    """Another box with all that the first has, on the same cables."""
    box = ground.folder / "thief"
    box.mkdir()
    station.edge.signal(signal.SIGSTOP)
    shutil.copytree(station.folder / "edge", box / "edge")
    station.edge.signal(signal.SIGCONT)
    shutil.copy2(station.folder / "edge.toml", box)
    shutil.copy2(station.folder / "media.token", box)
    thief = Process("thief", [*CASEWATCH, "edge", "run", "edge.toml"], box)
    ground.closing.callback(lambda: thief.is_running and thief.kill())
    return thief


def _confined(station: Station, pem: bytes) -> None:
    """With the stolen key at the broker: nothing of others is heard, nothing said in their name arrives."""
    context = minted.client_context(station.trust / "ca.pem", pem, station.folder)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "thief", protocol=mqtt.MQTTv5)
    client.tls_set_context(context)
    heard: list[str] = []
    client.on_message = lambda _c, _d, message: heard.append(message.topic)
    client.connect("127.0.0.1", station.broker_port)
    client.loop_start()
    client.subscribe([("#", 1), ("$SYS/#", 1), (topics.ALL_UP, 1), ("casewatch/1/other/down/+", 1)])
    lies = [topics.up(EdgeId("other"), topics.Up.BEAT), topics.down(EdgeId(STATION), topics.Down.RECEIPT)]
    told = len(station.tap.heard)
    for topic in [*lies, topics.CENTRAL_STATUS]:
        client.publish(topic, b"a lie", qos=1)
    time.sleep(3.0)
    client.disconnect()
    client.loop_stop()
    own = {topics.CENTRAL_STATUS, *(topics.down(EdgeId(STATION), lane) for lane in topics.Down)}
    says = f"the thief hears only what is for his edge ({sorted(set(heard) - own)[:3]})"
    station.history.note(Fact("P8", says, set(heard) <= own))
    is_through = any(raw == b"a lie" for _, _, raw in station.tap.heard[told:])
    station.history.note(Fact("P8", "nothing that the thief says for others arrives", not is_through))


def until_fault(station: Station, kinds: list[str], within_s: float) -> None:
    ends_at = time.monotonic() + within_s
    while time.monotonic() < ends_at:
        if any(fault["kind"] in kinds for fault in station.centre.get("/api/v1/faults")["faults"]):
            return
        time.sleep(0.2)


PLAYS = (Play(16, "stolen", "an edge's key and journal stolen", stolen, 1, 6, a_run=1, smoke_s=60),)
