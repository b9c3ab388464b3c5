"""The shipped mosquitto.conf on a real mosquitto: whom it lets in, and what each may do there."""

import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from central.trust.authority import Authority, pem_of
from tests.support import mosquitto
from tests.support.certs import DAY_MS, County, now_ms
from tests.support.eventually import eventually
from tests.support.ports import free_ports
from tests.support.processes import Process

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto.PATH is None, reason="mosquitto is not installed: no real broker was asked"),
]
WITHIN_S = 10


class Broker:
    def __init__(self, county: County, process: Process, port: int) -> None:
        self.county = county
        self.process = process
        self.port = port


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    place = tmp_path_factory.mktemp("broker")
    county = County(place, "liuxu", "linhu")
    port = free_ports(1)[0]
    process = mosquitto.secure_mosquitto(place, port, county.trust)
    process.start()
    mosquitto.await_listener(port)
    yield Broker(county, process, port)
    process.stop()


class Visitor:
    """A client with any certificate at all. All write the same client id, so none may be known by it.

    `let_in` is None until the broker has answered.
    """

    def __init__(self, broker: Broker, identity: Path | None) -> None:
        self.let_in: bool | None = None
        self.heard: list[tuple[str, bytes]] = []
        self.granted: list[bool] = []
        self._answers: dict[int, ReasonCode] = {}
        self._answered = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, "visitor", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.tls_set_context(broker.county.context(identity))
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._client.on_publish = self._published
        self._client.on_subscribe = self._subscribed
        try:
            self._client.connect("127.0.0.1", broker.port, 10)
        except ssl.SSLError:
            self.let_in = False
            return
        self._client.loop_start()
        eventually(lambda: self.let_in is not None, WITHIN_S, "the broker's answer")

    def publish(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> bool:
        """Whether the broker took it."""
        mid = self._client.publish(topic, payload, 1, retain).mid
        eventually(lambda: mid in self._answers, WITHIN_S, f"the answer to {topic}")
        return not self._answers[mid].is_failure

    def subscribe(self, topic: str) -> bool:
        before = len(self.granted)
        self._client.subscribe(topic, 1)
        eventually(lambda: len(self.granted) > before, WITHIN_S, f"the answer to {topic}")
        return self.granted[-1]

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected()

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _c: Client, _d: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        self.let_in = not reason.is_failure

    def _disconnected(self, _c: Client, _d: Any, _f: Any, _reason: ReasonCode, _p: Any) -> None:
        self.let_in = bool(self.let_in)
        self._client.reconnect_delay_set(60, 60)

    def _message(self, _c: Client, _d: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))

    def _published(self, _c: Client, _d: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        self._answers[mid] = reason

    def _subscribed(self, _c: Client, _d: Any, _mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        self.granted.append(not reasons[0].is_failure)


@pytest.fixture
def edge(broker: Broker) -> Iterator[Visitor]:
    visitor = Visitor(broker, broker.county.edge("liuxu"))
    yield visitor
    visitor.leave()


@pytest.fixture
def central(broker: Broker) -> Iterator[Visitor]:
    visitor = Visitor(broker, broker.county.central())
    assert visitor.subscribe("casewatch/1/+/up/+")
    yield visitor
    visitor.leave()


def test_what_an_edge_says_for_itself_reaches_the_centre(edge: Visitor, central: Visitor) -> None:
    assert edge.publish("casewatch/1/liuxu/up/log", b"mine")
    eventually(lambda: ("casewatch/1/liuxu/up/log", b"mine") in central.heard, WITHIN_S, "the edge's word")


@pytest.mark.parametrize(
    "topic",
    [
        "casewatch/1/linhu/up/log",
        "casewatch/1/linhu/up/status",
        "casewatch/1/liuxu/down/receipt",
        "casewatch/1/linhu/down/command",
        "casewatch/1/central/status",
        "casewatch/1/liuxu/up/log/more",
        "anything",
    ],
)
def test_an_edge_cannot_say_what_is_anothers_to_say(edge: Visitor, central: Visitor, topic: str) -> None:
    assert not edge.publish(topic, b"forged")
    assert edge.publish("casewatch/1/liuxu/up/beat", topic.encode())
    mine = ("casewatch/1/liuxu/up/beat", topic.encode())
    eventually(lambda: mine in central.heard, WITHIN_S, "what was said after it")
    assert not [payload for _, payload in central.heard if payload == b"forged"]


def test_an_edge_cannot_listen_to_others_nor_to_the_broker_itself(edge: Visitor, central: Visitor) -> None:
    """Mosquitto grants such a subscription and then brings nothing; what counts is what is heard."""
    for topic in ("casewatch/1/linhu/down/+", "casewatch/1/+/up/+", "$SYS/#", "#"):
        edge.subscribe(topic)
    assert edge.subscribe("casewatch/1/liuxu/down/+")
    assert central.publish("casewatch/1/linhu/down/receipt", b"not for liuxu")
    assert central.publish("casewatch/1/liuxu/down/receipt", b"for liuxu")
    eventually(lambda: edge.heard, WITHIN_S, "its own receipt")
    assert [payload for _, payload in edge.heard] == [b"for liuxu"] * len(edge.heard)


def test_the_centre_speaks_downwards_only(central: Visitor) -> None:
    assert central.publish("casewatch/1/linhu/down/nak")
    assert not central.publish("casewatch/1/linhu/up/log")


def test_nobody_ends_anothers_connection_by_his_name(broker: Broker, central: Visitor) -> None:
    """Both write the same client id; what counts is the name in the certificate."""
    thief = Visitor(broker, broker.county.edge("linhu"))
    assert thief.let_in
    assert thief.publish("casewatch/1/linhu/up/beat")
    assert central.is_connected
    thief.leave()


def test_without_a_certificate_nobody_gets_in(broker: Broker) -> None:
    assert not Visitor(broker, None).let_in


def test_another_authoritys_certificate_is_refused(broker: Broker) -> None:
    assert not Visitor(broker, broker.county.edge("liuxu", authority=Authority.new(now_ms()))).let_in


@pytest.mark.parametrize("days", [-800, 30], ids=["ended", "not yet begun"])
def test_a_certificate_out_of_its_time_is_refused(broker: Broker, days: int) -> None:
    assert not Visitor(broker, broker.county.edge("liuxu", at_ms=now_ms() + days * DAY_MS)).let_in


def test_a_servers_certificate_is_no_clients(broker: Broker) -> None:
    """Else whoever has the media key of a station, or the broker's, could be an edge."""
    assert not Visitor(broker, broker.county.media("liuxu.edge.casewatch")).let_in


def test_an_edge_that_no_station_has_may_do_nothing(broker: Broker) -> None:
    stranger = Visitor(broker, broker.county.edge("nobody"))
    assert not stranger.publish("casewatch/1/nobody/up/log")
    stranger.leave()


def test_a_revoked_certificate_is_refused_from_the_next_reading_of_the_list(broker: Broker) -> None:
    identity = broker.county.edge("linhu")
    first = Visitor(broker, identity)
    assert first.let_in
    first.leave()
    broker.county.revoke(identity)
    broker.process.signal(signal.SIGHUP)
    eventually(lambda: not Visitor(broker, identity).let_in, WITHIN_S, "the refusal")
    other = Visitor(broker, broker.county.edge("linhu"))
    assert other.let_in, "the name is not banned, its old key is"
    other.leave()


def test_nothing_is_said_in_the_clear(broker: Broker) -> None:
    """A plain CONNECT gets no CONNACK."""
    with socket.create_connection(("127.0.0.1", broker.port), 5) as line:
        line.sendall(bytes.fromhex("101000044d5154540402003c0004746573740000"))
        line.settimeout(5)
        try:
            answer = line.recv(64)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith(b"\x20")


def test_an_edge_refuses_a_broker_of_another_authority_or_name(broker: Broker, tmp_path: Path) -> None:
    stranger = tmp_path / "other-ca.pem"
    stranger.write_bytes(pem_of(Authority.new(now_ms()).certificate))
    for name, ca in (("localhost", stranger), ("broker.elsewhere.example", None)):
        context = broker.county.context(broker.county.edge("liuxu"), ca)
        line = socket.create_connection(("127.0.0.1", broker.port), 5)
        with line, pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(line, server_hostname=name)
