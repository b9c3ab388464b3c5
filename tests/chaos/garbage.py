"""Row 11: bytes that make no sense: to every codec, and to centre, edge and board while they work."""

import http.client
import random
import subprocess
import sys
import time
from contextlib import suppress

import paho.mqtt.client as mqtt

from contract import limits, topics
from contract.ids import EdgeId
from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.history import Fact, Figure
from tests.chaos.station import Station
from tests.support.processes import ROOT

MESSAGES = 600
REQUESTS = 150
GROWTH_MB = 40.0
LAG_S = limits.RECEIPT_PATIENCE_S + 3.0
"""A broker that lies may always crowd a message out; it is sent again when patience ends."""
SMOKE = ("tests/fuzz/test_fuzz_codecs.py", "tests/unit/contract/test_messages.py")


def codecs(ground: Ground) -> None:
    """The properties of every codec, by hypothesis; `script/fuzz` plays them a million times."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SMOKE]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    (ground.folder / "codecs.log").write_text(done.stdout + done.stderr)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "no output"
    ground.history.note(Fact("P11", f"the codecs' properties hold ({last})", done.returncode == 0))
    ground.tried += 1


def at_work(ground: Ground) -> None:
    """What was really said, mutated, back to centre and edge by a broker that lies; nonsense to the board."""
    station = ground.running(20, secure=True)
    time.sleep(2)
    before_mb = {process.name: process.rss_mb() for process in (station.edge, station.central)}
    for _ in range(ground.trials):
        from_ns = time.monotonic_ns()
        with station.silent():  # a mutated goodbye may be a sound one
            station.tap.is_deaf = True
            _to_the_broker(ground, station)
            time.sleep(0.5)
            station.tap.is_deaf = False
            _to_the_board(ground, station)
        until_ns = time.monotonic_ns()
        ground.tried += 1
        station.settle()
        station.note_lag("P11", "door to centre among garbage", from_ns, until_ns, LAG_S)
    for process in (station.edge, station.central):
        grown_mb = process.rss_mb() - before_mb[process.name]
        station.history.note(
            Fact("P11", f"the {process.name} runs on", process.is_running),
            Figure("P9", f"MB that the {process.name} grew by garbage", grown_mb, GROWTH_MB),
        )
    station.conclude()


def _to_the_broker(ground: Ground, station: Station) -> None:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "chaos-garbage", protocol=mqtt.MQTTv5)
    client.tls_set_context(station.liar())
    client.connect("127.0.0.1", station.broker_port)
    client.loop_start()
    said = [(topic, raw) for _, topic, raw in list(station.tap.heard) if "/up/" in topic or "/down/" in topic]
    down = [topics.down(EdgeId(STATION), lane) for lane in topics.Down]
    for number in range(MESSAGES):
        topic, raw = ground.random.choice(said)
        if number % 4 == 0:
            topic = ground.random.choice([*down, topics.CENTRAL_STATUS])
        sent = client.publish(topic, mutated(raw, ground.random), qos=1)
        if number % 50 == 0:
            sent.wait_for_publish(10)
    sent.wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def mutated(raw: bytes, by: random.Random) -> bytes:
    """Bits flipped, pieces cut, doubled, put in, or all of it something else."""
    data = bytearray(raw)
    for _ in range(by.randint(1, 4)):
        at, way = by.randrange(len(data) + 1), by.randrange(6)
        if way == 0 and data:
            data[at % len(data)] ^= 1 << by.randrange(8)
        elif way == 1:
            del data[at : at + by.randint(1, 40)]
        elif way == 2:
            data[at:at] = data[at : at + by.randint(1, 200)]
        elif way == 3:
            data[at:at] = by.choice((b"[" * 3_000, b'"\\u0000"', b"9" * 400, b"\xff\xfe", b"null", b"1e999"))
        elif way == 4:
            data = bytearray(by.randbytes(by.randint(0, 600)))
        else:
            data += b" " * by.randint(0, 40_000)
    return bytes(data)


def _to_the_board(ground: Ground, station: Station) -> None:
    paths = ["/api/v1/sessions", "/api/v1/events", "/api/v1/alerts", "/api/v1/live", "/healthz", "/"]
    for _ in range(REQUESTS):
        tls = station.centre.tls
        client = http.client.HTTPSConnection("127.0.0.1", station.web_port, timeout=10, context=tls)
        with suppress(OSError, http.client.HTTPException, ValueError):
            path = ground.random.choice(paths) + ground.random.choice(
                ["", "?after=-1&limit=x", "/../..", "/%00"]
            )
            body = mutated(b'{"code":"x","name":"y","password":"z"}', ground.random)[:60_000]
            headers = {"Content-Type": "application/json", "Origin": station.board}
            client.request(ground.random.choice(["GET", "POST", "DELETE", "PUT"]), path, body, headers)
            status = client.getresponse().status
            station.history.note(
                Fact("P11", f"{path} answers {status}, no error of the program", status < 500)
            )
        client.close()


PLAYS = (
    Play(11, "codecs", "any bytes to every codec", codecs, 1, 1, smoke_s=40),
    Play(11, "at-work", "mutated messages to all at work", at_work, 1, 20, a_run=5, smoke_s=25),
)
