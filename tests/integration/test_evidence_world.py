"""A station in service: what its edge signed is proved elsewhere, and comes back after a restore."""

import re
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.mosquitto import PATH
from tests.support.world import World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(PATH is None, reason="mosquitto is not installed"),
    pytest.mark.timeout(240),
]
CONFIG = ("--config", "central.toml")


@pytest.fixture
def world(tmp_path: Path):
    county = World(tmp_path, secure=True)
    try:
        yield county.start()
    finally:
        codes = county.stop()
    assert set(codes.values()) <= {0}, codes


def open_and_close(world: World, door: str) -> None:
    """Until the centre has both."""
    for value in ("open", "closed"):
        world.flip(door, value)
        eventually(lambda value=value: world.door_states()[door.removesuffix(".door")] == value)


def head(world: World) -> tuple[int, int, str]:
    """Rows, and up to where they are signed, of a sound store; the hash of the last."""
    told = world.run("central", "verify", *CONFIG)
    found = re.search(r"sound, (\d+) rows up to \d+, signed up to (\d+), ([0-9a-f]{64})", told)
    assert found, told
    return int(found[1]), int(found[2]), found[3]


def test_what_an_edge_signed_is_proved_elsewhere_and_outlives_a_restore(world: World, tmp_path: Path) -> None:
    open_and_close(world, world.doors[0])
    eventually(lambda: [alert for alert in world.alerts() if not alert["chain_pending"]], what="the log")
    rows, signed, _ = head(world)
    assert signed == rows > 2

    alert = world.alerts()[0]["id"]
    told = world.run("central", "export", "--alert", alert, "--out", "out", "--reason", "a test", *CONFIG)
    assert f"alert-{alert}" in told
    package, authority = tmp_path / "out" / f"alert-{alert}", world.trust / "ca.pem"
    assert "sound 完好" in world.run("verify-package", str(package), "--ca", str(authority))

    world.run("central", "backup", "monday.db", *CONFIG)
    open_and_close(world, world.doors[1])
    rows, _, hash_ = eventually(lambda: found if (found := head(world))[0] >= rows + 2 else None)
    assert world.central.stop() == 0
    world.run("central", "restore", "monday.db", *CONFIG)
    assert head(world)[0] < rows
    world.central.start()
    world.await_centre()
    again = eventually(lambda: found if (found := head(world))[0] >= rows else None, 60, "the missing rows")
    assert again[0] > rows or again[2] == hash_
    assert "sound 完好" in world.run("verify-package", str(package), "--ca", str(authority))
