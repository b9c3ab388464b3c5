"""The walk, without a person: sights and keys go in, what is asked and what passed comes out."""

import pytest

from contract.points import PointType
from device_drivers.driver import Command, Fault, Notice, Observation, Outcome
from edge.settings import PointSettings
from edge.technician import commission_words as words
from edge.technician.commissioning import PULSE_PATIENCE_NS, Moment, Remark, RemarkCode, Result, Stage, Walk

DOOR = PointSettings(id="a.int1.door", type="door", device="io1", channel="di:0")
OTHER = PointSettings(id="a.wait.door", type="door", device="io1", channel="di:1")
LOCK = PointSettings(id="a.cab1.s01.lock", type="lock", device="locks1", channel="lock:1")
ITEM = PointSettings(id="a.cab1.s01.item", type="item", device="items1", channel="item:1")
READER = PointSettings(id="a.duty.reader", type="reader", device="reader1", channel="reader")
UNITS = {"io1": 1, "locks1": 1, "items1": 2, "reader1": 1}


class Station:
    """A walk on a clock that goes 100 ms a step."""

    def __init__(self, *points: PointSettings, commanded: tuple[str, ...] = ()) -> None:
        self.ms = 0
        self.walk = Walk(points, UNITS, commanded, self.now())

    def now(self) -> Moment:
        return Moment(1_700_000_000_000 + self.ms, self.ms * 1_000_000)

    def see(
        self, point: PointSettings, active: bool, counter: int | None = None, wait_ms: int = 100
    ) -> Stage:
        self.ms += wait_ms
        self.walk.see(point.device, [Observation(point.channel, active, counter)], self.now())
        return self.walk.stage

    def swing(self, point: PointSettings) -> None:
        """At rest, away, at rest again."""
        for active in (False, True, False):
            self.see(point, active)

    def remarks(self, n: int = 0) -> list[Remark]:
        return self.walk.trials[n].remarks


def test_a_door_passes_by_opening_and_closing() -> None:
    station = Station(DOOR)
    assert station.walk.stage is Stage.WAITING
    assert station.see(DOOR, False) is Stage.AWAY
    assert station.see(DOOR, False) is Stage.AWAY
    assert station.see(DOOR, True, wait_ms=2_000) is Stage.BACK
    station.see(DOOR, False, wait_ms=104)
    (trial,) = station.walk.trials
    assert (trial.result, trial.away_within_ms, trial.back_within_ms) == (Result.PASSED, 2_000, 104)
    assert trial.away_after_ms == 2_100
    assert station.walk.current is None


def test_a_door_that_stands_open_is_to_be_closed_first() -> None:
    station = Station(DOOR)
    assert station.see(DOOR, True) is Stage.RESTORE
    assert station.see(DOOR, False) is Stage.AWAY
    assert station.walk.trials[0].result is Result.UNTRIED


def test_the_next_point_that_is_known_already_is_asked_at_once() -> None:
    station = Station(DOOR, OTHER)
    station.see(OTHER, False)
    station.swing(DOOR)
    assert (station.walk.current.point, station.walk.stage) == (OTHER.id, Stage.AWAY)


def test_another_door_that_moves_meanwhile_is_remarked_once() -> None:
    station = Station(DOOR, OTHER)
    station.see(DOOR, False)
    station.swing(OTHER)
    station.swing(OTHER)
    assert station.walk.stage is Stage.AWAY, "another door proves nothing of this one"
    assert station.remarks() == [Remark(RemarkCode.CROSSED, OTHER.id)]


def test_an_inverted_door_is_open_while_its_input_is_off() -> None:
    inverted = PointSettings(id="a.b.door", type="door", device="io1", channel="di:0", inverted=True)
    station = Station(inverted)
    assert station.see(inverted, True, 5) is Stage.AWAY
    assert station.see(inverted, False, 5) is Stage.BACK
    assert station.remarks() == [], "its input goes on as the door closes: nothing to count yet"


@pytest.mark.parametrize(
    ("after", "remarks"),
    [
        (6, []),
        (5, [Remark(RemarkCode.COUNTER_STILL)]),
        (9, [Remark(RemarkCode.COUNTED, "4")]),
        (None, []),
    ],
)
def test_the_modules_counter_is_held_against_the_opening(after: int | None, remarks: list[Remark]) -> None:
    station = Station(DOOR)
    station.see(DOOR, False, 5)
    station.see(DOOR, True, after)
    assert station.remarks() == remarks


def test_an_item_is_taken_and_put_back() -> None:
    station = Station(ITEM)
    assert station.see(ITEM, True) is Stage.AWAY
    assert station.see(ITEM, False) is Stage.BACK
    station.see(ITEM, True)
    assert station.walk.trials[0].result is Result.PASSED


def test_a_fault_of_the_line_is_told_and_proves_nothing() -> None:
    station = Station(DOOR)
    station.walk.see("io1", [Observation("di:0", True, fault=Fault.LINE_OPEN)], station.now())
    assert (station.walk.stage, station.walk.value(DOOR.id)) == (Stage.WAITING, "line_open")
    station.see(DOOR, False)
    station.walk.see("io1", [Observation("di:0", True, fault=Fault.LINE_OPEN)], station.now())
    assert station.walk.stage is Stage.AWAY


