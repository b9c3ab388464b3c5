"""The proxy changes what it is told to change, and nothing else."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from tests.support import mqtt_packets as mqtt
from tests.support.eventually import eventually
from tests.support.mosquitto import PATH, await_listener, mosquitto
from tests.support.mqtt_proxy import Proxy
from tests.support.ports import free_ports


def test_packets_are_found_whatever_way_the_bytes_come() -> None:
    packets = [
        mqtt.write_publish(mqtt.Publish("a/b", b"x" * size, 1, False, 7, b"\0"))
        for size in (0, 100, 200, 20_000)
    ]
    packets.append(mqtt.puback(7))
    stream, framer = b"".join(packets), mqtt.Framer()
    assert [p for n in range(len(stream)) for p in framer.feed(stream[n : n + 1])] == packets
    assert mqtt.Framer().feed(stream) == packets


@pytest.mark.parametrize(("version", "properties"), [(5, b"\x02\x01\x01"), (4, b"")])
def test_a_publish_is_read_as_it_was_written(version: int, properties: bytes) -> None:
    publish = mqtt.Publish("a/b", b"payload", 1, True, 300, properties)
    assert mqtt.read_publish(mqtt.write_publish(publish), version) == publish


@pytest.mark.parametrize("stream", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
def test_what_is_no_mqtt_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match=r"packet|length"):
        mqtt.Framer().feed(stream)


class Pair:
    """One client behind the proxy that publishes, one at the broker that hears."""

    def __init__(self, folder: Path) -> None:
        broker_port, proxy_port = free_ports(2)
        self.heard: list[bytes] = []
        self.broker = mosquitto(folder, broker_port)
        self.broker.start()
        await_listener(broker_port)
        self.proxy = Proxy(proxy_port, ("127.0.0.1", broker_port), seed=1).start()
        self.listener = self._client(broker_port, "listener")
        self.listener.on_message = lambda _c, _d, message: self.heard.append(bytes(message.payload))
        subscribed = threading.Event()
        self.listener.on_subscribe = lambda *_: subscribed.set()
        self.listener.subscribe("t", 1)
        assert subscribed.wait(10)
        self.speaker = self._client(proxy_port, "speaker")

    def say(self, count: int) -> list[bytes]:
        said = [str(n).encode() for n in range(count)]
        for one in said:
            self.speaker.publish("t", one, qos=1)
        return said

    def close(self) -> None:
        for client in (self.speaker, self.listener):
            client.disconnect()
            client.loop_stop()
        self.proxy.stop()
        self.broker.stop()

    @staticmethod
    def _client(port: int, name: str) -> paho.Client:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
        connected = threading.Event()

        def on_connect(*_: Any) -> None:
            connected.set()

        client.on_connect = on_connect
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert connected.wait(10)
        return client


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


@pytest.mark.broker
@pytest.mark.skipif(PATH is None, reason="mosquitto is not installed")
class TestWithABroker:
    def test_in_fair_weather_all_passes_once_and_in_order(self, pair: Pair) -> None:
        said = pair.say(50)
        eventually(lambda: len(pair.heard) == 50)
        assert pair.heard == said
        seen = [one.publish.payload for one in pair.proxy.seen if one.publish and one.way == "up"]
        assert seen == said

    def test_a_doubled_packet_comes_twice(self, pair: Pair) -> None:
        pair.proxy.weather.double = 1.0
        said = pair.say(5)
        eventually(lambda: len(pair.heard) == 10)
        assert sorted(set(pair.heard)) == said

    def test_a_turned_packet_is_overtaken(self, pair: Pair) -> None:
        pair.proxy.weather.turn = 0.3
        said = pair.say(30)
        eventually(lambda: len(pair.heard) == 30)
        assert sorted(pair.heard, key=int) == said
        assert pair.heard != said

    def test_a_swallowed_packet_is_acknowledged_and_never_comes(self, pair: Pair) -> None:
        pair.proxy.weather.swallow = 1.0
        pair.speaker.publish("t", b"lost", qos=1).wait_for_publish(10)
        pair.proxy.weather.swallow = 0.0
        pair.speaker.publish("t", b"kept", qos=1)
        eventually(lambda: pair.heard)
        assert pair.heard == [b"kept"]

    def test_latency_keeps_the_order(self, pair: Pair) -> None:
        pair.proxy.weather.latency_s = 0.3
        started = time.monotonic()
        said = pair.say(10)
        eventually(lambda: len(pair.heard) == 10)
        assert time.monotonic() - started >= 0.3
        assert pair.heard == said

    def test_a_reset_is_noticed_at_once_and_the_client_comes_back(self, pair: Pair) -> None:
        pair.proxy.reset()
        eventually(lambda: len(pair.proxy.accepted_ns) == 2)

    def test_what_was_recorded_can_be_played_again(self, pair: Pair) -> None:
        pair.say(1)
        eventually(lambda: pair.heard)
        seen = next(one for one in pair.proxy.seen if one.publish)
        assert pair.proxy.inject("up", seen.packet)
        eventually(lambda: len(pair.heard) == 2)
