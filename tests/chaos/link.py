"""Rows 9 and 10: a link that is slow, narrow or flapping; messages doubled, late or in another order."""

import time

from tests.chaos.ground import Ground, Play
from tests.chaos.station import Station
from tests.support.mqtt_proxy import Proxy, Weather

DELAY_S = 1.0
NARROW_BYTES_A_S = 8_000
"""64 kbit/s."""
BUSY_S = 12.0
CALM_HZ = 5
"""A broker takes 20 messages without acknowledging one: over a round trip of 2 s that is 10 a second."""


def slow(ground: Ground) -> None:
    """A round trip of 2 s, and a tenth of the seconds in which nothing moves."""
    there = ground.proxied(CALM_HZ)
    station, link = there.station, there.edge_link
    for _ in range(ground.trials):
        link.weather = Weather(latency_s=DELAY_S, stall=0.1, stall_s=1.0)
        from_ns = time.monotonic_ns()
        time.sleep(BUSY_S)
        until_ns = time.monotonic_ns()
        link.weather = Weather()
        station.settle()
        station.note_lag("P9", "door to centre over a slow link", from_ns, until_ns, 2 * (DELAY_S + 1.0))
        ground.tried += 1
    station.conclude()


def narrow(ground: Ground) -> None:
    """A backlog drains over 64 kbit/s while doors go on opening: they may not wait for it."""
    there = ground.proxied(0)
    station, link = there.station, there.edge_link
    for _ in range(ground.trials):
        _build_backlog(station, link)
        link.weather = Weather(bytes_per_s=NARROW_BYTES_A_S)
        from_ns = time.monotonic_ns()
        doors = ground.random.sample(station.doors, 4)
        for door in doors:
            station.flip(door, "closed")
            time.sleep(1.0)
            station.flip(door, "open")
            time.sleep(1.0)
        until_ns = time.monotonic_ns()
        station.settle()
        link.weather = Weather()
        station.note_lag("P9", "door to centre past a backlog on 64 kbit/s", from_ns, until_ns, 5.0)
        for door in station.doors:
            station.flip(door, "closed")
        ground.tried += 1
    station.conclude()


def flapping(ground: Ground) -> None:
    """The connection is reset every five seconds, a few times within one second too."""
    there = ground.proxied(20)
    station, link = there.station, there.edge_link
    link.weather = Weather(latency_s=0.1)
    with station.silent():
        for number in range(ground.trials):
            time.sleep(ground.random.uniform(0.1, 0.5) if number % 3 == 2 else 5.0)
            link.reset()
            ground.tried += 1
    link.weather = Weather()
    station.conclude()


def shuffled(ground: Ground) -> None:
    """Messages of edge and centre doubled, overtaken, forgotten and late, all at once, both ways."""
    there = ground.proxied(30, is_centre_too=True)
    for _ in range(ground.trials):
        for link in (there.edge_link, there.centre_link):
            link.weather = Weather(
                latency_s=ground.random.uniform(0, 0.2),
                double=ground.random.uniform(0.1, 0.4),
                turn=ground.random.uniform(0.1, 0.4),
                turn_s=ground.random.uniform(0.1, 1.0),
                swallow=ground.random.uniform(0, 0.2),
            )
        with there.station.silent():  # beats may be among what is forgotten
            time.sleep(5.0)
        ground.tried += 1
    for link in (there.edge_link, there.centre_link):
        link.weather = Weather()
    there.station.conclude()


def _build_backlog(station: Station, link: Proxy) -> None:
    """Rows for about 20 s of the narrow link: the way is cut while every door opens and closes again."""
    with station.silent():
        link.weather = Weather(is_silent=True)
        for _ in range(8):
            for value in ("open", "closed"):
                for door in station.doors:
                    station.flip(door, value)
                time.sleep(0.4)
        for door in station.doors:
            station.flip(door, "open")
        time.sleep(0.4)
        link.weather = Weather()
        link.reset()


PLAYS = (
    Play(9, "slow", "link of 2 s round trip that stalls", slow, 1, 4, smoke_s=35),
    Play(9, "narrow", "64 kbit/s with a backlog", narrow, 1, 3, smoke_s=60),
    Play(9, "flapping", "link reset again and again", flapping, 6, 60, smoke_s=30),
    Play(10, "shuffled", "messages doubled, turned round, lost, late", shuffled, 4, 60, a_run=20, smoke_s=40),
)
