"""Moves of a contact that are quicker than a poll, and the scenarios that are delivered."""

import pytest

from simulators.moves import planned
from simulators.scenario import Move
from simulators.scenario_file import SCENARIOS, delivered_scenarios, load_scenario, scenario_path

DOOR = "linhu.wait.door"


def moved(how: str, times: int = 5, ms: float = 100.0) -> list[tuple[float, str]]:
    move = Move(at_s=10.0, points=[DOOR], how=how, times=times, ms=ms)
    return [(change.at_s, change.value) for change in planned(move, seed=1)]


def test_bounce_ends_open_within_a_few_milliseconds() -> None:
    changes = moved("bounce")
    assert [value for _, value in changes] == ["open", "closed"] * 5 + ["open"]
    assert changes[-1][0] - changes[0][0] < 0.06


def test_chatter_ends_at_rest() -> None:
    changes = moved("chatter", times=20)
    assert len(changes) == 40
    assert changes[-1][1] == "closed"


def test_pulses_are_as_long_as_they_are_said_to_be() -> None:
    changes = moved("pulses", times=2, ms=50)
    assert [(round(at, 3), value) for at, value in changes] == [
        (10.0, "open"),
        (10.05, "closed"),
        (10.1, "open"),
        (10.15, "closed"),
    ]


def test_the_delivered_scenarios_are_sound_and_say_what_they_are() -> None:
    found = dict(delivered_scenarios())
    assert {"quiet-night", "busy-day", "cut-cable", "storm", "stolen-sensor", "fire-drill"} <= set(found)
    for name, title in found.items():
        scenario = load_scenario(scenario_path(name))
        assert title
        assert scenario.device
        assert scenario.act or scenario.activity or name == "workshop"


def test_a_scenario_is_found_by_name_or_by_path() -> None:
    assert scenario_path("storm") == SCENARIOS / "storm.toml"
    assert str(scenario_path("here/mine.toml")) == "here/mine.toml"


@pytest.mark.parametrize("how", ["bounce", "chatter"])
def test_the_same_seed_moves_alike(how: str) -> None:
    assert moved(how) == moved(how)
