"""An ear at the broker: what edges and the centre told it, and when, as it came."""

import ssl
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt

from contract import messages, topics
from contract.errors import ContractError
from contract.ids import EdgeId
from contract.messages import Batch, Beat, Birth, Live, Receipt, batch_hashes, live_hash
from contract.rows import decode_row
from contract.topics import Down, Up
from tests.chaos.history import Place, Receipted, Told


class Tap:
    """Listens, and listens again where the broker was away. Told late is told: instants are of arrival."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[tuple[int, str, bytes]] = []
        """Instant, topic, payload; only ever appended to."""
        self.is_deaf = False
        """While a trial itself speaks in other people's names."""
        self._is_on = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "chaos-tap", protocol=mqtt.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_message = self._note
        self._client.reconnect_delay_set(1, 1)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.connect_async("127.0.0.1", port, keepalive=10)

    def start(self) -> "Tap":
        self._client.loop_start()
        assert self._is_on.wait(10), "the tap heard nothing of the broker"
        return self

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def beats(self, edge: str, after_ns: int = 0) -> list[tuple[int, Beat]]:
        """Beats heard since an instant, with theirs."""
        topic = topics.up(EdgeId(edge), Up.BEAT)
        return [
            (at, messages.decode(Beat, raw))
            for at, name, raw in self.heard
            if at > after_ns and name == topic
        ]

    def records(self) -> list[Told | Receipted]:
        """All that was told, row by row. What nobody could read was told to nobody."""
        found: list[Told | Receipted] = []
        for at, topic, raw in list(self.heard):
            try:
                found += _read(at, topic, raw)
            except (ContractError, ValueError):
                continue
        return found

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe("casewatch/#", 1)
        self._is_on.set()

    def _note(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if not self.is_deaf:
            self.heard.append((time.monotonic_ns(), message.topic, bytes(message.payload)))


def _read(at: int, topic: str, raw: bytes) -> list[Told | Receipted]:
    parts = topic.split("/")
    if len(parts) != 5:
        return []
    if parts[3] == "down":
        if parts[4] != Down.RECEIPT:
            return []
        receipt = messages.decode(Receipt, raw)
        return [Receipted(Place(receipt.edge, receipt.epoch, receipt.seq, receipt.hash), at)]
    lane = Up(parts[4])
    if lane is Up.LOG:
        batch = messages.decode(Batch, raw)
        hashes = enumerate(batch_hashes(batch), start=batch.first)
        return [Told(Place(batch.edge, batch.epoch, seq, hashed.hex()), lane, at) for seq, hashed in hashes]
    if lane is Up.LIVE:
        live = messages.decode(Live, raw)
        place = Place(live.edge, live.epoch, decode_row(bytes(live.row)).seq, live_hash(live).hex())
        return [Told(place, lane, at)]
    if lane in {Up.BEAT, Up.BIRTH}:
        head = messages.decode(Beat if lane is Up.BEAT else Birth, raw)
        return [Told(Place(head.edge, head.epoch, head.seq, head.hash), lane, at)]
    return []
