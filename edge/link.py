"""The way to the broker: paho's callbacks brought into asyncio. The only file of the edge that knows paho.

A paho client lives for one connection: nothing it had queued outlives it, because the journal is the
session. Connecting resolves names and may block, so it happens in a thread; reading and writing
happen on the loop. MQTT 5 first; a broker that does not take it is tried with 3.1.1
next, but one that once took it is never spoken to in less.

A PUBACK is flow control and proves nothing. One that says no, or that nobody listens, is counted.
"""

import asyncio
import random
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contract import topics
from contract.ids import EdgeId
from contract.limits import MESSAGE_MAX_BYTES, RECONNECT_CAP_S
from edge.settings import BrokerSettings

KEEPALIVE_S = 10
CONNECT_TIMEOUT_S = 5.0
ANSWER_PATIENCE_S = 3.0
"""For a broker's answer to CONNECT: one that knows only MQTT 3 may say nothing at all."""
QUEUED_MESSAGES_MAX = 64
PACKET_MAX_BYTES = MESSAGE_MAX_BYTES + 4_096
"""The longest message, its topic and properties. A broker of MQTT 5 brings us nothing longer."""
_NO_SUBSCRIBERS = 0x10
ALERT = "socket: [SSL: "
REASONS_TOLD_MAX = 8
"""Each is logged once while there is no connection: first that it was lost, then why none comes about."""

log = structlog.get_logger()


class BrokerAnswer(msgspec.Struct, frozen=True):
    """What came of asking a broker: `refusal` is empty where it let us in. `retained` by topic."""

    protocol: str
    refusal: str = ""
    retained: dict[str, bytes] = {}


class LinkCounters(msgspec.Struct):
    """Since the process started; logged when it stops."""

    connects: int = 0
    refused_pubacks: int = 0
    unheard_pubacks: int = 0
    refused_publishes: int = 0
    """Not taken by the client: not connected, or its queue was full."""


