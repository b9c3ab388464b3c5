"""Stands between a client and its broker and is the weather there: slow, stalled, cut, doubled, turned round.

It knows whole MQTT packets, because TCP would hide a lost or doubled byte from both. What it swallows of
QoS 1 it acknowledges itself, as a broker does that forgets. Everything that passes is recorded.
"""

import asyncio
import random
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from tests.support import mqtt_packets as mqtt

Way = Literal["up", "down"]
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: a close is then an RST."""


class Weather(Struct):
    """What happens to packets from now on; may be changed at any time. Shares are of PUBLISH packets."""

    latency_s: float = 0.0
    stall: float = 0.0
    """Share of the time, in pieces of `stall_s`, in which nothing moves."""
    stall_s: float = 1.0
    swallow: float = 0.0
    double: float = 0.0
    turn: float = 0.0
    """Share that is overtaken by what comes in the next `turn_s`."""
    turn_s: float = 0.4
    bytes_per_s: float = 0.0
    is_silent: bool = False
    """Half open: everything is taken, nothing passes, nobody is told."""
    ways: tuple[Way, ...] = ("up", "down")


class Seen(Struct, frozen=True):
    """A packet that came by. `version` is that of its connection."""

    mono_ns: int
    way: Way
    packet: bytes
    version: int

    @property
    def publish(self) -> mqtt.Publish | None:
        if mqtt.kind(self.packet) != mqtt.PUBLISH:
            return None
        return mqtt.read_publish(self.packet, self.version)


class Proxy:
    """`start` listens on `port` and passes on to the broker's. Its loop has a thread of its own."""

    def __init__(self, port: int, broker: tuple[str, int], seed: int) -> None:
        self.weather = Weather()
        self.seen: list[Seen] = []
        self.accepted_ns: list[int] = []
        self._port = port
        self._broker = broker
        self._seed = seed
        self._random = random.Random(seed)
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mqtt-proxy", daemon=True)
        self._is_up = threading.Event()

    def start(self) -> "Proxy":
        self._thread.start()
        assert self._is_up.wait(10)
        return self

    def stop(self) -> None:
        self.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def reset(self) -> None:
        """Every connection ends at once with an RST, on both sides."""
        done = threading.Event()

        def cut() -> None:
            for connection in list(self._connections):
                connection.reset()
            done.set()

        self._loop.call_soon_threadsafe(cut)
        done.wait(5)

    def go_to(self, broker: tuple[str, int]) -> None:
        """From now on another broker is behind it; those connected are cut off."""
        self._broker = broker
        self.reset()

    def is_stalled(self, at_s: float) -> bool:
        """Whether the seed lets nothing move at an instant."""
        piece = int(at_s // self.weather.stall_s)
        return random.Random(self._seed * 1_000_003 + piece).random() < self.weather.stall

    def inject(self, way: Way, packet: bytes) -> bool:
        """Puts a packet into the newest connection. False where there is none."""
        connection = max(self._connections, key=lambda one: one.number, default=None)
        if connection is None:
            return False
        self._loop.call_soon_threadsafe(connection.send, way, packet)
        return True

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", self._port))
        self._is_up.set()
        self._loop.run_forever()
        server.close()
        rest = asyncio.all_tasks(self._loop)
        for task in rest:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))  # sockets that were reset are closed a turn later
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted_ns.append(time.monotonic_ns())
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._broker)
        except OSError:
            _reset(writer)
            return
        connection = _Connection(self, len(self.accepted_ns), {"up": far_writer, "down": writer})
        self._connections.add(connection)
        work = [connection.read("up", reader), connection.read("down", far_reader)]
        work += [connection.write(way) for way in ("up", "down")]
        tasks = [asyncio.create_task(one) for one in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self._connections.discard(connection)
            connection.reset()


class _Connection:
    """Both ways of one connection: packets with the instant at which each is due, in a heap a way."""

    def __init__(self, proxy: Proxy, number: int, writers: dict[Way, asyncio.StreamWriter]) -> None:
        self.number = number
        self._proxy = proxy
        self._writers = writers
        self._version = mqtt.VERSION_5
        self._due: dict[Way, asyncio.PriorityQueue[tuple[float, int, bytes]]] = {
            "up": asyncio.PriorityQueue(),
            "down": asyncio.PriorityQueue(),
        }
        self._last: dict[Way, float] = {"up": 0.0, "down": 0.0}
        self._count = 0

    async def read(self, way: Way, reader: asyncio.StreamReader) -> None:
        """Until that side ends."""
        framer = mqtt.Framer()
        with suppress(OSError, ValueError):
            while data := await reader.read(65_536):
                for packet in framer.feed(data):
                    self._take(way, packet)

    async def write(self, way: Way) -> None:
        """Hands on what is due."""
        queue, writer = self._due[way], self._writers[way]
        with suppress(OSError):
            while True:
                due, count, packet = await queue.get()
                wait_s = due - time.monotonic()
                if wait_s > 0:
                    # What comes meanwhile may be due before it.
                    queue.put_nowait((due, count, packet))
                    await asyncio.sleep(min(wait_s, 0.02))
                    continue
                if self._proxy.weather.is_silent and way in self._proxy.weather.ways:
                    continue
                writer.write(packet)
                await writer.drain()

    def send(self, way: Way, packet: bytes) -> None:
        self._queue(way, packet, time.monotonic())

    def reset(self) -> None:
        for writer in self._writers.values():
            _reset(writer)

    def _take(self, way: Way, packet: bytes) -> None:
        if mqtt.kind(packet) == mqtt.CONNECT:
            self._version = mqtt.version(packet)
        self._proxy.seen.append(Seen(time.monotonic_ns(), way, packet, self._version))
        weather, chance = self._proxy.weather, self._proxy._random.random
        if way not in weather.ways:
            self._queue(way, packet, max(time.monotonic(), self._last[way]))
            return
        due = max(time.monotonic() + weather.latency_s, self._last[way])
        while weather.stall and self._proxy.is_stalled(due):
            due = (due // weather.stall_s + 1) * weather.stall_s
        if weather.bytes_per_s:
            due += len(packet) / weather.bytes_per_s
        if mqtt.kind(packet) != mqtt.PUBLISH:
            self._in_order(way, packet, due)
        elif chance() < weather.swallow:
            self._swallow(way, packet)
        elif chance() < weather.turn:
            self._queue(way, packet, due + weather.turn_s)
        else:
            self._in_order(way, packet, due)
            if chance() < weather.double:
                self._in_order(way, packet, due)

    def _in_order(self, way: Way, packet: bytes, due: float) -> None:
        self._last[way] = due
        self._queue(way, packet, due)

    def _queue(self, way: Way, packet: bytes, due: float) -> None:
        self._count += 1
        self._due[way].put_nowait((due, self._count, packet))

    def _swallow(self, way: Way, packet: bytes) -> None:
        publish = mqtt.read_publish(packet, self._version)
        if publish.qos:
            self.send("down" if way == "up" else "up", mqtt.puback(publish.id))


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
