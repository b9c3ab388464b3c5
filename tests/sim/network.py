"""Broker and lines: what MQTT promises, and on demand what it does not.

A line is one connection of one client. In each direction messages come whole and in order, after a latency;
a line that stalls holds them back (TCP would send them again), a line that breaks loses them. Who notices a
stalled line first, and when, is chance within the bounds of the keepalive. The broker keeps nothing for a
client that is away but the retained messages, and forgets even these when it restarts.

With `noise`, messages come twice, late, and in another order, which neither MQTT nor TCP does by itself: a
broker of several machines, a bridge, or somebody who recorded them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from contract import topics
from contract.errors import ContractError
from tests.sim.loop import ProcessLoop

CENTRE = "centre"
KEEPALIVE_S = 10.0
LATENCY_S = (0.0005, 0.02)

Message = tuple[str, bytes]


@dataclass
class Noise:
    """Chances for each message."""

    twice: float = 0.0
    late: float = 0.0
    late_s: float = 2.0


@dataclass
class Line:
    """A connection. `name`: the client's, an edge's id or CENTRE."""

    name: str
    receive: Callable[[str, bytes], None]
    ended: Callable[[], None]
    will: Message
    client_is_up: bool = True
    broker_is_up: bool = True
    free_at: dict[str, float] = field(default_factory=lambda: {"up": 0.0, "down": 0.0})
    held: dict[str, list[tuple[Message, bool]]] = field(default_factory=lambda: {"up": [], "down": []})


class Network:
    """The broker, and the ways to it."""

    def __init__(self, loop: ProcessLoop, dice: random.Random) -> None:
        self.noise = Noise()
        self.is_up = True
        self.on_up: Callable[[str, bytes], None] = lambda _topic, _payload: None
        """Every message that reaches the broker from an edge."""
        self.seen: list[Message] = []
        """What a listener could have recorded; the newest few hundred."""
        self._loop = loop
        self._dice = dice
        self._lines: dict[str, Line] = {}
        self._retained: dict[str, bytes] = {}
        self._stalled: dict[tuple[str, str], float] = {}

    def call_later(self, delay_s: float, work: Callable[[], None]) -> None:
        """For what the world itself does, whoever lives."""
        self._loop.call_later(delay_s, work)

    # What the links use.

    def can_connect(self, name: str) -> bool:
        return self.is_up and not self._is_stalled(name, "up") and not self._is_stalled(name, "down")

    def connect(self, line: Line) -> None:
        """A line of the same name that is still there is taken over: its will is told first."""
        before = self._lines.get(line.name)
        if before is not None:
            self._broker_drops(before)
        self._lines[line.name] = line
        for topic, payload in list(self._retained.items()):
            if _is_for(topic, line.name):
                self._down(line, (topic, payload))

    def publish(self, line: Line, message: Message, *, retain: bool, qos: int = 1) -> None:
        if line.client_is_up:
            self._travel(line, "up", message, retain=retain, qos=qos)

    def part(self, line: Line) -> None:
        """DISCONNECT: in order, so without the will; what was sent before it still arrives."""
        line.client_is_up = False
        self._loop.call_at(max(line.free_at["up"], self._loop.time()) + 0.001, self._parted, line)

    # What befalls them.

    def reset(self, name: str) -> None:
        """Both ends see that the connection is gone."""
        line = self._lines.get(name)
        if line is not None:
            self._client_drops(line)
            self._broker_drops(line)

    def vanish(self, line: Line | None, *, is_noticed: bool) -> None:
        """The client's process is gone: the kernel says so at once, or after a power cut nobody does."""
        if line is None:
            return
        line.client_is_up = False
        if is_noticed:
            self._broker_drops(line)
        else:
            self._loop.call_later(1.5 * KEEPALIVE_S, self._broker_drops, line)

    def stall(self, name: str, direction: str, for_s: float) -> None:
        """Nothing passes in one direction, and nobody is told."""
        until = self._loop.time() + for_s
        self._stalled[name, direction] = max(until, self._stalled.get((name, direction), 0.0))
        self._loop.call_at(until + 0.0001, self._flush, name, direction)
        line = self._lines.get(name)
        if line is not None:
            notices_s = self._dice.uniform(KEEPALIVE_S, 2 * KEEPALIVE_S)
            self._loop.call_later(notices_s, self._patience_ends, line, direction, self._client_drops)
            if direction == "up":
                self._loop.call_later(1.5 * KEEPALIVE_S, self._patience_ends, line, "up", self._broker_drops)

    def restart(self, down_s: float) -> None:
        """The broker ends and begins anew, with nothing."""
        self.is_up = False
        for name in list(self._lines):
            line = self._lines.pop(name)
            line.broker_is_up = False
            self._client_drops(line)
        self._retained.clear()
        self._loop.call_later(down_s, self._comes_up)

    def replay(self, message: Message) -> None:
        """Somebody says again what he heard."""
        self._route(*message, retain=False)

    def heal(self) -> None:
        self.noise = Noise()
        for name, direction in list(self._stalled):
            self._stalled[name, direction] = 0.0
            self._flush(name, direction)

    # How it goes.

    def _comes_up(self) -> None:
        self.is_up = True

    def _is_stalled(self, name: str, direction: str) -> bool:
        return self._stalled.get((name, direction), 0.0) > self._loop.time()

    def _travel(self, line: Line, direction: str, message: Message, *, retain: bool, qos: int = 1) -> None:
        now = self._loop.time()
        if self._is_stalled(line.name, direction):
            line.held[direction].append((message, retain))
            return
        arrives = max(line.free_at[direction], now + self._dice.uniform(*LATENCY_S))
        arrive = self._arrive_up if direction == "up" else self._arrive_down
        if self.noise.late and self._dice.random() < self.noise.late:
            if qos == 0 and self._dice.random() < 0.3:
                return
            arrives += self._dice.uniform(0, self.noise.late_s)
        else:
            line.free_at[direction] = arrives
        self._loop.call_at(arrives, arrive, line, message, retain)
        if self.noise.twice and self._dice.random() < self.noise.twice:
            again = arrives + self._dice.uniform(0, self.noise.late_s)
            self._loop.call_at(again, arrive, line, message, retain)

    def _arrive_up(self, line: Line, message: Message, retain: bool) -> None:
        if line.broker_is_up and self.is_up:
            self._route(*message, retain=retain)

    def _arrive_down(self, line: Line, message: Message, _retain: bool) -> None:
        if line.client_is_up:
            line.receive(*message)

    def _route(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if not self.is_up:
            return
        self.on_up(topic, payload)
        self.seen.append((topic, payload))
        if len(self.seen) > 600:
            del self.seen[:300]
        if retain:
            self._retained[topic] = payload
        for line in list(self._lines.values()):
            if _is_for(topic, line.name):
                self._down(line, (topic, payload))

    def _down(self, line: Line, message: Message) -> None:
        self._travel(line, "down", message, retain=False)

    def _flush(self, name: str, direction: str) -> None:
        line = self._lines.get(name)
        if line is None or self._is_stalled(name, direction):
            return
        held, line.held[direction] = line.held[direction], []
        for message, retain in held:
            self._travel(line, direction, message, retain=retain)

    def _patience_ends(self, line: Line, direction: str, drop: Callable[[Line], None]) -> None:
        if self._is_stalled(line.name, direction):
            drop(line)

    def _client_drops(self, line: Line) -> None:
        if line.client_is_up:
            line.client_is_up = False
            line.ended()
            self._once_free(line.name, "up", self._broker_drops, line)

    def _broker_drops(self, line: Line) -> None:
        if line.broker_is_up:
            self._parted(line)
            self._once_free(line.name, "down", self._client_drops, line)
            if self.is_up:
                self._route(*line.will, retain=True)

    def _once_free(self, name: str, direction: str, drop: Callable[[Line], None], line: Line) -> None:
        """The other end hears that the connection was closed, as soon as anything gets through."""
        at = max(self._loop.time(), self._stalled.get((name, direction), 0.0))
        self._loop.call_at(at + self._dice.uniform(*LATENCY_S), drop, line)

    def _parted(self, line: Line) -> None:
        line.broker_is_up = False
        if self._lines.get(line.name) is line:
            del self._lines[line.name]


def _is_for(topic: str, name: str) -> bool:
    """What each client subscribes to."""
    if topic == topics.CENTRAL_STATUS:
        return True
    if name == CENTRE:
        return "/up/" in topic
    try:
        return topics.parse_down(topic)[0] == name
    except ContractError:
        return False
