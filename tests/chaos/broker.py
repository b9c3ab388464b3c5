"""Row 5: the broker is restarted, killed, loses what it kept, or is suddenly another one."""

import shutil
import time
from pathlib import Path

from tests.chaos.ground import Ground, Play, Proxied
from tests.chaos.history import Figure
from tests.support.mosquitto import await_listener, mosquitto
from tests.support.ports import free_ports
from tests.support.processes import Process

TRIES_A_S = 5.0
"""Full jitter up to 0.8 s is 2.5 tries a second; twice that would be a storm."""
BACK_S = 6.0
"""From the broker's return to the edge's next beat; a beat comes each 5 s."""


def all_its_ways(ground: Ground) -> None:
    there = ground.proxied(20, is_centre_too=True)
    station = there.station
    _let_it_persist(station.broker, ground.folder)
    ways = ["restart", "kill", "wipe", "other"]
    ground.random.shuffle(ways)
    for number in range(ground.trials):
        way = ways[number % len(ways)]
        ground.wait(0.5, 2.0)
        gone_ns = time.monotonic_ns()
        with station.silent():
            if way == "other":
                _another(ground, there)
            else:
                _the_same(ground, station.broker, way)
            back_ns = time.monotonic_ns()
            back_s = station.await_beat(back_ns) if way != "other" else _beat_passes(there, back_ns)
        tries = sum(gone_ns <= at <= back_ns for at in there.edge_link.accepted_ns)
        a_second = tries / max(2.0, (back_ns - gone_ns) / 1e9)
        station.history.note(
            Figure("P12", f"seconds from the broker's return ({way}) to a beat", back_s, BACK_S),
            Figure("P9", f"tries a second while the broker is gone ({way})", a_second, TRIES_A_S),
        )
        ground.tried += 1
    station.conclude()


def _let_it_persist(broker: Process, folder: Path) -> None:
    settings = folder / "mosquitto.conf"
    kept = folder / "broker"
    kept.mkdir(mode=0o777)
    kept.chmod(0o777)
    text = settings.read_text().replace(
        "persistence false", f"persistence true\npersistence_location {kept}/\nuser root"
    )
    settings.write_text(text)
    assert broker.command[-1] == str(settings)


def _the_same(ground: Ground, broker: Process, way: str) -> None:
    if way == "restart":
        broker.stop()
    else:
        broker.kill()
    if way == "wipe":
        for file in (ground.folder / "broker").iterdir():
            file.unlink()
    ground.wait(0.5, 3.0)
    broker.start()
    port = int(Path(broker.command[-1]).read_text().split("listener ")[1].split()[0])
    await_listener(port)


def _another(ground: Ground, there: Proxied) -> None:
    """Both find another broker at the same address, the centre a little later; then the first again."""
    folder = ground.folder / "other"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (port,) = free_ports(1)
    other = mosquitto(folder, port)
    other.start()
    await_listener(port)
    own = ("127.0.0.1", there.station.broker_port)
    for place in (("127.0.0.1", port), own):
        for link in (there.edge_link, there.centre_link):
            link.go_to(place)
            ground.wait(0.2, 1.5)
        _beat_passes(there, time.monotonic_ns())
    other.stop()


def _beat_passes(there: Proxied, after_ns: int) -> float:
    """Seconds until a beat passes the edge's proxy, and the centre's."""
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        heard = [one for one in there.centre_link.seen if one.mono_ns > after_ns and one.publish]
        if any(one.publish and one.publish.topic.endswith("/up/beat") for one in heard):
            break
        time.sleep(0.05)
    return (time.monotonic_ns() - after_ns) / 1e9


PLAYS = (
    Play(
        5, "broker", "broker restarted, killed, emptied, replaced", all_its_ways, 4, 40, a_run=20, smoke_s=40
    ),
)
