"""Everything put together and played: one seed, one schedule, one judgement."""

import logging
import random
import shutil
import signal
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import structlog
from msgspec import Struct

import edge.app
from central.errors import StoreUnavailable
from central.store import engines, upgrade
from edge.errors import JournalFailed
from edge.identity import Credentials
from edge.voice import Keyring
from tests.sim import judge
from tests.sim.centre import FILE as STORE_FILE
from tests.sim.centre import Centre, Engines, signer_of, station_settings, template
from tests.sim.disk import QUICK_S, Disk, Files, write_files
from tests.sim.forgery import forge
from tests.sim.loop import ProcessLoop, Scheduler
from tests.sim.network import CENTRE, Message, Network, Noise
from tests.sim.plan import Act, Plan
from tests.sim.station import SimAgent, SimClock, Station, make_link, running_station
from tests.sim.watch import CentreWatch, EdgeWatch

QUIET_MAX_S = 75.0
"""After the last fault everything has to be as it should within so long (P2: 60 s and the backlog)."""
SLICE_S = 0.5
EDGES = ("aa", "bb", "cc")


class Verdict(Struct):
    """What came of a schedule. `trace` only where asked for."""

    seed: int
    violations: list[tuple[str, str]]
    themes: tuple[str, ...]
    handles: int
    virtual_s: float
    rows: int
    trace: list[str]


class Failed(Exception):
    """A promise was seen broken."""


