"""An edge's machine: the product's own `edge.app.run` on a disk, a clock and contacts of the world.

Replaced are the link, the clocks and the polls; the journal with its file, the points, the outbox, the
delivery, the heartbeat, the voice and the start and stop of the agent are the product's.
"""

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import edge.app
from contract.ids import EdgeId, PointId
from contract.points import Clock as ClockState
from device_drivers.driver import Command, Observation, Outcome
from device_drivers.errors import TooLate
from edge.clock import Stamp, StepDetector
from edge.identity import Credentials
from edge.journal import Journal
from edge.journal_file import FILE_NAME
from edge.proposals import Draft
from edge.settings import BrokerSettings, DeviceSettings, EdgeSettings, PointSettings, Settings
from tests.sim.disk import Disk, Files, read_files, write_files
from tests.sim.links import EdgeLink
from tests.sim.loop import ProcessLoop, Scheduler
from tests.sim.network import Network
from tests.sim.process import Process

DEVICE = "io"
TELEMETRY = "power.reading"
WALL_MS = 1_800_000_000_000


class SimClock:
    """The clocks of one boot of one machine, as `edge.clock.SystemClock` tells them."""

    def __init__(self, station: "Station") -> None:
        self.boot = f"{station.boots:x}"
        self.state = ClockState.SYNCED
        self._station = station
        self._steps = StepDetector(self.wall_ms(), self.mono_ns())

    def wall_ms(self) -> int:
        return self._station.wall_ms()

    def mono_ns(self) -> int:
        return int((self._station.scheduler.now - self._station.booted_at) * 1e9)

    def stamp(self) -> Stamp:
        return Stamp(self.wall_ms(), self.mono_ns(), self.boot, self.state)

    def check(self) -> int:
        return self._steps.check(self.wall_ms(), self.mono_ns())


class Contacts:
    """In the place of the polls: looks at the doors when they moved, and writes telemetry when told."""

    def __init__(self, station: "Station", agent: "SimAgent") -> None:
        self._station = station
        self._agent = agent
        self.devices = frozenset({DEVICE})
        self.wanted: deque[int] = deque()
        self.moved = asyncio.Event()

    async def run(self) -> None:
        agent = self._agent
        await asyncio.sleep(self._station.dice.uniform(0.0, 0.5))
        while True:
            proposal = agent._points.observe(DEVICE, self._station.sights(), agent._clock.stamp())
            await agent._journal.keep(proposal, agent._points.commit)
            self._station.has_baseline = True
            while self.wanted:
                rows = self.wanted.popleft()
                stamp = agent._clock.stamp()
                await agent._journal.append(
                    [Draft(TELEMETRY, stamp, data={"mw": n}, is_urgent=False) for n in range(rows)]
                )
            await self.moved.wait()
            self.moved.clear()
            await asyncio.sleep(self._station.dice.uniform(0.0, 0.1))

    async def execute(
        self, point: PointId, _command: Command, may_go: Callable[[], bool] = lambda: True
    ) -> Outcome:
        """As `Polling.execute`: it waits for its turn on the line, and is sent if it may still go."""
        await asyncio.sleep(self._station.dice.uniform(0.0, 0.5))
        if not may_go():
            raise TooLate(point)
        self._agent._points.commanded(point, self._agent._clock.mono_ns())
        self._station.opens_slot(point)
        await asyncio.sleep(self._station.dice.uniform(0.0, 0.1))
        return self._station.dice.choice((Outcome.ACKNOWLEDGED, Outcome.UNKNOWN))


