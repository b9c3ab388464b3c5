"""A real edge that freezes, stops or dies: each is an alarm of its own, raised once and cleared once."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from contract.limits import BEAT_INTERVAL_S, SILENCE_AFTER_S
from tests.support.eventually import eventually
from tests.support.mosquitto import PATH
from tests.support.world import World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(PATH is None, reason="mosquitto is not installed"),
    pytest.mark.timeout(120),
]
SLACK_S = 4.0
AWAY = ("station_lost", "service_stopped")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    county = World(tmp_path_factory.mktemp("county"))
    try:
        yield county.start()
    finally:
        county.stop()


def standing(world: World) -> dict[str, str]:
    """Faults of the station's link that stand, with their details."""
    told: list[dict[str, Any]] = world.centre.get("/api/v1/faults")["faults"]
    return {fault["kind"]: fault["detail"] for fault in told if fault["kind"] in AWAY}


def raised(world: World) -> list[tuple[str, bool]]:
    """Every fault of the link that there ever was, in order, and whether it has ended."""
    with closing(sqlite3.connect(world.folder / "central/casewatch.db")) as store:
        rows = store.execute("SELECT kind, cleared_ms IS NOT NULL FROM fault ORDER BY id").fetchall()
    return [(kind, bool(ended)) for kind, ended in rows if kind in AWAY]


def test_a_frozen_edge_is_lost_within_15_s_though_its_connection_stands(world: World) -> None:
    before = raised(world)
    world.edge.signal(signal.SIGSTOP)
    frozen_s = time.monotonic()
    try:
        eventually(lambda: standing(world) == {"station_lost": "silent"}, 30, "the silence")
        took_s = time.monotonic() - frozen_s
    finally:
        world.edge.signal(signal.SIGCONT)
    assert SILENCE_AFTER_S - BEAT_INTERVAL_S - 1 <= took_s <= SILENCE_AFTER_S + SLACK_S
    eventually(lambda: not standing(world), 20, "its return")
    assert raised(world) == [*before, ("station_lost", True)]
    assert set(world.door_states().values()) == {"closed"}


def test_a_stopped_service_is_told_apart_from_a_lost_station(world: World) -> None:
    before = raised(world)
    world.edge.stop()
    eventually(lambda: standing(world) == {"service_stopped": "stop"}, 10, "its goodbye")
    assert set(world.door_states().values()) == {"unknown"}
    world.edge.start()
    eventually(lambda: not standing(world), 30, "its return")
    assert raised(world) == [*before, ("service_stopped", True)]


def test_a_killed_edge_is_told_by_the_broker_before_its_silence(world: World) -> None:
    before = raised(world)
    world.edge.kill()
    eventually(lambda: standing(world) == {"station_lost": "connection"}, 10, "the broken connection")
    world.central.stop()
    world.central.start()
    world.await_centre()
    assert standing(world) == {"station_lost": "connection"}, "over a restart of the centre"
    world.edge.start()
    eventually(lambda: not standing(world), 30, "its return")
    assert raised(world) == [*before, ("station_lost", True)]