class Ground:
    """What worlds share: a folder in memory, a migrated store, the engines. One a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = template(folder / "template", EDGES)
        self.engines = Engines()

    @contextmanager
    def laid(self) -> Iterator[None]:
        """The product's doors to the outside are the world's, for as long as this lasts."""
        settings = structlog.get_config()
        quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
        with (
            warnings.catch_warnings(),
            patch.object(edge.app, "SystemClock", lambda: SimClock(running_station())),
            patch.object(edge.app, "Link", make_link),
            patch.object(edge.app, "Agent", SimAgent),
            patch.object(engines, "writer", self.engines.writer),
            patch.object(engines, "readers", self.engines.readers),
            patch.object(upgrade, "to_newest", lambda _conn: None),
        ):
            warnings.simplefilter("ignore")
            structlog.configure(wrapper_class=quiet)
            try:
                yield
            finally:
                structlog.configure(**settings)


class World:
    """One schedule's world."""

    def __init__(self, plan: Plan, ground: Ground, *, is_traced: bool = False) -> None:
        self.plan = plan
        self.trace: list[str] = []
        self.patience_s = 5.0
        self.is_centre_slow = False
        self.violations: list[tuple[str, str]] = []
        folder = ground.folder / "world"
        shutil.rmtree(folder, ignore_errors=True)
        self._is_traced = is_traced
        self._dice = random.Random(plan.seed ^ 0x5EED)
        self._scheduler = Scheduler()
        self._began = self._scheduler.now
        self._is_quiet = False
        self.quiet_at = 0.0
        self._pending: dict[str, str] = {}
        self._kept: Files | None = None
        self.forged: set[bytes] = set()
        self.rolled_back: dict[str, int] = {}
        """Edges that run on an older image, and how far the centre had got when they began to."""
        self.commanded: dict[str, float] = {}
        """Locks that somebody asked to be opened, and when."""
        self.lost_above: dict[str, int] = {}
        """The head of such an image."""
        self.begun_anew: dict[str, int] = {}
        """Edges whose journal was lost, and how much of it the centre had."""
        self.clones: dict[str, Station] = {}
        self.revoked: dict[str, int] = {}
        """Edges whose key was taken back, and how many of their rows were stored then."""
        self._folder = folder
        self._disks: dict[str, Files] = {}
        self.done: set[str] = set()
        """What was done to this world."""
        self.loop = ProcessLoop(self._scheduler, Disk(folder / "none", self._dice))
        self.network = Network(self.loop, self._dice)
        self.stations = [self._station(folder / name, name) for name in EDGES[: plan.edges]]
        disk = Disk(folder / "centre", self._dice)
        write_files(disk.folder, ground.store)
        self.watch = CentreWatch(self)
        self.centre = Centre(
            tuple(station_settings(one.name, one.doors, plan.slots) for one in self.stations),
            scheduler=self._scheduler,
            network=self.network,
            disk=disk,
            dice=self._dice,
            shared=ground.engines,
            watch=self.watch,
        )
        self.watch.centre = self.centre
        self.centre.process.on_end = self._centre_ended
        self.centre.process.on_kill = self._centre_killed

    @property
    def now(self) -> float:
        return self._scheduler.now

    def note(self, what: str) -> None:
        if self._is_traced:
            self.trace.append(f"{self.now - self._began:9.4f} {what}")

    def fail(self, promise: str, says: str) -> None:
        """Seen at this instant. The world goes on: what is seen first is not always what is wrong."""
        if len(self.violations) < 20:
            self.violations.append((promise, f"{self.now - self._began:.3f}: {says}"))
        self.note(f"!! {promise} {says}")

    def play(self) -> Verdict:
        for act in self.plan.acts:
            self.loop.call_at(self._began + act.at, self._do, act)
        random.seed(self.plan.seed)  # the product's own jitter
        self.loop.call_soon(self.centre.start)
        for station in self.stations:
            self.loop.call_later(self._dice.uniform(0, 1.0), station.start)
        try:
            self._run_until(self._began + self.plan.ends_at)
            self._calm()
            limit = self.now + QUIET_MAX_S
            while not judge.is_settled(self) and self.now < limit:
                self._run_until(self.now + SLICE_S)
            self.violations += judge.judge(self)
        finally:
            self._end()
        return Verdict(
            self.plan.seed,
            self.violations,
            self.plan.themes,
            self._scheduler.ran,
            self.now - self._began,
            sum(len(one.watch.told) for one in self.stations),
            self.trace,
        )

    # How it goes.

    def _station(self, disk: Path, name: str) -> Station:
        watch = EdgeWatch(self, name)
        station = Station(
            name,
            self.plan.doors,
            self.plan.slots,
            scheduler=self._scheduler,
            network=self.network,
            disk=Disk(disk, self._dice),
            dice=self._dice,
            credentials=Credentials(disk, Keyring(signer_of(name), signer_of(CENTRE).public)),
            watch=watch,
        )
        watch.station = station
        station.process.on_end = lambda error: self._station_ended(station, error)
        kill = station.process.on_kill

        def killed() -> None:
            watch.close()
            kill()
            self._died(station, is_killed=True)

        station.process.on_kill = killed
        return station

    def _run_until(self, end: float) -> None:
        while self.now < end:
            self._scheduler.run_until(min(end, self.now + SLICE_S))
            self.watch.tick()
            judge.bounds(self)

    def _calm(self) -> None:
        """Every fault is over, everybody runs."""
        self.note("quiet")
        self._is_quiet = True
        self.quiet_at = self.now
        self.network.heal()
        self.network.is_up = True
        self._mend_store()
        self.watch.heals()
        for machine in (*self.stations, self.centre):
            machine.disk.latency_s = QUICK_S
            machine.disk.fails_next = False
            machine.process._armed = None
            machine.offset_ms = 0
        self.is_centre_slow = False

    def _end(self) -> None:
        for machine in (*self.stations, *self.clones.values(), self.centre):
            machine.process.on_kill = lambda: None
            machine.process.kill()
            machine._let_go()
        for station in self.stations:
            station.watch.close()

    def _do(self, act: Act) -> None:
        if not self._is_quiet:
            self.note(f"-- {act.what} {act.whom if act.whom >= 0 else 'centre'} {act.how or ''}")
            self.done.add(act.what)
            getattr(self, f"_do_{act.what}")(act.whom, *act.how)

    def _machine(self, whom: int) -> Station | Centre:
        return self.centre if whom < 0 else self.stations[whom]

    def _name(self, whom: int) -> str:
        return CENTRE if whom < 0 else self.stations[whom].name

    def _died(self, machine: Station | Centre, *, is_killed: bool) -> None:
        """A supervisor starts it again; a power cut takes longer, and what was not synced."""
        name = machine.process.name
        how = self._pending.pop(name, "kill")
        if is_killed:
            self.note(f"{name} dies ({how})")
            self.network.vanish(machine.process.line, is_noticed=how == "kill")
            if how == "power":
                machine.disk.cut_power()
                if isinstance(machine, Station):
                    machine.boots += 1
                    machine.booted_at = self.now
        wait_s = self._dice.uniform(0.05, 3.0) if how == "kill" else self._dice.uniform(0.5, 12.0)
        self.loop.call_later(wait_s, self._start_again, machine)

    def _start_again(self, machine: Station | Centre) -> None:
        if not machine.process.is_running:
            self.note(f"{machine.process.name} starts")
            machine.start()

    def _station_ended(self, station: Station, error: BaseException | None) -> None:
        station.watch.close()
        is_disk = isinstance(error, JournalFailed) and station.disk._is_suspect
        if error is not None and not is_disk:
            self.fail("P11", f"{station.name} ended with {error!r}")
        self.note(f"{station.name} ended, {error!r}")
        station._let_go()
        self.network.vanish(station.process.line, is_noticed=True)
        self._died(station, is_killed=False)

    def _centre_killed(self) -> None:
        self.centre._let_go()
        self._died(self.centre, is_killed=True)

    def _centre_ended(self, error: BaseException | None) -> None:
        is_disk = isinstance(error, BaseExceptionGroup | StoreUnavailable) and self.centre.is_store_full
        if not is_disk:
            self.fail("P11", f"the centre ended with {error!r}")
        self.centre._let_go()
        self.network.vanish(self.centre.process.line, is_noticed=True)
        self._died(self.centre, is_killed=False)

    # What befalls them.

    def _do_flip(self, whom: int, door: int) -> None:
        self.stations[whom].flip(door)

    def _do_burst(self, whom: int, rows: int) -> None:
        self.stations[whom].burst(rows)

    def _do_command(self, whom: int, slot: int) -> None:
        station = self.stations[whom]
        self.commanded.setdefault(station.locks[slot], self.now)
        self.centre.give(station.name, station.locks[slot])

    def _do_arm(self, whom: int, place: str, count: int, how: str) -> None:
        machine = self._machine(whom)
        if machine.process.is_running:
            self._pending[machine.process.name] = how
            machine.process.arm(place, count)

    def _do_stop(self, whom: int) -> None:
        self.stations[whom].process.signal(signal.SIGTERM)

    def _do_stall(self, whom: int, direction: str, for_s: float) -> None:
        self.network.stall(self._name(whom), direction, for_s)

    def _do_reset(self, whom: int) -> None:
        self.network.reset(self._name(whom))

    def _do_broker(self, _whom: int, down_s: float) -> None:
        self.network.restart(down_s)

    def _do_noise(self, _whom: int, twice: float, late: float, late_s: float) -> None:
        self.network.noise = Noise(twice, late, late_s)
        self.patience_s = max(self.patience_s, 2 * late_s + 5.0)

    def _do_replay(self, _whom: int, times: int, which: float) -> None:
        if self.network.seen:
            message = self.network.seen[int(which * len(self.network.seen))]
            for _ in range(times):
                self.network.replay(message)

    def _do_say_again(self, _whom: int, lane: str, word: str = "", times: int = 1) -> None:
        """The newest message of a lane that ends so, such as `aa/up/beat`, with a word in it, once more."""
        seen = self._newest(lane, word)
        if seen is not None:
            for _ in range(times):
                self.network.replay(seen)

    def _newest(self, lane: str, word: str = "") -> Message | None:
        heard = reversed(self.network.seen)
        return next((one for one in heard if one[0].endswith(lane) and word.encode() in one[1]), None)

    def _do_slow(self, whom: int, latency_s: float, for_s: float) -> None:
        machine = self._machine(whom)
        machine.disk.latency_s = (0.0, latency_s)
        self.is_centre_slow = self.is_centre_slow or whom < 0
        self.loop.call_later(for_s, self._quick, machine)

    def _quick(self, machine: Station | Centre) -> None:
        machine.disk.latency_s = QUICK_S

    def _do_sync_fails(self, whom: int) -> None:
        if self.stations[whom].journal is not None:
            self.stations[whom].disk.fails_next = True

    def _do_store_full(self, _whom: int, for_s: float) -> None:
        self.centre.is_store_full = True
        self.is_centre_slow = True
        self.loop.call_later(for_s, self._mend_store)

    def _mend_store(self) -> None:
        self.centre.is_store_full = False

    def _do_step_clock(self, whom: int, step_ms: int) -> None:
        self._machine(whom).offset_ms += step_ms

    def _do_keep_store(self, _whom: int) -> None:
        self._kept = self.centre.snapshot()

    def _do_restore_store(self, _whom: int) -> None:
        self._pending[CENTRE] = "kill"
        self.centre.kill()
        if self._kept is not None:
            self.centre.restore(self._kept)

    def _do_keep_disk(self, whom: int) -> None:
        """Nothing is kept of a machine that has not begun."""
        self._disks[self.stations[whom].name] = self.stations[whom].snapshot()

    def _do_roll_back(self, whom: int) -> None:
        """Its image of some time ago, as a restored backup or a swapped flash has it."""
        station = self.stations[whom]
        station.kill()
        station.restore(self._disks[station.name])
        station.has_baseline = False
        self.lost_above[station.name] = max((seq for _, seq in station.rows()), default=0)
        self.rolled_back[station.name] = self.stored(station.name)

    def _do_lose_disk(self, whom: int) -> None:
        """A new box, or a new card in the old one: the key is there, the journal is not."""
        station = self.stations[whom]
        station.kill()
        station.restore({})
        station.has_baseline = False
        self.begun_anew[station.name] = self.stored(station.name)

    def _do_clone(self, whom: int) -> None:
        """The same image on a second machine, which sees the same contacts."""
        station = self.stations[whom]
        copy = self.clones[station.name] = self._station(self._folder / f"{station.name}-copy", station.name)
        copy.restore(station.snapshot())
        copy.start()

    def _do_revoke(self, whom: int) -> None:
        """As `casewatch central revoke` does: another process writes it into the store."""
        name = self.stations[whom].name
        with closing(sqlite3.connect(self.centre.disk.folder / STORE_FILE)) as db, db:
            db.execute("UPDATE edge_key SET revoked_ms=1, reason='stolen' WHERE edge=?", (name,))
        self.revoked[name] = self.stored(name)

    def _do_forge(self, _whom: int, how: str, which: float | str) -> None:
        """`which`: a lane's newest, or a part of all that was heard."""
        seen = (
            self._newest(which)
            if isinstance(which, str)
            else self.network.seen[int(which * len(self.network.seen))]
            if self.network.seen
            else None
        )
        if seen is not None:
            forged = forge(seen, how, [station.name for station in self.stations])
            if forged is not None:
                self.note(f"forged {forged[0]} ({how})")
                self.forged.add(forged[1])
                self.network.replay(forged)

    def stored(self, name: str) -> int:
        """How far the centre has committed the edge's rows."""
        found = self.centre.ask("SELECT max(seq) FROM event WHERE edge=?", name)
        return int(found[0][0] or 0)