def test_a_silent_device_is_told_until_it_answers() -> None:
    station = Station(DOOR)
    station.walk.miss("io1", "nothing came within 100 ms")
    assert station.walk.why == "nothing came within 100 ms"
    station.walk.miss("locks1", "another device")
    station.see(DOOR, False)
    assert station.walk.why == ""


def test_a_skipped_point_was_never_seen_to_move() -> None:
    station = Station(DOOR, OTHER)
    station.see(DOOR, False)
    station.walk.note("  frame is loose ")
    station.walk.skip(station.now())
    first = station.walk.trials[0]
    assert (first.result, first.note) == (Result.SKIPPED, "frame is loose")
    assert first.remarks == [Remark(RemarkCode.NEVER_MOVED)]
    assert station.walk.current.point == OTHER.id


def test_again_begins_the_point_anew_and_then_goes_back() -> None:
    station = Station(DOOR, OTHER)
    station.see(OTHER, False)
    station.swing(DOOR)
    station.see(OTHER, True)
    assert station.walk.stage is Stage.BACK
    station.walk.again(station.now())
    assert (station.walk.current.point, station.walk.stage) == (OTHER.id, Stage.RESTORE)
    station.see(OTHER, False)
    station.walk.again(station.now())
    assert (station.walk.current.point, station.walk.trials[0].result) == (DOOR.id, Result.UNTRIED)


def test_a_lock_gets_no_pulse_without_the_key() -> None:
    station = Station(LOCK, commanded=("locks1",))
    assert not station.walk.can_pulse
    station.see(LOCK, False)
    assert station.walk.can_pulse
    assert station.walk.take_pulse() is None


def test_a_lock_gets_one_pulse_and_no_second_for_a_second_key() -> None:
    station = Station(LOCK, commanded=("locks1",))
    station.see(LOCK, False)
    for _ in range(3):
        station.walk.pulse(station.now())
    assert station.walk.take_pulse() == Command("open", "lock:1")
    station.walk.pulse(station.now())
    assert station.walk.take_pulse() is None


def test_what_the_board_says_to_a_pulse_proves_nothing() -> None:
    station = Station(LOCK, commanded=("locks1",))
    station.see(LOCK, False)
    station.walk.pulse(station.now())
    station.walk.commanded(Outcome.ACKNOWLEDGED)
    assert (station.see(LOCK, False), station.walk.trials[0].pulse) == (Stage.AWAY, "acknowledged")
    assert station.see(LOCK, True) is Stage.BACK


def test_a_lock_that_does_not_move_has_failed_and_may_be_tried_again() -> None:
    station = Station(LOCK, commanded=("locks1",))
    station.see(LOCK, False)
    station.walk.pulse(station.now())
    assert station.walk.take_pulse() is not None
    assert station.see(LOCK, False, wait_ms=PULSE_PATIENCE_NS // 1_000_000) is Stage.AWAY
    assert station.see(LOCK, False) is Stage.FAILED
    station.walk.again(station.now())
    assert (station.walk.stage, station.walk.can_pulse, station.walk.take_pulse()) == (Stage.AWAY, True, None)
    station.walk.pulse(station.now())
    station.see(LOCK, False, wait_ms=6_000)
    station.walk.skip(station.now())
    (trial,) = station.walk.trials
    assert trial.result is Result.FAILED
    assert trial.remarks == [Remark(RemarkCode.PULSE_LOST, "5")]


def test_a_lock_without_a_command_is_opened_by_hand() -> None:
    station = Station(LOCK)
    station.see(LOCK, False)
    station.walk.pulse(station.now())
    assert (station.walk.can_pulse, station.walk.take_pulse()) == (False, None)
    assert station.see(LOCK, True) is Stage.BACK


def test_a_door_is_never_sent_a_pulse() -> None:
    station = Station(DOOR, commanded=("io1",))
    station.see(DOOR, False)
    station.walk.pulse(station.now())
    assert station.walk.take_pulse() is None


def test_a_reader_passes_by_a_card_and_not_by_its_pairing() -> None:
    station = Station(READER)
    assert station.see(READER, False) is Stage.RESTORE
    assert station.see(READER, True) is Stage.AWAY
    station.see(READER, False)
    station.see(READER, True)
    assert station.walk.current is not None
    station.walk.see("reader1", [Notice("reader", "card.read", {"card": "1"})], station.now())
    assert station.walk.trials[0].result is Result.PASSED


def test_keys_after_the_end_do_nothing_but_again() -> None:
    station = Station(DOOR)
    station.swing(DOOR)
    station.walk.skip(station.now())
    station.walk.note("late")
    station.walk.pulse(station.now())
    assert (station.walk.done, station.walk.trials[0].note) == (1, "")


def test_what_is_tried_has_words_in_both_languages() -> None:
    for kind in words.TYPES:
        for stage in Stage:
            assert all(words.ask(stage, kind))
        assert all(words.TYPES[kind])
    for code in RemarkCode:
        zh, en = words.remark(Remark(code, "X"))
        assert zh != en
    assert {PointType.DOOR, PointType.LOCK, PointType.ITEM, PointType.TAMPER, PointType.READER} <= set(
        words.TYPES
    )
    assert set(words.RESULTS) == set(Result)
