import pytest

from simulators.errors import BadValue, UnknownPoint
from simulators.plant import Change, Plant

DOOR = "liuxu.int1.door"
ITEM = "liuxu.cab1.s03.item"
PICTURE = "liuxu.int1.picture"


def test_every_point_begins_at_rest_and_unrecorded():
    plant = Plant([DOOR, ITEM, PICTURE])
    assert [plant.value(point) for point in plant.points] == ["closed", "present", "ok"]
    assert plant.changes(after=0) == []


def test_only_openings_are_counted():
    plant = Plant([DOOR])
    for value in ("open", "closed", "open"):
        plant.change(DOOR, value, 0, 0)
    assert plant.activations(DOOR) == 2


def test_a_value_the_point_has_already_is_no_change():
    plant = Plant([DOOR])
    plant.change(DOOR, "open", 1, 1)
    assert plant.change(DOOR, "open", 2, 2) is None
    assert plant.activations(DOOR) == 1
    assert len(plant.changes(after=0)) == 1


def test_every_change_is_numbered_and_handed_to_the_record_in_order():
    recorded: list[Change] = []
    plant = Plant([DOOR, PICTURE], recorded.append)
    plant.change(DOOR, "open", 1000, 5)
    plant.change(PICTURE, "covered", 1001, 6)
    assert recorded == [Change(1, 1000, 5, DOOR, "open"), Change(2, 1001, 6, PICTURE, "covered")]
    assert plant.changes(after=1) == recorded[1:]


def test_memory_of_changes_is_bounded_and_keeps_the_last(monkeypatch):
    monkeypatch.setattr("simulators.plant.RECORD_KEPT", 4)
    plant = Plant([DOOR])
    for n in range(10):
        plant.change(DOOR, ("open", "closed")[n % 2], n, n)
    assert [change.n for change in plant.changes(after=0)] == [7, 8, 9, 10]
    assert [change.n for change in plant.changes(after=8)] == [9, 10]


def test_an_item_is_active_while_present_and_a_door_while_open():
    plant = Plant([DOOR, ITEM])
    assert (plant.is_active(DOOR), plant.is_active(ITEM)) == (False, True)


def test_unknown_points_and_values_are_refused():
    plant = Plant([DOOR])
    with pytest.raises(UnknownPoint):
        plant.change(ITEM, "absent", 0, 0)
    with pytest.raises(BadValue):
        plant.change(DOOR, "ajar", 0, 0)
    with pytest.raises(UnknownPoint):
        Plant(["liuxu.int1.window"])
