"""Row 15, of commands: each is said again and again, while edge, centre and broker die: a slot opens once."""

import time
from contextlib import suppress
from dataclasses import dataclass

import paho.mqtt.client as mqtt

from contract import topics
from contract.ids import EdgeId
from contract.limits import COMMAND_VALID_MAX_S
from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.history import Acted, Commanded, Fact
from tests.chaos.station import Station
from tests.support.cabinet import LOCKS, CabinetWorld
from tests.support.mosquitto import await_listener

COMMAND = topics.down(EdgeId(STATION), topics.Down.COMMAND)
ENDS = {"done", "failed", "abandoned", "refused", "expired"}
ENDS_S = 60.0


@dataclass
class CabinetStation(Station, CabinetWorld):
    """A station of a trial that has a cabinet."""


def said_again(ground: Ground) -> None:
    station = ground.enter(CabinetStation(ground.folder, history=ground.history))
    station.start()
    open_now: set[str] = set()
    with station.blind(), station.silent():
        for number in range(ground.trials):
            lock = LOCKS[number % len(LOCKS)]
            if lock in open_now:
                station.flip(lock, "closed")
                ground.wait(1.2, 1.5)
            ordered_ns = time.monotonic_ns()
            given = station.order(lock, f"open-and-again-{number}")
            until_ns = ordered_ns + COMMAND_VALID_MAX_S * 1_000_000_000
            station.history.note(Commanded(given, lock, ordered_ns, until_ns))
            _disturb(ground, station)
            _say_again(ground, station)
            state = _end_of(station, given)
            says = f"the command has an end within {ENDS_S:.0f} s ({state})"
            station.history.note(Fact("P8", says, state in ENDS))
            open_now.add(lock)
            ground.tried += 1
        _say_again(ground, station)
        ground.wait(1.5, 2.0)
    moved = (change for change in station.record() if change["point"] in LOCKS and change["value"] == "open")
    station.history.note(*(Acted(change["point"], change["mono_ns"]) for change in moved))
    station.conclude()


def _disturb(ground: Ground, station: CabinetStation) -> None:
    """At a moment of the seed's choosing somebody dies, or nobody."""
    ground.wait(0.0, 0.6)
    process = ground.random.choice([station.edge, station.central, station.broker, None])
    if process is None:
        return
    process.kill()
    ground.wait(0.0, 0.5)
    process.start()
    if process is station.broker:
        await_listener(station.broker_port)
    elif process is station.central:
        station.await_centre()
    else:
        station.await_beat(time.monotonic_ns())


def _say_again(ground: Ground, station: CabinetStation) -> None:
    """Every command that was ever heard, in another order, twice."""
    said = [raw for _, topic, raw in list(station.tap.heard) if topic == COMMAND] * 2
    ground.random.shuffle(said)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "chaos-again", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", station.broker_port)
    client.loop_start()
    for raw in said[:40]:
        with suppress(ValueError, RuntimeError):
            client.publish(COMMAND, raw, qos=1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def _end_of(station: CabinetStation, given: str) -> str:
    ends_at, state = time.monotonic() + ENDS_S, ""
    while state not in ENDS and time.monotonic() < ends_at:
        with suppress(OSError):
            state = str(station.command(given)["state"])
        time.sleep(0.1)
    return state


PLAYS = (Play(15, "commands", "commands said again while all die", said_again, 5, 60, a_run=20, smoke_s=50),)
