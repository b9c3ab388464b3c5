"""The centre's way to the broker: paho's callbacks brought into asyncio. Its only file that knows paho.

A client lives for one connection and starts clean: what the broker forgot, the edges still hold.
Connecting resolves names and may block, so it happens in a thread; all else happens on the loop.
MQTT 5 first; a broker that refuses it is tried with 3.1.1 next, but one that once took it is never spoken
to in less.
"""

import asyncio
import random
import socket
import ssl
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.settings import BrokerSettings
from contract import messages, topics
from contract.errors import ContractError
from contract.keys import Signer
from contract.limits import MESSAGE_MAX_BYTES, RECONNECT_CAP_S
from contract.messages import CentralStatus
from contract.signing import sign

Receive = Callable[[str, bytes, int, float], None]
"""Topic, payload, wall ms and monotonic seconds at arrival; called on the loop, must not raise."""

CLIENT_ID = "casewatch-central"
"""The same at each start: the broker then ends a connection that an earlier start left half open."""
KEEPALIVE_S = 10
CONNECT_TIMEOUT_S = 2.0
GOODBYE_TIMEOUT_S = 1.0
QUEUED_MESSAGES_MAX = 1_024
"""Receipts that wait for the broker; more are dropped, and the edges ask again."""
PACKET_MAX_BYTES = MESSAGE_MAX_BYTES + 4_096
"""A broker that speaks MQTT 5 keeps anything longer from us."""
ALERT = "socket: [SSL: "
REASONS_TOLD_MAX = 8
"""Each is logged once while there is no connection: first that it was lost, then why none comes about."""

log = structlog.get_logger()


