"""No loss: whatever is killed, each change of a contact is at the centre once, in order, with its time.

The figures of the full trial are printed by `script/bench door`; here it runs for as long as the issue asks.
"""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.flips import Flips, judge
from tests.support.mosquitto import PATH, await_listener
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
        await flips.run_for(12)
        world.broker.kill()
        await flips.run_for(20)
        world.broker.start()
        await_listener(world.broker_port)
        back_mono_ns = time.monotonic_ns()
        await flips.run_for(8)
        world.central.kill()
        await flips.run_for(2)
        world.central.start()
        await flips.run_for(18)
    verdict = await asyncio.to_thread(judge, world, flips)
    assert verdict.lost == []
    assert verdict.duplicates == []
    assert verdict.out_of_order == []
    assert verdict.invented == []
    assert verdict.worst_time_error_ms <= world.interval_ms + 150
    assert verdict.sessions_missing == []
    assert flips.first_after_s(back_mono_ns) <= 1.5
    done = world.journal("verify")
    assert done.returncode == 0, done.stdout + done.stderr
