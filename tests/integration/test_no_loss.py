"""No loss: whatever is killed, each change of a contact is at the centre once, in order, with its time.

The figures of the full trial are printed by `script/bench door`; here it runs for as long as the issue asks.
"""

import asyncio
from pathlib import Path

import pytest

from tests.support.flips import Flips, judge, run_through_outages
from tests.support.mosquitto import PATH
from tests.support.world import World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(PATH is None, reason="mosquitto is not installed"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def world(tmp_path: Path):
    county = World(tmp_path, modules=3)
    try:
        yield county.start()
    finally:
        codes = county.stop()
    assert codes.pop("mosquitto", 0) == 0
    assert set(codes.values()) <= {0}, codes


async def test_nothing_is_lost_when_broker_and_centre_are_killed(world: World) -> None:
    """60 s at 20 flips a second; the broker dies for 20 s and comes back empty; the centre dies once."""
    async with Flips(world, rate_hz=20) as flips:
        back_ns = await run_through_outages(flips)
    verdict = await asyncio.to_thread(judge, world, flips)
    assert verdict.lost == []
    assert verdict.duplicates == []
    assert verdict.out_of_order == []
    assert verdict.invented == []
    # A poll late on a busy machine; a time of receipt instead of the edge's would be 20 s off.
    assert verdict.worst_time_error_ms <= 1_000
    assert verdict.sessions_missing == []
    assert flips.first_after_s(back_ns) <= 1.5
    done = world.journal("verify")
    assert done.returncode == 0, done.stdout + done.stderr