class Link:
    """Connects, and connects again, until it is cancelled. Callbacks run on the loop and must not raise."""

    def __init__(
        self,
        settings: BrokerSettings,
        edge: EdgeId,
        will: Callable[[], bytes],
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`will` makes the status that the broker tells on our behalf when we are gone. `tls` is asked anew
        for each connection, so that it may be rotated; None: plain, without keys.
        """
        self.counters = LinkCounters()
        self.on_connect: Callable[[], None] = lambda: None
        self.on_disconnect: Callable[[], None] = lambda: None
        self.on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self._settings = settings
        self._edge = edge
        self._will = will
        self._tls = tls
        self._client: Client | None = None
        self._is_connected = False
        self._told: set[str] = set()
        """Why there is no connection, as it was logged since the last one."""
        self._is_closing = False
        self._refusal = ""
        self._ended = asyncio.Event()
        self._farewell: int | None = None
        self._is_parted = asyncio.Event()
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._has_spoken_v5 = False

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    def publish(self, lane: topics.Up, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the broker's client. False if it could not be taken."""
        if self._client is None or not self._is_connected:
            return False
        info = self._client.publish(topics.up(self._edge, lane), payload, qos, retain)
        is_taken = info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS
        self.counters.refused_publishes += not is_taken
        return is_taken

    async def run(self) -> None:
        """Keep a connection up until `close`. Full jitter: many edges never come back in step."""
        while not self._is_closing:
            await self._session()
            await asyncio.sleep(random.uniform(0, RECONNECT_CAP_S))  # noqa: S311 jitter, not a secret

    async def close(self, farewell: bytes) -> None:
        """Say goodbye as `status` and part in order, so that the will is not needed. Only once the broker has
        the word: what is closed over an answer that was not read may be lost with it.
        """
        self._is_closing = True
        if self._client is None or not self._is_connected:
            return
        topic = topics.up(self._edge, topics.Up.STATUS)
        self._farewell = self._client.publish(topic, farewell, 1, retain=True).mid
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._is_parted.wait()
                self._client.disconnect()
                await self._ended.wait()

    async def _session(self) -> None:
        """One connection from its first packet to its end."""
        self._ended.clear()
        self._refusal = ""
        loop = asyncio.get_running_loop()
        try:
            client = self._client = self._make_client()
            await loop.run_in_executor(None, self._connect, client)
        except (OSError, ValueError) as error:
            self._lost(str(error))
            return
        sock = client.socket()
        if sock is None:
            return
        self._bridge(client, sock, loop)
        try:
            answer_by = loop.time() + ANSWER_PATIENCE_S
            while not self._ended.is_set() and (self._is_connected or loop.time() < answer_by):
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._ended.wait()
                client.loop_misc()
        finally:
            self._unbridge(client, loop)
            was_connected = self._is_connected
            self._is_connected = False
            if was_connected:
                self.on_disconnect()
        self._choose_protocol(was_connected=was_connected)
        self._lost(self._refusal or "connection closed")

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"casewatch-edge-{self._edge}",
            protocol=self._protocol,
            clean_session=None if self._protocol is MQTTProtocolVersion.MQTTv5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_queued_messages_set(QUEUED_MESSAGES_MAX)
        client.will_set(topics.up(self._edge, topics.Up.STATUS), self._will(), qos=1, retain=True)
        if self._tls is not None:
            client.tls_set_context(self._tls())
        if self._settings.username:
            client.username_pw_set(self._settings.username, self._password())
        client.on_connect = self._handle_connect
        client.on_disconnect = self._handle_disconnect
        client.on_message = self._handle_message
        client.on_publish = self._handle_publish
        client.on_log = self._handle_log
        return client

    def _password(self) -> str | None:
        name = self._settings.password_file
        return Path(name).read_text().strip() if name else None

    def _connect(self, client: Client) -> None:
        properties = None
        if self._protocol is MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = PACKET_MAX_BYTES
        client.connect(self._settings.host, self._settings.port, KEEPALIVE_S, properties=properties)
        sock = client.socket()
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _bridge(self, client: Client, sock: Any, loop: asyncio.AbstractEventLoop) -> None:
        """From now on the loop tells paho when its socket can be read or written."""

        def register_write(_client: Client, _data: Any, sock: Any) -> None:
            loop.add_writer(sock, client.loop_write)

        def unregister_write(_client: Client, _data: Any, sock: Any) -> None:
            loop.remove_writer(sock)

        def close(_client: Client, _data: Any, sock: Any) -> None:
            loop.remove_reader(sock)
            loop.remove_writer(sock)
            self._ended.set()

        def read() -> None:
            """What TLS has taken off the socket already makes it readable no more: it is read to its end."""
            client.loop_read()
            while isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
                client.loop_read()

        client.on_socket_register_write = register_write
        client.on_socket_unregister_write = unregister_write
        client.on_socket_close = close
        loop.add_reader(sock, read)
        if client.want_write():
            loop.add_writer(sock, client.loop_write)

    def _unbridge(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        """Drop what is left of a connection. Without a DISCONNECT: the broker then tells the will."""
        client.on_socket_unregister_write = None
        client.on_socket_close = None
        sock = client.socket()
        if sock is not None:
            loop.remove_reader(sock)
            loop.remove_writer(sock)
            sock.close()

    def _choose_protocol(self, *, was_connected: bool) -> None:
        """What worked is kept; a CONNECT without success says that the other version should be tried."""
        is_v5 = self._protocol is MQTTProtocolVersion.MQTTv5
        if was_connected:
            self._has_spoken_v5 = self._has_spoken_v5 or is_v5
        elif not self._has_spoken_v5:
            self._protocol = MQTTProtocolVersion.MQTTv311 if is_v5 else MQTTProtocolVersion.MQTTv5

    def _handle_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refusal = f"broker refused: {reason}"
            self._ended.set()
            return
        client.on_log = None
        client.subscribe([(topics.all_down(self._edge), 1), (topics.CENTRAL_STATUS, 1)])
        self._is_connected = True
        self._told.clear()
        self.counters.connects += 1
        log.info("broker_connected", host=self._settings.host, port=self._settings.port)
        self.on_connect()

    def _handle_log(self, _client: Client, _data: Any, _level: int, text: str) -> None:
        """Until we are let in. In TLS 1.3 a certificate is refused after the handshake, and paho tells
        why in its log alone.
        """
        if ALERT in text:
            self._refusal = text.partition(ALERT)[2].partition("]")[0]

    def _handle_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self._refusal = self._refusal or str(reason)
        self._ended.set()

    def _handle_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.on_message(message.topic, bytes(message.payload))

    def _handle_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if mid == self._farewell:
            self._is_parted.set()
        if reason.is_failure:
            self.counters.refused_pubacks += 1
        elif reason.value == _NO_SUBSCRIBERS:
            self.counters.unheard_pubacks += 1

    def _lost(self, reason: str) -> None:
        if reason not in self._told and len(self._told) < REASONS_TOLD_MAX and not self._is_closing:
            self._told.add(reason)
            log.warning("broker_lost", host=self._settings.host, port=self._settings.port, reason=reason)


def ask_broker(settings: BrokerSettings, topic: str, tls: ssl.SSLContext | None = None) -> BrokerAnswer:
    """Connect under a name of our own, and see what is retained on a topic. Blocks. With a certificate the
    name is the certificate's: a running agent's connection would be ended.

    Raises OSError where no connection comes about at all.
    """
    answer = _ask_broker(settings, topic, MQTTProtocolVersion.MQTTv5, tls)
    return _ask_broker(settings, topic, MQTTProtocolVersion.MQTTv311, tls) if answer.refusal else answer


def _ask_broker(
    settings: BrokerSettings, topic: str, protocol: MQTTProtocolVersion, tls: ssl.SSLContext | None
) -> BrokerAnswer:
    retained: dict[str, bytes] = {}
    said: list[ReasonCode] = []
    client = Client(
        CallbackAPIVersion.VERSION2, f"casewatch-doctor-{random.getrandbits(32):08x}", protocol=protocol
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    if tls is not None:
        client.tls_set_context(tls)
    if settings.username:
        name = settings.password_file
        client.username_pw_set(settings.username, Path(name).read_text().strip() if name else None)

    def connected(_client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _props: Any) -> None:
        said.append(reason)
        client.subscribe(topic, 1)

    def received(_client: Client, _data: Any, message: MQTTMessage) -> None:
        retained[message.topic] = bytes(message.payload)

    client.on_connect, client.on_message = connected, received
    client.connect(settings.host, settings.port, KEEPALIVE_S)
    ends_mono = time.monotonic() + ANSWER_PATIENCE_S
    while not retained and time.monotonic() < ends_mono and client.socket() is not None:
        client.loop(0.1)
    client.disconnect()
    words = "MQTT 5" if protocol is MQTTProtocolVersion.MQTTv5 else "MQTT 3.1.1"
    refusal = str(said[0]) if said and said[0].is_failure else "" if said else "no answer to CONNECT"
    return BrokerAnswer(words, refusal, retained)