class SimAgent(edge.app.Agent):
    """The product's agent with contacts of the world."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.station = running_station()
        self.station.agent = self

    def _pollings(self) -> list[tuple[str, Any]]:
        self.station.contacts = Contacts(self.station, self)
        return [(DEVICE, self.station.contacts)]


def running_station() -> "Station":
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ProcessLoop)
    station = loop.owner.station
    assert isinstance(station, Station)
    return station


def make_link(_broker: Any, name: EdgeId, will: Any, *_more: Any) -> EdgeLink:
    """In the place of `edge.link.Link`."""
    station = running_station()
    link = EdgeLink(name, will, station.network, station.dice)
    link.on_publish = station.watch.publishes
    station.link = link
    return link


class Station:
    """One machine with its doors. Killed, cut from power, stopped, rolled back by the world."""

    def __init__(
        self,
        name: str,
        doors: int,
        slots: int,
        *,
        scheduler: Scheduler,
        network: Network,
        disk: Disk,
        dice: random.Random,
        credentials: Credentials,
        watch: Any,
    ) -> None:
        self.name = name
        self.doors = [f"{name}.r{n + 1}.door" for n in range(doors)]
        self.locks = [f"{name}.cab.s{n + 1:02}.lock" for n in range(slots)]
        self.acts: list[tuple[str, float]] = []
        """Each time that a lock was told to open, by its cable."""
        self._slot_is_open = [False] * slots
        self.is_open = [False] * doors
        self.opened = [0] * doors
        self.has_baseline = False
        self.scheduler = scheduler
        self.network = network
        self.dice = dice
        self.credentials = credentials
        self.watch = watch
        self.disk = disk
        self.offset_ms = 0
        self.boots = 1
        self.booted_at = scheduler.now
        self.agent: SimAgent | None = None
        self.contacts: Contacts | None = None
        self.link: EdgeLink | None = None
        self.process = Process(name, scheduler, disk)
        self.process.station = self  # type: ignore[attr-defined]
        self.process.on_kill = self._let_go
        disk.synchronous = self._synchronous
        self.settings = Settings(
            edge=EdgeSettings(id=name, data_dir=disk.folder),
            broker=BrokerSettings(host="192.0.2.1"),
            device=(DeviceSettings(id=DEVICE, bus="none", driver="none"),),
            point=tuple(
                PointSettings(id=PointId(door), type="door", device=DEVICE, channel=f"di:{n}")
                for n, door in enumerate(self.doors)
            )
            + tuple(
                PointSettings(id=PointId(lock), type="lock", device=DEVICE, channel=f"lock:{n}")
                for n, lock in enumerate(self.locks)
            )
            + tuple(
                PointSettings(
                    id=PointId(lock.replace(".lock", ".item")),
                    type="item",
                    device=DEVICE,
                    channel=f"item:{n}",
                )
                for n, lock in enumerate(self.locks)
            ),
        )

    @property
    def journal(self) -> Journal | None:
        return self.agent._journal if self.agent is not None else None

    @property
    def database(self) -> str:
        return str(self.disk.folder / FILE_NAME)

    def wall_ms(self) -> int:
        return max(0, WALL_MS + int(self.scheduler.now * 1_000) + self.offset_ms)

    def start(self) -> None:
        self.watch.starts()
        self.process.start(lambda: edge.app.run(self.settings, "0" * 64, self.credentials))

    def flip(self, door: int) -> None:
        """A contact moves, whether or not anybody looks."""
        if not self.has_baseline:
            return
        self.is_open[door] = not self.is_open[door]
        self.opened[door] += self.is_open[door]
        self._nudge()

    def sees_all(self) -> bool:
        """The agent knows every contact as it is."""
        known = self.agent._points._memory if self.agent is not None else {}
        return all(
            (known[PointId(door)].value, known[PointId(door)].counter)
            == ("open" if self.is_open[n] else "closed", self.opened[n])
            for n, door in enumerate(self.doors)
        )

    def sights(self) -> list[Observation]:
        doors = [Observation(f"di:{n}", self.is_open[n], self.opened[n]) for n in range(len(self.doors))]
        locks = [Observation(f"lock:{n}", is_open) for n, is_open in enumerate(self._slot_is_open)]
        return doors + locks + [Observation(f"item:{n}", active=True) for n in range(len(self.locks))]

    def opens_slot(self, lock: str) -> None:
        """A person takes his time, and shuts it."""
        self.acts.append((lock, self.scheduler.now))
        self.watch.acts(lock)
        slot = self.locks.index(lock)
        self._slot_is_open[slot] = True
        self._nudge()
        self.network.call_later(self.dice.uniform(0.5, 3.0), lambda: self._shut(slot))

    def _shut(self, slot: int) -> None:
        self._slot_is_open[slot] = False
        self._nudge()

    def burst(self, rows: int) -> None:
        if self.contacts is not None:
            self.contacts.wanted.append(rows)
            self._nudge()

    def kill(self) -> None:
        self.process.kill()

    def cut_power(self) -> None:
        self.process.kill()
        self.disk.cut_power()
        self.boots += 1
        self.booted_at = self.scheduler.now

    def snapshot(self) -> Files:
        return read_files(self.disk.folder)

    def restore(self, files: Files) -> None:
        write_files(self.disk.folder, files)

    def rows(self) -> dict[tuple[int, int], bytes]:
        """(epoch, seq) → hash, as the file has it now."""
        with suppress(sqlite3.OperationalError):
            db = sqlite3.connect(self.database)
            try:
                epoch = int(db.execute("SELECT value FROM mark WHERE name='epoch'").fetchone()[0])
                return {
                    (epoch, seq): bytes(hashed) for seq, hashed in db.execute("SELECT seq, hash FROM row")
                }
            finally:
                db.close()
        return {}

    def _nudge(self) -> None:
        if self.contacts is not None and self.process.loop is not None:
            self.process.loop.call_soon(self.contacts.moved.set)

    def _synchronous(self) -> int:
        if self.journal is None:
            return 2
        try:
            return int(self.journal._file._db.execute("PRAGMA synchronous").fetchone()[0])
        except sqlite3.ProgrammingError:
            return 2  # it was closed in order

    def _let_go(self) -> None:
        """What a kernel does for the dead: files are closed, locks are gone."""
        if self.journal is not None:
            self.journal._file.close()
            self.journal._lock.close()
        self.agent = self.contacts = self.link = None
