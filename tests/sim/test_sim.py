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


def schedule(seed: int, ends_at: float, *acts: Act, edges: int = 1, slots: int = 0) -> Plan:
    return Plan(seed, edges, 1, ("named",), tuple(acts), ends_at, slots)


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


def test_a_command_is_not_carried_out_again_by_a_start_that_has_forgotten_it(ground: Ground) -> None:
    """Seed 43 of 24 November: a new journal counts its sessions and beats from one, as the lost one had."""
    again = [Act(at, "say_again", 0, ("down/command",)) for at in (6.5, 7.0, 8.0, 9.0, 10.0, 11.0)]
    made = schedule(43, 16.0, Act(4.0, "command", 0, (0,)), Act(6.0, "lose_disk", 0), *again, slots=1)
    assert played(ground, made).violations == []


def test_a_command_that_is_said_again_is_carried_out_once(ground: Ground) -> None:
    again = [Act(at, "say_again", 0, ("down/command",)) for at in (5.0, 9.0, 44.0)]
    made = schedule(
        12, 46.0, Act(4.0, "command", 0, (0,)), Act(7.0, "arm", 0, ("step", 1, "kill")), *again, slots=1
    )
    assert played(ground, made).violations == []


def test_a_command_that_comes_late_is_not_carried_out(ground: Ground) -> None:
    """Somebody holds it back for longer than it is valid, then lets the same start of the edge have it."""
    away = [Act(4.9, "stall", 0, (direction, 45.0)) for direction in ("up", "down")]
    told = [Act(at, "say_again", 0, ("down/command",)) for at in (57.0, 60.0)]
    verdict = played(
        ground, schedule(13, 62.0, *away, Act(5.0, "command", 0, (0,)), *told, slots=1), is_traced=True
    )
    assert "centre says command to aa" in "\n".join(verdict.trace), "nothing was held back"
    assert verdict.violations == []


def test_a_last_will_of_an_edge_that_is_said_again_takes_no_station_away(ground: Ground) -> None:
    """Seed 1248 of 24 November: a replay that changed something."""
    again = [Act(at, "say_again", 0, ("aa/up/status", "will")) for at in (8.0, 9.0, 12.0)]
    assert played(ground, schedule(1248, 14.0, Act(6.0, "reset", 0), *again)).violations == []


def test_a_command_on_a_failing_disk_ends_the_agent_by_name(ground: Ground) -> None:
    """Seed 930 of 24 November: the error came as a group in a group, which no exit code knows."""
    made = schedule(930, 12.0, Act(4.99, "sync_fails", 0), Act(5.0, "command", 0, (0,)), slots=1)
    assert played(ground, made).violations == []


def test_a_copied_machine_is_found(ground: Ground) -> None:
    assert played(ground, schedule(7, 10.0, Act(7.0, "clone", 0))).violations == []


def test_what_was_told_survives_a_power_cut_at_once(ground: Ground) -> None:
    cuts = [Act(at, "arm", 0, ("send", 2, "power")) for at in (5.0, 9.0)]
    made = schedule(1, 16.0, *cuts, *(Act(at / 2, "flip", 0, (0,)) for at in range(6, 30)))
    assert played(ground, made).violations == []


def test_after_a_sync_that_failed_nothing_more_is_called_durable(ground: Ground) -> None:
    """The kernel drops what it could not write and calls the next sync a success."""
    made = schedule(
        2,
        16.0,
        Act(6.0, "sync_fails", 0),
        *(Act(6.1 + n / 10, "flip", 0, (0,)) for n in range(5)),
        Act(7.0, "arm", 0, ("step", 1, "power")),
    )
    assert played(ground, made).violations == []


def test_a_flood_waits_in_a_bounded_queue(ground: Ground) -> None:
    flood = [Act(8.0 + n / 10, "say_again", -1, ("up/log", "", 100)) for n in range(5)]
    made = schedule(3, 14.0, Act(7.5, "slow", -1, (2.0, 4.0)), *flood)
    assert played(ground, made).violations == []


@pytest.mark.parametrize("step_ms", plan.STEPS_MS)
@pytest.mark.parametrize("whom", [0, -1])
def test_a_wall_clock_that_is_set_makes_nobody_silent_and_hides_no_silence(
    ground: Ground, step_ms: int, whom: int
) -> None:
    made = schedule(
        4,
        34.0,
        Act(7.0, "step_clock", whom, (step_ms,)),
        Act(9.0, "stall", 0, ("up", 22.0)),
        Act(11.0, "step_clock", whom, (-step_ms,)),
    )
    assert played(ground, made).violations == []


@pytest.mark.parametrize("how", ["unsigned", "altered", "foreign key"])
@pytest.mark.parametrize("lane", ["birth", "beat", "status", "log", "receipt", "central/status"])
def test_what_the_right_key_did_not_sign_changes_nothing(ground: Ground, lane: str, how: str) -> None:
    acts = [Act(at, "flip", 0, (0,)) for at in (4.0, 6.0, 9.0)]
    made = schedule(5, 12.0, *acts, Act(7.0, "forge", -1, (how, lane)))
    assert played(ground, made).violations == []


def test_a_key_that_was_taken_back_is_believed_no_more(ground: Ground) -> None:
    acts = [Act(at, "flip", 0, (0,)) for at in (4.0, 6.0, 9.0, 10.0)]
    assert played(ground, schedule(6, 14.0, *acts, Act(8.0, "revoke", 0))).violations == []


def test_a_journal_that_was_lost_begins_another_epoch(ground: Ground) -> None:
    acts = [Act(at, "flip", 0, (0,)) for at in (4.0, 5.0, 12.0, 13.0)]
    assert played(ground, schedule(8, 15.0, *acts, Act(7.0, "lose_disk", 0))).violations == []


def test_an_older_image_of_an_edge_is_found_before_anything_of_it_is_taken(ground: Ground) -> None:
    acts = [Act(at, "flip", 0, (0,)) for at in (4.0, 6.0, 7.0, 12.0)]
    made = schedule(9, 15.0, *acts, Act(5.0, "keep_disk", 0), Act(8.0, "roll_back", 0))
    assert played(ground, made).violations == []


def test_an_older_store_is_filled_again_from_the_edges(ground: Ground) -> None:
    acts = [Act(at, "flip", 0, (0,)) for at in (4.0, 6.0, 7.0, 12.0)]
    made = schedule(10, 15.0, *acts, Act(5.0, "keep_store", -1), Act(8.0, "restore_store", -1))
    assert played(ground, made).violations == []


def test_rows_that_come_twice_and_in_any_order_count_once(ground: Ground) -> None:
    acts = [Act(at / 4, "flip", 0, (0,)) for at in range(12, 40)]
    made = schedule(11, 12.0, Act(2.0, "noise", -1, (0.5, 0.5, 2.0)), *acts)
    assert played(ground, made).violations == []