class Link:
    """Keeps a connection up, says `central/status`, hands on what edges send."""

    def __init__(
        self,
        broker: BrokerSettings,
        signer: Signer | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`tls` is asked anew for each connection, so that it may be rotated. Neither: without keys."""
        self.is_connected = False
        self._broker = broker
        self._signer = signer
        self._tls = tls
        self.instance = uuid.uuid4().hex
        """Edges see in the status that this is another start of the centre."""
        self._client: Client | None = None
        self._ended = asyncio.Event()
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._has_spoken_v5 = False
        self._told: set[str] = set()
        """Why there is no connection, as it was logged since the last one."""
        self._refusal = ""

    def publish(self, topic: str, payload: bytes) -> None:
        """Sends at QoS 1. Without a connection it is dropped: the edges ask again."""
        if self._client is not None and self.is_connected:
            self._client.publish(topic, payload, qos=1)

    async def run(self, receive: Receive) -> None:
        """Connects and reconnects until cancelled; then says goodbye."""
        while True:
            await self._session(receive)
            await asyncio.sleep(random.uniform(0, RECONNECT_CAP_S))  # noqa: S311 - jitter, not a secret

    async def _session(self, receive: Receive) -> None:
        """One connection from its first packet to its end."""
        self._ended.clear()
        self._refusal = ""
        loop = asyncio.get_running_loop()
        client = self._client = self._make_client(receive)
        try:
            await loop.run_in_executor(None, self._connect, client)
        except (OSError, ValueError) as error:
            self._say_lost(str(error))
            return
        self._bridge(client, loop)
        try:
            await self._until_ended(client)
        except asyncio.CancelledError:
            await self._say_goodbye(client)
            raise
        finally:
            was_connected, self.is_connected = self.is_connected, False
            self._part(client, loop)
        self._choose_protocol(was_connected=was_connected)
        self._say_lost(self._refusal or "connection closed")

    async def _until_ended(self, client: Client) -> None:
        """A broker that takes the connection and never answers has not understood us: try another version."""
        answer_by = time.monotonic() + CONNECT_TIMEOUT_S
        while not self._ended.is_set():
            if not self.is_connected and time.monotonic() > answer_by:
                self._refusal = "broker did not answer"
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._ended.wait()
            client.loop_misc()

    async def _say_goodbye(self, client: Client) -> None:
        if self.is_connected:
            self.is_connected = False
            said = client.publish(topics.CENTRAL_STATUS, self._status("offline"), qos=1, retain=True)
            taken = asyncio.Event()
            client.on_publish = lambda _c, _d, mid, _r, _p: taken.set() if mid == said.mid else None
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                    # What is closed over an answer that was not read may be lost with it.
                    await taken.wait()
                    client.disconnect()
                    await self._ended.wait()

    def _make_client(self, receive: Receive) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=CLIENT_ID,
            protocol=self._protocol,
            clean_session=None if self._protocol is MQTTProtocolVersion.MQTTv5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_queued_messages_set(QUEUED_MESSAGES_MAX)
        client.will_set(topics.CENTRAL_STATUS, self._status("offline"), qos=1, retain=True)

        def hand_on(_client: Client, _data: Any, message: MQTTMessage) -> None:
            if message.topic == topics.CENTRAL_STATUS:
                self._hear_status(bytes(message.payload))
                return
            receive(message.topic, bytes(message.payload), time.time_ns() // 1_000_000, time.monotonic())

        client.on_message = hand_on
        client.on_connect = self._handle_connect
        client.on_disconnect = self._handle_disconnect
        client.on_log = self._handle_log
        return client

    def _password(self) -> str | None:
        name = self._broker.password_file
        return Path(name).read_text().strip() if name else None

    def _status(self, state: Literal["online", "offline"]) -> bytes:
        now_ms = time.time_ns() // 1_000_000
        status = CentralStatus(state=state, instance=self.instance, at=now_ms)
        return messages.encode(sign(status, self._signer) if self._signer else status)

    def _hear_status(self, payload: bytes) -> None:
        """While we are here nothing may stand in our place: no rubbish, and no will, be it that of a
        connection of our own that the broker gave up late.
        """
        try:
            is_gone = messages.decode(CentralStatus, payload).state == "offline"
        except ContractError:
            is_gone = True
        if is_gone:
            self._say_online()

    def _say_online(self) -> None:
        if self._client is not None and self.is_connected:
            self._client.publish(topics.CENTRAL_STATUS, self._status("online"), qos=1, retain=True)

    def _connect(self, client: Client) -> None:
        """Raises OSError or ValueError, also for a password that cannot be read."""
        if self._tls is not None:
            client.tls_set_context(self._tls())
        if self._broker.username:
            client.username_pw_set(self._broker.username, self._password())
        properties = None
        if self._protocol is MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = PACKET_MAX_BYTES
        client.connect(self._broker.host, self._broker.port, KEEPALIVE_S, properties=properties)
        sock = client.socket()
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _bridge(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        """From now on the loop tells paho when its socket can be read or written."""

        def register_write(_client: Client, _data: Any, sock: Any) -> None:
            loop.add_writer(sock, client.loop_write)

        def unregister_write(_client: Client, _data: Any, sock: Any) -> None:
            loop.remove_writer(sock)

        def close(_client: Client, _data: Any, sock: Any) -> None:
            loop.remove_reader(sock)
            loop.remove_writer(sock)
            self._ended.set()

        client.on_socket_register_write = register_write
        client.on_socket_unregister_write = unregister_write
        client.on_socket_close = close

        def read() -> None:
            """What TLS has taken off the socket already makes it readable no more: it is read to its end."""
            client.loop_read()
            while isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
                client.loop_read()

        sock = client.socket()
        if sock is None:
            self._ended.set()
            return
        loop.add_reader(sock, read)
        if client.want_write():
            loop.add_writer(sock, client.loop_write)

    def _part(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing of this connection stays with the loop: the next socket may have the same number."""
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
        client.subscribe(
            [(topic, 1) for topic in (topics.ALL_UP, *topics.OTHER_BIRTHS, topics.CENTRAL_STATUS)]
        )
        self.is_connected = True
        self._say_online()
        self._told.clear()
        log.info("broker_connected", host=self._broker.host, port=self._broker.port)

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

    def _say_lost(self, detail: str) -> None:
        if detail not in self._told and len(self._told) < REASONS_TOLD_MAX:
            self._told.add(detail)
            log.warning("broker_lost", detail=detail)
