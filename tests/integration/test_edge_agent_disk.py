"""A running agent whose disk is full, and one into whose journal somebody reaches."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.journal_file import FILE_NAME
from edge.reserve import NAME
from tests.support.eventually import eventually
from tests.support.mosquitto import PATH
from tests.support.small_disk import fill, small_disk
from tests.support.world import World

FULL_S = 8.0
CPU_SHARE_MAX = 0.25
"""Of a core. It polls one module ten times a second meanwhile; one that spins takes all of it."""

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(PATH is None, reason="mosquitto is not installed"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_disk(tmp_path / "edge", 16 * 2**20, 64):
        county = World(tmp_path)
        try:
            yield county.start()
        finally:
            codes = county.stop()
        assert set(codes.values()) <= {0}, codes


def kinds(world: World) -> list[str]:
    return [event["row"]["kind"] for event in world.events()]


def is_blocked(world: World) -> bool:
    return "journal_blocked" in world.edge.log.read_text()


def test_an_agent_on_a_full_disk_lives_on_and_heals_without_a_restart(world: World, tmp_path: Path) -> None:
    pid = world.edge.pid
    door = world.doors[0]
    other = fill(tmp_path / "edge")
    eventually(lambda: "disk.low" in kinds(world), 20, "disk.low at the centre")
    (tmp_path / "edge" / NAME).unlink(missing_ok=True)
    fill(tmp_path / "edge")  # what the reserve held, gone too
    moves = 0
    while not is_blocked(world):
        moves += 1
        world.flip(door, "open" if moves % 2 else "closed")
        since = world.last_frame()
        eventually(lambda since=since: is_blocked(world) or world.is_polled(since), what="a poll")
        assert moves < 600, "the disk was never full"
    before = world.edge.cpu_s()
    time.sleep(FULL_S)
    share = (world.edge.cpu_s() - before) / FULL_S
    print(f"{share:.1%} of a core on a full disk")
    assert share < CPU_SHARE_MAX
    for last in ("open", "closed", "open"):
        world.flip(door, last)
    told = world.edge.log.read_text().count("journal_blocked")

    other.unlink()
    eventually(lambda: world.door_states()[world.rooms[0]] == "open", 20, "the door as it stands")
    eventually(lambda: kinds(world).count("disk.enough") == 1, 30, "disk.enough at the centre")
    assert world.edge.pid == pid
    assert world.edge.is_running
    assert told == 1, "a full disk is logged once"
    assert kinds(world).count("edge.started") == 1
    done = world.journal("verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_hand_in_the_journal_of_a_running_agent_is_at_the_centre_after_a_beat(
    world: World, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "edge" / FILE_NAME)) as db, db:
        db.execute("UPDATE row SET bytes = replace(bytes, 'closed', 'opened') WHERE seq = 2")
    began = time.monotonic()
    eventually(lambda: "journal.touched" in kinds(world), 20, "journal.touched at the centre")
    print(f"a touched journal was told after {time.monotonic() - began:.1f} s")
    (row,) = (event["row"] for event in world.events() if event["row"]["kind"] == "journal.touched")
    assert row["data"] == {"verdict": "changed", "row": 2}
    assert world.edge.is_running
