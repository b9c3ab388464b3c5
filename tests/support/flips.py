"""Contacts flipped at a steady rate, every frame of the live channel noted, and a judge of both.

All clocks are CLOCK_MONOTONIC of one machine: the simulators stamp the flip with it, we stamp the frame.
"""

import asyncio
import contextlib
import itertools
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Self

import aiohttp
import msgspec

from tests.support.mosquitto import await_listener
from tests.support.world import World


class Frame(msgspec.Struct):
    """A change of the board as a WebSocket client saw it, with the row that caused it."""

    received_ns: int
    edge: str
    epoch: int
    seq: int


class Flips:
    """Flips every door in turn, so that none flips twice within a poll, and listens to the live channel."""

    def __init__(self, world: World, rate_hz: float, seed: int = 1, past: int = 0) -> None:
        """`past`: rows that the journal had before; they are no flips of ours."""
        self.world = world
        self.rate_hz = rate_hz
        self.past = past
        self.frames: list[Frame] = []
        self.sent = 0
        self.measured_from_ns = 0
        """Flips before this instant are a warm-up: they are judged, but not timed."""
        self._random = random.Random(seed)
        self._doors = itertools.cycle(world.doors)
        self._is_open: dict[str, bool] = {}
        self._listener: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None
        self._is_greeted = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self._listener = asyncio.create_task(self._listen(), name="live listener")
        await asyncio.wait_for(self._is_greeted.wait(), 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._settle()
        assert self._listener is not None
        assert self._http is not None
        self._listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listener
        await self._http.close()

    async def run_for(self, seconds: float) -> None:
        """Flip at the rate for so long, each at a random moment of its turn."""
        assert self._http is not None
        gap_s = 1 / self.rate_hz
        start = time.monotonic()
        for n in range(int(seconds * self.rate_hz)):
            due = start + (n + self._random.uniform(0, 1)) * gap_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            door = next(self._doors)
            self._is_open[door] = not self._is_open.get(door, False)
            value = "open" if self._is_open[door] else "closed"
            address = f"{self.world.simulators.address}/points/{door}"
            async with self._http.post(address, json={"value": value}) as answer:
                assert answer.status == 200, await answer.text()
            self.sent += 1

    def first_after_s(self, mono_ns: int) -> float:
        """Seconds from an instant to the first frame after it that a row caused."""
        return min(frame.received_ns - mono_ns for frame in self.frames if frame.received_ns > mono_ns) / 1e9

    async def _settle(self) -> None:
        """Wait until the centre has as many changes as the simulators made, or no more come."""
        ends_at = time.monotonic() + 40
        while time.monotonic() < ends_at:
            arrived = await asyncio.to_thread(lambda: len(door_events(self.world, self.past)))
            if arrived >= self.sent:
                return
            await asyncio.sleep(0.25)

    async def _listen(self) -> None:
        epoch, last_seq = None, 0
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                assert self._http is not None
                headers = {"Cookie": self.world.centre.cookie, "Origin": self.world.board}
                async with self._http.ws_connect(
                    self.world.board.replace("http", "ws") + "/api/v1/live",
                    headers=headers,
                    max_msg_size=0,
                    ssl=self.world.centre.tls or True,
                ) as ws:
                    hello = {"type": "hello", "epoch": epoch, "last_seq": last_seq, "view": "wall"}
                    await ws.send_json(hello | {"console": "bench"})
                    async for message in ws:
                        received_ns = time.monotonic_ns()
                        body = msgspec.json.decode(message.data)
                        if body["type"] in {"snapshot", "resume"}:
                            epoch, last_seq = body["epoch"], body["seq"]
                            self._is_greeted.set()
                        for change in body.get("changes", ()):
                            last_seq = change["seq"]
                            self._note(change, received_ns)
            await asyncio.sleep(0.2)

    def _note(self, change: dict[str, Any], received_ns: int) -> None:
        cause = change["cause"]
        if change["kind"] == "room" and cause is not None:
            self.frames.append(Frame(received_ns, cause["edge"], cause["epoch"], cause["seq"]))


async def run_through_outages(flips: Flips) -> int:
    """60 s of flips; the broker is killed for 20 s and comes back empty, then the centre is killed once.

    Returns the monotonic ns at which the broker listened again.
    """
    world = flips.world
    await flips.run_for(12)
    world.broker.kill()
    await flips.run_for(20)
    world.broker.start()
    await_listener(world.broker_port)
    back_ns = time.monotonic_ns()
    await flips.run_for(8)
    world.central.kill()
    await flips.run_for(2)
    world.central.start()
    await flips.run_for(18)
    return back_ns


class Made(msgspec.Struct):
    """A change that the simulators made, and what came of it.

    `error_ms`: how far its row's time is from the flip's. `received_ms`: the centre's wall time. `frame_ns`:
    its first frame at the live client; a newer row of the room in the same commit is shown in its stead.
    """

    name: str
    made_ns: int
    error_ms: int | None = None
    received_ms: int | None = None
    frame_ns: int | None = None


class Verdict(msgspec.Struct):
    """What the simulators' record and the centre's events say of each other; changes are named `point#n`."""

    lost: list[str]
    invented: list[str]
    duplicates: list[str]
    out_of_order: list[str]
    sessions_missing: list[str]
    worst_time_error_ms: int
    made: list[Made]

    def latencies_ms(self, since_ns: int, until_ns: int = sys.maxsize) -> list[float]:
        """Flip to frame, for every flip made in between whose frame was seen; ascending."""
        return sorted(
            (made.frame_ns - made.made_ns) / 1e6
            for made in self.made
            if made.frame_ns is not None and since_ns <= made.made_ns < until_ns
        )


def door_events(world: World, past: int = 0) -> list[dict[str, Any]]:
    """Behind the first `past` rows."""
    return [event for event in world.events(past) if event["row"]["kind"] in {"door.open", "door.closed"}]


def judge(world: World, flips: Flips) -> Verdict:
    """Compare door by door: the n-th change at the contact is the n-th event of its point."""
    events = world.events()
    made, came = _by_point(world.record(), "point"), defaultdict(list)
    for event in events[flips.past :]:
        if event["row"]["kind"] in {"door.open", "door.closed"}:
            came[event["row"]["point"]].append(event)
    verdict = Verdict([], [], [], [], [], 0, [])
    frames = _first_frames(flips.frames)
    for point in sorted(made.keys() | came.keys()):
        pairs = itertools.zip_longest(made[point], came[point])
        for n, (change, event) in enumerate(pairs, start=1):
            fate = Made(f"{point}#{n}", change["mono_ns"]) if change is not None else None
            if fate is not None:
                verdict.made.append(fate)
            if event is None:
                verdict.lost.append(f"{point}#{n}")
            elif change is None or event["row"]["kind"] != f"door.{change['value']}":
                verdict.invented.append(f"{point}#{n}")
            else:
                fate.error_ms = abs(event["row"]["at"] - change["at_ms"])
                fate.received_ms = event["received_ms"]
                fate.frame_ns = frames.get((event["edge"], event["epoch"], event["seq"]))
    verdict.worst_time_error_ms = max((made.error_ms or 0 for made in verdict.made), default=0)
    verdict.duplicates = list(_repeated(events))
    verdict.out_of_order = list(_misplaced(events))
    watched = {alert["room"] for alert in world.alerts()}
    opened = {point.removesuffix(".door") for point, changes in made.items() if changes}
    verdict.sessions_missing = sorted(opened - watched)
    return verdict


def _by_point(items: list[dict[str, Any]], key: str) -> defaultdict[str, list[dict[str, Any]]]:
    grouped: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in items:
        grouped[item[key]].append(item)
    return grouped


def _first_frames(frames: list[Frame]) -> dict[tuple[str, int, int], int]:
    first: dict[tuple[str, int, int], int] = {}
    for frame in frames:
        first.setdefault((frame.edge, frame.epoch, frame.seq), frame.received_ns)
    return first


def _repeated(events: list[dict[str, Any]]) -> Iterator[str]:
    seen = set()
    for event in events:
        name = f"{event['edge']}/{event['epoch']}/{event['seq']}"
        if name in seen:
            yield name
        seen.add(name)


def _misplaced(events: list[dict[str, Any]]) -> Iterator[str]:
    """Rows whose number is not one more than that of the row before, edge by edge, in commit order."""
    last: dict[tuple[str, int], int] = defaultdict(int)
    for event in events:
        chain = (event["edge"], event["epoch"])
        if event["seq"] != last[chain] + 1:
            yield f"{event['edge']}/{event['epoch']}/{event['seq']} after {last[chain]}"
        last[chain] = event["seq"]
