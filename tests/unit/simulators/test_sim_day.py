from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from simulators.activity import Activity, Planned
from simulators.day import HAND_USE_S, Day
from simulators.scenario import Act, ActivitySettings, Scenario
from simulators.scenario_file import load_scenario

WORKING_DAY = load_scenario(Path(__file__).parents[3] / "config" / "demo" / "working-day.toml")
HOURS_4 = 4 * 3600.0
DOOR = "liuxu.int1.door"


def day_of(changes_to=HOURS_4, step_s=1.0, **settings):
    """All door changes of the demo's activity up to a second, asked for step by step."""
    scenario = msgspec.structs.replace(WORKING_DAY, **settings)
    activity = Activity(scenario, scenario.activity)
    changes, now_s = [], 0.0
    while now_s <= changes_to:
        changes += activity.due(now_s)
        now_s += step_s
    return changes


def openings(changes):
    return [change for change in changes if change.value == "open"]


def test_the_same_seed_gives_the_same_day_however_often_it_is_asked():
    assert day_of(step_s=0.5) == day_of(step_s=60.0)


def test_another_seed_gives_another_day():
    assert day_of(600) != day_of(600, seed=2)


def test_a_door_moves_within_8_s_and_then_every_20_to_40_s():
    opened = openings(day_of())
    assert opened[0].at_s <= 8
    gaps = [later.at_s - earlier.at_s for earlier, later in pairwise(opened)]
    assert all(20 <= gap <= 40 for gap in gaps)


def test_every_door_is_closed_2_to_4_s_after_it_opened():
    last_open = {}
    for change in day_of():
        if change.value == "open":
            assert change.point not in last_open
            last_open[change.point] = change.at_s
        else:
            assert 2 <= change.at_s - last_open.pop(change.point) <= 4
    assert len(last_open) <= 1


def test_the_stations_take_turns_and_every_room_is_visited():
    opened = openings(day_of())
    stations = [change.point.split(".")[0] for change in opened]
    assert all(a != b for a, b in pairwise(stations))
    rooms = {room.id for station in WORKING_DAY.station for room in station.room}
    assert {change.point.removesuffix(".door") for change in opened} == rooms


def test_a_room_is_in_use_from_its_opening_until_the_door_closes_behind_the_last():
    settings = ActivitySettings(first_s=1, gap_s=(10, 10), open_s=(2, 2), leave_chance=1.0)
    one_room = msgspec.structs.replace(WORKING_DAY.station[1], room=WORKING_DAY.station[1].room[:1])
    activity = Activity(msgspec.structs.replace(WORKING_DAY, station=[one_room]), settings)
    in_use = []
    for now_s in (0, 1, 5, 11, 12, 13):
        activity.due(now_s)
        in_use.append(activity.is_in_use("liuxu.check"))
    assert in_use == [False, True, True, True, True, False]


def test_no_more_rooms_are_in_use_than_allowed():
    settings = msgspec.structs.replace(WORKING_DAY.activity, rooms_max=2, leave_chance=0.1)
    activity = Activity(WORKING_DAY, settings)
    rooms = [room.id for station in WORKING_DAY.station for room in station.room]
    for now_s in range(3600):
        activity.due(now_s)
        assert sum(activity.is_in_use(room) for room in rooms) <= 2


def scripted(*acts):
    return Day(msgspec.structs.replace(WORKING_DAY, activity=None, act=list(acts)))


def test_acts_come_at_their_second_and_once():
    day = scripted(Act(28, "liuxu.cab1.s03.item", "absent"), Act(25, "liuxu.cab1.s03.lock", "open"))
    assert day.next_s == 25
    assert day.due(24.9) == []
    assert day.due(26) == [Planned(25, "liuxu.cab1.s03.lock", "open")]
    assert day.due(99) == [Planned(28, "liuxu.cab1.s03.item", "absent")]
    assert day.due(999) == []
    assert day.next_s == float("inf")


def test_a_point_held_by_hand_is_left_alone_until_the_hand_puts_it_back():
    day = scripted(Act(5, DOOR, "closed"), Act(15, DOOR, "open"))
    day.touched(DOOR, "open", 1)
    assert day.due(10) == []
    day.touched(DOOR, "closed", 11)
    assert day.due(20) == [Planned(15, DOOR, "open")]


def test_a_room_counts_as_in_use_for_a_while_after_its_door_was_opened_by_hand():
    day = scripted()
    day.touched(DOOR, "open", 100)
    assert day.is_in_use("liuxu.int1", 100 + HAND_USE_S - 1)
    assert not day.is_in_use("liuxu.int1", 100 + HAND_USE_S)
    assert not day.is_in_use("liuxu.wait", 101)


@pytest.mark.parametrize(
    ("second", "point", "value"),
    [(25, "liuxu.cab1.s03.lock", "open"), (45, "linhu.info.picture", "covered")],
)
def test_the_demo_takes_a_dossier_at_25_s_and_covers_a_camera_at_45_s(second, point, value):
    assert Planned(second, point, value) in Day(WORKING_DAY).due(60)


def test_a_scenario_without_rooms_has_no_doors_to_open():
    activity = Activity(Scenario(), ActivitySettings())
    assert activity.due(3600) == []
