"""Levels and counters into rows, line by line of the rules table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ids import PointId
from contract.points import Clock, Quality
from device_drivers.driver import Observation
from edge.clock import Stamp
from edge.points import Points, counter_delta
from edge.proposals import Proposal
from edge.settings import PointSettings

DOOR = PointId("liuxu.int1.door")
PICTURE = PointId("liuxu.int1.picture")
FIRST_AT = 1_000_000


class Bench:
    """Points with one door, fed and committed sample by sample, 100 ms apart."""

    def __init__(self, *, inverted: bool = False, is_simulated: bool = False, memories=None) -> None:
        door = PointSettings(id=DOOR, type="door", device="io1", channel="di:3", inverted=inverted)
        self.points = Points(
            [door], [PICTURE], memories or {}, is_simulated=is_simulated, last_at=FIRST_AT - 5_000
        )
        self.memories = dict(memories or {})
        self.at = FIRST_AT

    def stamp(self) -> Stamp:
        return Stamp(self.at, self.at * 1_000_000, "b0", Clock.FREE)

    def see(
        self, *, active: bool, counter: int | None = None, bits: int = 32, latched: bool = False
    ) -> list[tuple[str, dict]]:
        seen = Observation("di:3", active, counter, bits, latched=latched)
        return self.commit(self.points.observe("io1", [seen], self.stamp()))

    def fail(self, quality: Quality = Quality.COMM_FAIL) -> list[tuple[str, dict]]:
        return self.commit(self.points.fail("io1", quality, self.stamp()))

    def commit(self, proposal: Proposal) -> list[tuple[str, dict]]:
        self.at += 100
        self.points.commit(proposal)
        self.memories |= proposal.memories
        return [(draft.kind, draft.data) for draft in proposal.drafts]


def bench_at(*, active: bool, counter: int | None = None, **options) -> Bench:
    bench = Bench(**options)
    bench.see(active=active, counter=counter)
    return bench


def test_first_good_reading_is_a_baseline_and_no_change() -> None:
    assert Bench().see(active=True) == [("point.baseline", {"value": "open"})]


def test_unchanged_level_says_nothing() -> None:
    assert bench_at(active=False).see(active=False) == []


def test_opening_and_closing_are_reported_on_the_first_sample() -> None:
    bench = bench_at(active=False)
    assert bench.see(active=True) == [("door.open", {"was": "closed"})]
    assert bench.see(active=False) == [("door.closed", {"was": "open"})]


def test_inverted_contact_is_open_when_inactive() -> None:
    assert bench_at(active=True, inverted=True).see(active=False) == [("door.open", {"was": "closed"})]


RULES = [
    (False, False, 0, []),
    (False, False, 3, [("point.pulse", {"count": 3, "window_ms": 100})]),
    (False, True, 1, [("door.open", {"was": "closed"})]),
    (False, True, 4, [("door.open", {"was": "closed", "missed": 3, "window_ms": 100})]),
    (False, True, 0, [("door.open", {"was": "closed", "counter_stopped": True})]),
    (True, True, 0, []),
    (True, True, 2, [("point.pulse", {"count": 2, "window_ms": 100})]),
    (True, False, 0, [("door.closed", {"was": "open"})]),
    (True, False, 1, [("door.closed", {"was": "open", "missed": 1, "window_ms": 100})]),
]


@pytest.mark.parametrize(("before", "after", "delta", "rows"), RULES)
def test_level_and_counter_give_the_rows_of_the_table(before, after, delta, rows) -> None:
    assert bench_at(active=before, counter=50).see(active=after, counter=50 + delta) == rows


def test_counter_that_went_back_invents_no_opening() -> None:
    rows = bench_at(active=False, counter=50).see(active=False, counter=2)
    assert rows == [("point.baseline", {"value": "closed", "counter_restarted": True})]


def test_a_counter_that_jumped_further_than_a_contact_can_move_invents_no_opening() -> None:
    rows = bench_at(active=False, counter=7).see(active=False, counter=4_294_967_293)
    assert rows == [("point.baseline", {"value": "closed", "counter_restarted": True})]


def test_counting_goes_on_from_the_new_baseline_after_a_module_restart() -> None:
    bench = bench_at(active=False, counter=50)
    bench.see(active=False, counter=0)
    assert bench.see(active=True, counter=1) == [("door.open", {"was": "closed"})]


def test_change_across_a_module_restart_is_told_without_a_count() -> None:
    rows = bench_at(active=False, counter=50).see(active=True, counter=1)
    assert [kind for kind, _ in rows] == ["door.open", "point.baseline"]
    assert rows[0][1] == {"was": "closed"}


def test_counter_wraps_at_its_own_width() -> None:
    bench = bench_at(active=False, counter=65_535)
    rows = bench.see(active=False, counter=1, bits=16)
    assert rows == [("point.pulse", {"count": 2, "window_ms": 100})]


def test_a_count_that_cannot_be_of_this_counter_is_a_restart() -> None:
    assert counter_delta(65_536, 65_536, 16) is None


def test_opening_told_without_a_count_is_not_counted_again() -> None:
    bench = bench_at(active=False, counter=65_534)
    assert bench.see(active=True, bits=16) == [("door.open", {"was": "closed"})]
    assert bench.see(active=False, bits=16) == [("door.closed", {"was": "open"})]
    assert bench.see(active=True, bits=16) == [("door.open", {"was": "closed"})]
    rows = bench.see(active=True, counter=1, bits=16)
    assert rows == [("point.pulse", {"count": 1, "window_ms": 100})]


LATCHES = [
    (False, False, [("point.pulse", {"count": 1, "latched": True, "window_ms": 100})]),
    (False, True, [("door.open", {"was": "closed"})]),
    (True, True, [("point.pulse", {"count": 1, "latched": True, "window_ms": 100})]),
    (True, False, [("door.closed", {"was": "open"})]),
]


@pytest.mark.parametrize(("before", "after", "rows"), LATCHES)
def test_a_latch_tells_of_an_opening_only_where_the_level_shows_none(before, after, rows) -> None:
    assert bench_at(active=before).see(active=after, latched=True) == rows


def test_opening_latched_across_a_silence_is_uncertain() -> None:
    bench = bench_at(active=False)
    bench.fail()
    data = {"count": 1, "latched": True, "window_ms": 200, "uncertain": True}
    assert bench.see(active=False, latched=True)[1] == ("point.pulse", data)


def test_first_reading_with_a_latch_is_a_baseline_and_no_opening() -> None:
    rows = Bench().see(active=False, latched=True)
    assert [kind for kind, _ in rows] == ["point.baseline"]


@given(st.integers(0, 2**32 - 1), st.integers(0, 999))
def test_delta_is_right_wherever_the_counter_stands(before: int, delta: int) -> None:
    after = (before + delta) % 2**32
    if after >= before or before > 0.9 * 2**32:
        assert counter_delta(before, after, 32) == delta
    else:
        assert counter_delta(before, after, 32) is None


def test_lost_device_changes_quality_once_and_recovery_tells_a_real_change_only() -> None:
    bench = bench_at(active=False)
    assert bench.fail() == [("point.quality", {"quality": "comm_fail", "was": "good"})]
    assert bench.fail() == []
    assert bench.see(active=False) == [("point.quality", {"quality": "good", "was": "comm_fail"})]
    bench.fail()
    assert bench.see(active=True) == [
        ("point.quality", {"quality": "good", "was": "comm_fail"}),
        ("door.open", {"was": "closed"}),
    ]


def test_openings_counted_while_we_were_blind_carry_the_whole_window() -> None:
    bench = bench_at(active=False, counter=5)
    bench.fail()
    bench.at += 9_800
    assert bench.see(active=False, counter=7)[1] == (
        "point.pulse",
        {"count": 2, "window_ms": 10_000, "uncertain": True},
    )


def test_restart_neither_repeats_nor_loses_a_change() -> None:
    before = bench_at(active=False, counter=5)
    same = Bench(memories=before.memories)
    assert same.see(active=False, counter=5) == []
    changed = Bench(memories=before.memories)
    rows = changed.see(active=True, counter=8)
    data = {"was": "closed", "missed": 2, "window_ms": 5_000, "uncertain": True}
    assert rows == [("door.open", data)]


def test_proposal_moves_nothing_until_it_is_committed() -> None:
    bench = bench_at(active=False)
    opened = [Observation("di:3", active=True)]
    first = bench.points.observe("io1", opened, bench.stamp())
    again = bench.points.observe("io1", opened, bench.stamp())
    assert first.drafts == again.drafts != []


def test_points_are_stale_until_read_and_the_digest_says_so() -> None:
    bench = Bench(memories=bench_at(active=False).memories)
    assert bench.points.states()[0].quality is Quality.STALE
    before = bench.points.digest()
    bench.see(active=False)
    assert bench.points.states()[0].quality is Quality.GOOD
    assert bench.points.digest() != before


def test_simulated_edge_marks_every_row_of_a_point() -> None:
    bench = Bench(is_simulated=True)
    assert bench.see(active=False)[0][1] == {"value": "closed", "simulated": True}
    assert bench.fail()[0][1]["simulated"] is True


def test_channel_without_a_point_is_ignored() -> None:
    bench = Bench()
    seen = [Observation("di:9", active=True)]
    assert bench.commit(bench.points.observe("io1", seen, bench.stamp())) == []


def test_picture_values_become_rows_and_quality_its_own() -> None:
    bench = Bench()

    def say(value: str, quality: Quality = Quality.GOOD) -> list[tuple[str, dict]]:
        return bench.commit(bench.points.picture(PICTURE, value, quality, bench.stamp()))

    assert say("ok") == [("point.baseline", {"value": "ok"})]
    assert say("ok") == []
    assert say("covered") == [("picture.covered", {"was": "ok"})]
    assert say("", Quality.COMM_FAIL) == [("point.quality", {"quality": "comm_fail", "was": "good"})]
