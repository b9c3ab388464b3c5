"""A share of the simulated schedules in every test run, and each fault that they ever found, by name.

`script/chaos --sim` plays ten thousand. A named schedule is written out act by act: what a seed means
changes with the generator, what was found must not.
"""

import pytest

from tests.sim import plan
from tests.sim.chaos import play, replay_line
from tests.sim.plan import Act, Plan
from tests.sim.world import Ground, Verdict, World

SHARES = 6
SCHEDULES_A_SHARE = 15


def played(ground: Ground, made: Plan, *, is_traced: bool = False) -> Verdict:
    with ground.laid():
        return World(made, ground, is_traced=is_traced).play()


def schedule(seed: int, ends_at: float, *acts: Act, edges: int = 1) -> Plan:
    return Plan(seed, edges, 1, ("named",), tuple(acts), ends_at)


@pytest.mark.parametrize("share", range(SHARES))
def test_every_promise_is_kept_whatever_befalls_edges_centre_and_broker(ground: Ground, share: int) -> None:
    first = share * SCHEDULES_A_SHARE + 1
    verdicts = [play(ground, seed) for seed in range(first, first + SCHEDULES_A_SHARE)]
    broken = {replay_line(one.seed): one.violations for one in verdicts if one.violations}
    assert broken == {}


def test_a_seed_plays_the_same_schedule_each_time(ground: Ground) -> None:
    once, again = (played(ground, plan.make(16), is_traced=True).trace for _ in range(2))
    assert len(once) > 20
    assert once == again


def test_a_will_of_the_centres_own_connection_told_late_shuts_no_edge_out(ground: Ground) -> None:
    """Seed 1543 of 24 November: edges sent nothing more until the centre's next start."""
    made = schedule(
        1543,
        12.0,
        Act(2.0, "reset", -1),
        Act(6.0, "say_again", -1, ("central/status", "offline")),
        Act(7.0, "flip", 0, (0,)),
    )
    assert played(ground, made).violations == []


def test_a_store_that_was_full_for_a_while_makes_no_station_silent(ground: Ground) -> None:
    """Seed 26 of 24 November: every station was called lost the moment the store could be written again."""
    made = schedule(26, 30.0, Act(5.8, "store_full", -1, (16.0,)), edges=2)
    assert played(ground, made).violations == []


def test_one_late_word_of_the_process_before_makes_no_second_machine(ground: Ground) -> None:
    """Seed 2590 of 24 November: `two_machines` stood after a restart on a slow line."""
    moves = [Act(at, "flip", 0, (0,)) for at in (10.5, 10.7, 10.9, 11.02, 11.05)]
    noise = Act(9.0, "noise", -1, (0.0, 0.7, 2.0))
    made = schedule(153, 15.0, noise, Act(11.0, "arm", 0, ("step", 1, "kill")), *moves)
    assert played(ground, made).violations == []


def test_a_copied_machine_is_found(ground: Ground) -> None:
    assert played(ground, schedule(7, 10.0, Act(7.0, "clone", 0))).violations == []
