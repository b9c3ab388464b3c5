"""Row 15: what was said is said again: at once, after a restart, on another topic, to the edge too."""

import time
from contextlib import closing

import paho.mqtt.client as mqtt
from msgspec.structs import replace

from contract import topics
from contract.ids import EdgeId
from tests.chaos.ground import STATION, Ground, Play, Proxied
from tests.chaos.history import Fact
from tests.support import mqtt_packets
from tests.support.mqtt_proxy import Seen


def captured(ground: Ground) -> None:
    there = ground.proxied(20)
    station, link = there.station, there.edge_link
    for _ in range(ground.trials):
        ground.wait(2.0, 3.0)
        recorded = list(link.seen)
        _play(ground, there, recorded, "up")
        _play(ground, there, recorded, "down")
        with station.blind(), station.silent():
            station.edge.stop()
            started_ns = time.monotonic_ns()
            station.edge.start()
            station.await_beat(started_ns)
        _play(ground, there, recorded, "up")
        _play(ground, there, recorded, "down")
        _elsewhere(station.broker_port, recorded)
        ground.wait(0.5, 1.0)
        ground.tried += 1
    station.conclude()
    lives = station.door_states()
    says = "every door is known after old births and goodbyes were heard again"
    station.history.note(Fact("P4", says, "unknown" not in lives.values()))


def _play(ground: Ground, there: Proxied, recorded: list[Seen], way: str) -> None:
    """All messages of one way, in the seed's order, as packets of the edge's own connection."""
    messages = [one.publish for one in recorded if one.way == way and one.publish is not None]
    ground.random.shuffle(messages)
    for number, message in enumerate(messages):
        again = replace(message, id=60_000 + number % 5_000 if message.qos else 0)
        there.edge_link.inject("up" if way == "up" else "down", mqtt_packets.write_publish(again))
        time.sleep(0.002)


def _elsewhere(port: int, recorded: list[Seen]) -> None:
    """The same bytes on other topics: another edge's, another lane's, nobody's."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "chaos-replay", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    messages = [one.publish for one in recorded if one.way == "up" and one.publish is not None]
    others = [
        topics.up(EdgeId("nobody"), topics.Up.LOG),
        *(topics.up(EdgeId(STATION), up) for up in topics.Up),
    ]
    with closing_client(client):
        for number, message in enumerate(messages[:300]):
            topic = others[number % len(others)]
            if topic != message.topic:
                client.publish(topic, message.payload, qos=1).wait_for_publish(5)


class closing_client(closing[mqtt.Client]):
    def __exit__(self, *_: object) -> None:
        self.thing.disconnect()
        self.thing.loop_stop()


PLAYS = (Play(15, "captured", "captured messages played again", captured, 1, 10, a_run=5, smoke_s=30),)
