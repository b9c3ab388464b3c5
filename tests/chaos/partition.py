"""Row 8: edge and broker, or broker and centre, do not hear each other, and nobody tells them."""

import signal
import time

from tests.chaos.ground import Ground, Play
from tests.chaos.history import Figure
from tests.chaos.station import Station
from tests.support.mqtt_proxy import Proxy
from tests.support.netns import Island, cannot_part

CABLES = ("edge", "centre", "test")
BACK_S = 20.0
"""Both have to find out that their old connection is dead (keepalive), and to connect anew."""
LAG_S = 3.0


def parted(ground: Ground) -> None:
    station, island = _on_an_island(ground)
    for number in range(ground.trials):
        ground.wait(0.5, 1.5)
        way = ("edge", "centre", "one way")[number % 3]
        gone_s = ground.random.uniform(*((22.0, 26.0) if number % 3 == 0 else (6.0, 12.0)))
        with station.silent():
            if way == "one way":
                station.broker.signal(signal.SIGSTOP)
                time.sleep(gone_s)
                station.broker.signal(signal.SIGCONT)
            else:
                island.cut(way)
                time.sleep(gone_s)
                island.mend(way)
            mended_ns = time.monotonic_ns()
            back_s = _await_door(station, mended_ns)
        station.history.note(Figure("P12", f"seconds from mending ({way}) to a row", back_s, BACK_S))
        from_ns = time.monotonic_ns()
        time.sleep(2)
        until_ns = time.monotonic_ns()
        time.sleep(1.5)
        station.note_lag("P9", f"door to centre after mending ({way})", from_ns, until_ns, LAG_S)
        ground.tried += 1
    station.conclude()


def _on_an_island(ground: Ground) -> tuple[Station, Island]:
    """The broker there, edge and centre each with a cable to it; what tests hear comes by a third."""
    ground.not_proven(
        "loss and delay of single IP packets: this kernel has no netem, the proxy does it instead"
    )
    island = Island(CABLES)
    ground.closing.callback(island.remove)
    station = ground.station()
    station.edge_way = (island.address("edge"), station.broker_port)
    station.centre_way = (island.address("centre"), station.broker_port)
    station.route()
    settings = ground.folder / "mosquitto.conf"
    settings.write_text(
        settings.read_text().replace(f"{station.broker_port} 127.0.0.1", f"{station.broker_port}")
    )
    station.broker.command = [*island.prefix, *station.broker.command]
    near = Proxy(station.broker_port, (island.address("test"), station.broker_port), ground.seed).start()
    ground.closing.callback(near.stop)
    ground.closing.callback(station.stop)
    station.start()
    station.flip_at(20, ground.seed)
    return station, island


def _await_door(station: Station, mended_ns: int) -> float:
    """Seconds until the centre knows of a door that moved after the mending."""
    ends_at = time.monotonic() + 60
    while not station.lags_s(mended_ns, time.monotonic_ns()) and time.monotonic() < ends_at:
        time.sleep(0.1)
    return (time.monotonic_ns() - mended_ns) / 1e9


PLAYS = (
    Play(
        8,
        "parted",
        "edge, broker and centre parted",
        parted,
        3,
        15,
        a_run=6,
        smoke_s=75,
        needs=(cannot_part,),
    ),
)
