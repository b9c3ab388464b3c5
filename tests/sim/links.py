"""The two ends of a line, with the faces of `edge.link.Link` and `central.ingest.link.Link`."""

import asyncio
from collections.abc import Callable
from typing import Any

from contract import messages, topics
from contract.ids import EdgeId
from contract.keys import Signer
from contract.limits import RECONNECT_CAP_S
from contract.messages import CentralStatus
from contract.signing import sign
from edge.link import QUEUED_MESSAGES_MAX, LinkCounters
from tests.sim.loop import ProcessLoop
from tests.sim.network import CENTRE, LATENCY_S, Line, Message, Network

CONNECT_TIMEOUT_S = 5.0


class _Client:
    """Connects, and connects again. Everything happens on the loop of the process that made it."""

    def __init__(self, name: str, network: Network, dice: Any) -> None:
        self.is_connected = False
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ProcessLoop)
        self._loop = loop
        self._name = name
        self._network = network
        self._dice = dice
        self.line: Line | None = None
        self._ended = asyncio.Event()

    async def _keep_connected(self, is_closing: Callable[[], bool]) -> None:
        while not is_closing():
            await asyncio.sleep(self._dice.uniform(*LATENCY_S))
            if self._network.can_connect(self._name):
                await self._session()
            elif self._network.is_up:
                await asyncio.sleep(self._dice.uniform(0, CONNECT_TIMEOUT_S))
            await asyncio.sleep(self._dice.uniform(0, RECONNECT_CAP_S))

    async def _session(self) -> None:
        self._ended.clear()
        line = self.line = Line(self._name, self._arrive, self._end, self._will_message())
        self._loop.owner.line = line
        self._network.connect(line)
        self.is_connected = True
        self._up()
        await self._ended.wait()
        self.is_connected = False
        self._down()

    def _send(self, message: Message, *, retain: bool = False, qos: int = 1) -> None:
        """Of a dead process nothing leaves any more."""
        if self.line is not None and not self._loop.is_dead:
            self._network.publish(self.line, message, retain=retain, qos=qos)

    def _arrive(self, topic: str, payload: bytes) -> None:
        self._loop.call_soon(self._take, topic, payload)

    def _end(self) -> None:
        self._loop.call_soon(self._ended.set)

    def _will_message(self) -> Message:
        raise NotImplementedError

    def _take(self, topic: str, payload: bytes) -> None:
        raise NotImplementedError

    def _up(self) -> None:
        raise NotImplementedError

    def _down(self) -> None:
        raise NotImplementedError


class EdgeLink(_Client):
    """As `edge.link.Link`. `on_publish(lane, payload)` sees what is about to leave."""

    def __init__(self, edge: EdgeId, will: Callable[[], bytes], network: Network, dice: Any) -> None:
        super().__init__(edge, network, dice)
        self.counters = LinkCounters()
        self.on_connect: Callable[[], None] = lambda: None
        self.on_disconnect: Callable[[], None] = lambda: None
        self.on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self.on_publish: Callable[[topics.Up, bytes], None] = lambda _lane, _payload: None
        self._edge = edge
        self._will = will
        self._is_closing = False

    def publish(self, lane: topics.Up, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Refused without a connection, and where a stalled line has filled the client's queue."""
        line = self.line
        if line is None or not self.is_connected or len(line.held["up"]) >= QUEUED_MESSAGES_MAX:
            self.counters.refused_publishes += 1
            return False
        if not self._loop.is_dead:
            self.on_publish(lane, payload)
        self._send((topics.up(self._edge, lane), payload), retain=retain, qos=qos)
        return True

    async def run(self) -> None:
        await self._keep_connected(lambda: self._is_closing)

    async def close(self, farewell: bytes) -> None:
        self._is_closing = True
        if self.line is None or not self.is_connected:
            return
        self.publish(topics.Up.STATUS, farewell, retain=True)
        self._network.part(self.line)
        self.is_connected = False

    def _will_message(self) -> Message:
        return topics.up(self._edge, topics.Up.STATUS), self._will()

    def _take(self, topic: str, payload: bytes) -> None:
        self.on_message(topic, payload)

    def _up(self) -> None:
        self.on_connect()

    def _down(self) -> None:
        self.on_disconnect()


class CentreLink(_Client):
    """As `central.ingest.link.Link`: says `central/status`, hands on what edges send."""

    def __init__(
        self,
        network: Network,
        dice: Any,
        instance: str,
        wall_ms: Callable[[], int],
        signer: Signer,
    ) -> None:
        super().__init__(CENTRE, network, dice)
        self.on_publish: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self._instance = instance
        self._wall_ms = wall_ms
        self._signer = signer
        self._receive: Callable[[str, bytes, int, float], None] | None = None

    def publish(self, topic: str, payload: bytes) -> None:
        if not self._loop.is_dead:
            self.on_publish(topic, payload)
        if self.is_connected:
            self._send((topic, payload))

    async def run(self, receive: Callable[[str, bytes, int, float], None]) -> None:
        self._receive = receive
        await self._keep_connected(lambda: False)

    def _status(self, state: str) -> Message:
        status = CentralStatus(state=state, instance=self._instance, at=self._wall_ms())  # type: ignore[arg-type]
        return topics.CENTRAL_STATUS, messages.encode(sign(status, self._signer))

    def _will_message(self) -> Message:
        return self._status("offline")

    def _take(self, topic: str, payload: bytes) -> None:
        assert self._receive is not None
        if topic == topics.CENTRAL_STATUS:
            self._hear_status(messages.decode(CentralStatus, payload))
            return
        self._receive(topic, payload, self._wall_ms(), self._loop.time())

    def _hear_status(self, status: CentralStatus) -> None:
        """As the product's: while we are here, nothing says that we are not."""
        if status.state == "offline":
            self._up()

    def _up(self) -> None:
        self._send(self._status("online"), retain=True)

    def _down(self) -> None:
        """The product says nothing either."""
