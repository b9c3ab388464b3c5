"""Where one trial takes place: its folder, its seed, its history, and the table of all that can be tried."""

import random
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct

from tests.chaos.history import Clocks, History
from tests.chaos.station import Station
from tests.support.mqtt_proxy import Proxy
from tests.support.ports import free_ports
from tests.support.world import STATION

__all__ = ["STATION", "Ground", "Play", "missing"]


S = TypeVar("S", bound=Station)


class Proxied(NamedTuple):
    """`centre_link` is the edge's where the centre has none of its own."""

    station: Station
    edge_link: Proxy
    centre_link: Proxy


class Ground:
    """Given to each play. Whatever is entered on `closing` is undone at its end, whatever happens."""

    def __init__(self, folder: Path, seed: int, trials: int) -> None:
        self.folder = folder
        self.seed = seed
        self.trials = trials
        self.tried = 0
        """How many trials the play made; it counts them itself."""
        self.random = random.Random(seed)
        self.history = History([Clocks(time.monotonic_ns(), time.time_ns() // 1_000_000)])
        self.unproven: list[str] = []
        self.closing = ExitStack()
        self.stations: list[Station] = []

    def station(self, **options: Any) -> Station:
        """A station of its own, not yet started; it ends with the trial."""
        options.setdefault("modules", 2)
        return self.enter(Station(self.folder, history=self.history, **options))

    def enter(self, station: S) -> S:
        """It ends with the trial."""
        self.stations.append(station)
        self.closing.callback(station.stop)
        return station

    def running(self, rate_hz: float = 20, **options: Any) -> Station:
        """A station that runs, its contacts moving."""
        station = self.station(**options).start()
        station.flip_at(rate_hz, self.seed)
        return station

    def proxied(self, rate_hz: float = 20, *, is_centre_too: bool = False, **options: Any) -> Proxied:
        """A station that runs, its edge reaching the broker through a proxy; its centre too, if wished."""
        edge_port, centre_port = free_ports(2)
        options["edge_way"] = ("127.0.0.1", edge_port)
        if is_centre_too:
            options["centre_way"] = ("127.0.0.1", centre_port)
        station = self.station(**options)
        station.route()
        ports = (edge_port, centre_port) if is_centre_too else (edge_port,)
        proxies = [Proxy(port, ("127.0.0.1", station.broker_port), self.seed).start() for port in ports]
        for proxy in proxies:
            self.closing.callback(proxy.stop)
        self.closing.callback(station.stop)
        station.start()
        if rate_hz:
            station.flip_at(rate_hz, self.seed)
        return Proxied(station, proxies[0], proxies[-1])

    def not_proven(self, says: str) -> None:
        """Said in the report, loudly: what this machine or this method cannot show."""
        if says not in self.unproven:
            self.unproven.append(says)

    def wait(self, at_least_s: float, at_most_s: float) -> None:
        """Let things run for a while of the seed's choosing."""
        time.sleep(self.random.uniform(at_least_s, at_most_s))


class Play(Struct, frozen=True):
    """A row of the fault matrix, or a part of one. `smoke`, `nightly`: trials; `a_run`: in one world."""

    row: int
    name: str
    fault: str
    run: Callable[[Ground], None]
    smoke: int = 1
    nightly: int = 1
    a_run: int = 1_000
    smoke_s: float = 30.0
    """About how long a smoke run takes: the longest are begun first."""
    needs: tuple[Callable[[], str], ...] = ()
    """Each says what is missing on this machine, or nothing."""

    @property
    def id(self) -> str:
        return f"{self.row}.{self.name}"


def missing(command: str, leaves_out: str) -> Callable[[], str]:
    """A need of a command of the machine."""
    found = shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin")
    return lambda: "" if found else f"{command} is not installed: {leaves_out}"
