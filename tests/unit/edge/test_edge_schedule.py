"""Turns on a bus: fixed rates, classes, and what a dead unit may cost the others."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.driver import Read
from edge.schedule import Poll, PollClass, Schedule, Tally, UnitState

MS = 1_000_000
EXCHANGE_MS = 10


def poll(
    device: str, interval_ms: int = 100, poll_class: PollClass = PollClass.SECURITY, name: str = "inputs"
) -> Poll:
    return Poll(device, Read(name, 1, ("di:0",), 8, 7), poll_class, interval_ms * MS)


class Line:
    """A bus in virtual time. `dead` units cost `timeout_ms`, the others EXCHANGE_MS."""

    def __init__(self, polls: list[Poll], timeout_ms: int = 500) -> None:
        self.schedule = Schedule(polls, 0)
        self.now = 0
        self.timeout_ms = timeout_ms
        self.dead: set[str] = set()
        self.reads: list[tuple[int, str]] = []

    def run_until(self, end_ms: int) -> "Line":
        while self.now < end_ms * MS:
            turn = self.schedule.next(self.now)
            if isinstance(turn, int):
                assert turn > self.now
                self.now = turn
                continue
            self.reads.append((self.now // MS, turn.device))
            is_answered = turn.device not in self.dead
            self.now += (EXCHANGE_MS if is_answered else self.timeout_ms) * MS
            self.schedule.finish(turn, self.now, is_answered=is_answered)
        return self

    def times(self, device: str, from_ms: int = 0) -> list[int]:
        return [at for at, name in self.reads if name == device and at >= from_ms]


def gaps(times: list[int]) -> list[int]:
    return [after - before for before, after in pairwise(times)]


def test_rate_is_fixed_however_long_an_exchange_takes() -> None:
    line = Line([poll("io1")]).run_until(10_000)
    assert line.times("io1") == list(range(0, 10_000, 100))


def test_reads_of_a_bus_are_spread_over_their_period() -> None:
    line = Line([poll("io1"), poll("io2")]).run_until(100)
    assert line.reads == [(0, "io1"), (50, "io2")]


def test_periods_that_passed_are_counted_and_never_queued() -> None:
    line = Line([poll("io1")])
    line.schedule.finish(line.schedule.next(0), 10 * MS, is_answered=True)
    line.schedule.finish(line.schedule.next(100 * MS), 550 * MS, is_answered=True)
    assert line.schedule.tally("io1") == Tally(met=2, missed=4)
    assert line.schedule.next(550 * MS) == 600 * MS


def test_periods_that_a_silent_unit_lost_are_its_own() -> None:
    schedule = Schedule([poll("io1")], 0)
    turn = schedule.next(0)
    schedule.finish(turn, 50 * MS, is_answered=False)
    schedule.leave_alone("io1", 350 * MS)
    schedule.finish(turn, 360 * MS, is_answered=True)
    assert schedule.tally("io1") == Tally(met=1, missed=0, silent=3)


def test_every_period_of_a_lost_unit_is_counted() -> None:
    line = Line([poll("dead"), poll("io1")], timeout_ms=50)
    line.dead = {"dead"}
    tally = line.run_until(300_000).schedule.tally("dead")
    assert tally.met == tally.missed == 0
    assert 2_500 < tally.silent < 3_500


def test_seven_dead_units_of_eight_cost_the_last_one_less_than_one_deadline_in_a_hundred() -> None:
    line = Line([poll(f"io{n}") for n in range(8)], timeout_ms=50)
    line.dead = {f"io{n}" for n in range(7)}
    tally = line.run_until(600_000).schedule.tally("io7")
    assert tally.met > 5_900
    assert tally.missed < tally.met / 100


def test_security_point_goes_before_a_cabinet_that_is_due_longer() -> None:
    cabinet, door = poll("locks", 100, PollClass.CABINET), poll("io1", 1_000)
    schedule = Schedule([cabinet, door], 0)
    for proven in (cabinet, door):
        schedule.finish(proven, 0, is_answered=True)
    turn = schedule.next(2_000 * MS)
    assert isinstance(turn, Poll)
    assert turn.device == "io1"


def test_unit_is_suspect_after_one_miss_and_down_after_three() -> None:
    schedule = Schedule([poll("io1"), poll("io2")], 0)
    turn = schedule.next(0)
    assert schedule.finish(turn, 400 * MS, is_answered=False) is UnitState.SUSPECT
    assert schedule.finish(turn, 800 * MS, is_answered=False) is None
    assert schedule.finish(turn, 1_200 * MS, is_answered=False) is UnitState.DOWN
    assert schedule.finish(turn, 1_300 * MS, is_answered=True) is UnitState.UP
    assert schedule.state("io1") is UnitState.UP


def test_three_quick_misses_do_not_bring_a_unit_down_within_a_second() -> None:
    schedule = Schedule([poll("io1"), poll("io2")], 0)
    turn = schedule.next(0)
    for at_ms in (20, 40, 60, 999):
        schedule.finish(turn, at_ms * MS, is_answered=False)
    assert schedule.state("io1") is UnitState.SUSPECT
    assert schedule.finish(turn, 1_000 * MS, is_answered=False) is UnitState.DOWN


def test_unit_that_missed_waits_behind_those_that_answer_and_until_its_quarantine_ends() -> None:
    sick, well = poll("sick"), poll("well", 1_000, PollClass.TELEMETRY)
    schedule = Schedule([sick, well], 0)
    schedule.finish(well, 0, is_answered=True)
    schedule.finish(sick, 10 * MS, is_answered=False)
    schedule.leave_alone("sick", 610 * MS)
    assert schedule.next(500 * MS) == 610 * MS
    assert schedule.next(2_000 * MS) is well


def test_dead_unit_is_probed_after_1_2_4_to_30_seconds() -> None:
    line = Line([poll("dead"), poll("io1")], timeout_ms=20)
    line.dead = {"dead"}
    line.run_until(140_000)
    waits = [round(gap / 1_000) for gap in gaps(line.times("dead"))]
    assert waits[-8:] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert all(wait == 0 for wait in waits[:-8])


def test_unit_alone_on_its_bus_is_probed_every_second() -> None:
    line = Line([poll("io1")])
    line.dead = {"io1"}
    line.run_until(20_000)
    assert max(gaps(line.times("io1"))) <= 1_500


def test_probe_of_a_dead_door_waits_behind_a_living_cabinet() -> None:
    door, cabinet = poll("io1"), poll("locks", 500, PollClass.CABINET)
    schedule = Schedule([door, cabinet], 0)
    for n in range(1, 4):
        schedule.finish(door, n * 500 * MS, is_answered=False)
    assert schedule.next(60_000 * MS) is cabinet


def test_unit_that_answers_again_is_read_at_its_rate_at_once() -> None:
    line = Line([poll("io1"), poll("io2")])
    line.dead = {"io1"}
    line.run_until(10_000)
    line.dead = set()
    line.run_until(40_000)
    assert set(gaps(line.times("io1", 30_000))) == {100}


def test_dead_unit_costs_the_others_one_timeout_a_probe_and_nothing_else() -> None:
    line = Line([poll("dead"), poll("io1")], timeout_ms=500)
    line.dead = {"dead"}
    line.run_until(120_000)
    late = [gap for gap in gaps(line.times("io1")) if gap > 100]
    probes = len(line.times("dead"))
    assert all(gap <= 100 + 500 + EXCHANGE_MS for gap in late)
    assert len(late) <= 2 * probes
    assert probes <= 12


def test_one_read_that_is_always_refused_brings_its_unit_down() -> None:
    good, refused = poll("io1"), poll("io1", name="counters")
    schedule = Schedule([good, refused], 0)
    for n in range(1, 4):
        schedule.finish(good, n * 500 * MS, is_answered=True)
        schedule.finish(refused, n * 500 * MS, is_answered=False)
    assert schedule.state("io1") is UnitState.DOWN
    assert schedule.next(5_000 * MS) is refused


def test_on_a_line_without_time_for_everybody_none_is_never_read() -> None:
    crowd = [poll(f"io{n}", 30) for n in range(4)]
    line = Line([*crowd, poll("locks", 500, PollClass.CABINET), poll("sms", 1_000, PollClass.TELEMETRY)])
    line.dead = {"io3"}
    line.run_until(120_000)
    assert max(gaps(line.times("locks"))) < 6_000
    assert max(gaps(line.times("sms"))) < 9_000
    assert len(line.times("io3")) > 5
    assert line.schedule.total().missed > 0


@given(
    st.lists(st.sampled_from([100, 200, 500, 1_000]), min_size=1, max_size=6),
    st.sets(st.integers(0, 5), max_size=3),
)
def test_every_living_unit_is_read_within_its_period_and_the_longest_wait(intervals, dead) -> None:
    line = Line([poll(f"io{n}", interval) for n, interval in enumerate(intervals)], timeout_ms=60)
    line.dead = {f"io{n}" for n in dead}
    line.run_until(15_000)
    slack_ms = 60 * len(dead) + EXCHANGE_MS * len(intervals)
    for n, interval in enumerate(intervals):
        if n not in dead:
            assert max(gaps(line.times(f"io{n}"))) <= interval + slack_ms
