"""A bus that falls behind is said once, and so is its return."""

from edge.pace import WINDOW_NS, Pace
from edge.schedule import Tally


def test_a_bus_is_behind_when_more_than_one_deadline_in_a_hundred_of_a_minute_is_missed() -> None:
    pace = Pace(0)
    assert pace.judge(Tally(met=10, missed=90), WINDOW_NS - 1) is None
    assert pace.judge(Tally(met=990, missed=11), WINDOW_NS) is True
    assert pace.judge(Tally(met=1_000, missed=500), 2 * WINDOW_NS) is None
    assert pace.judge(Tally(met=2_000, missed=505), 3 * WINDOW_NS) is False


def test_a_device_that_is_silent_makes_no_bus_late() -> None:
    pace = Pace(0)
    assert pace.judge(Tally(met=1_000, missed=0, silent=9_000), WINDOW_NS) is None
