"""Whose clock is wrong: judged over beats, whatever the network does to one of them."""

from hypothesis import given
from hypothesis import strategies as st

from central.patrol.edge_clock import RUN, after_beat
from contract.limits import BEAT_INTERVAL_S, CLOCK_SKEW_MAX_MS
from contract.messages import Beat
from contract.points import Clock
from tests.support.county import T0

BEAT_MS = int(BEAT_INTERVAL_S * 1_000)
NOTHING = "0" * 64


def beat(at: int, clock: Clock = Clock.SYNCED) -> Beat:
    return Beat(edge="liuxu", epoch=1, seq=0, hash=NOTHING, digest=NOTHING, clock=clock, at=at, queued=0)


class Judge:
    """Hears beats and keeps what the store would keep."""

    def __init__(self) -> None:
        self.run = 0
        self.counted_ms = 0
        self.told: list[str | None] = []

    def hear(self, skew_ms: int, received_ms: int, clock: Clock = Clock.SYNCED) -> None:
        judged = after_beat(self.run, self.counted_ms, beat(received_ms + skew_ms, clock), received_ms)
        self.run, self.counted_ms, verdict = judged
        if verdict is not None:
            assert verdict.kind == "clock_stepped"
            self.told.append(verdict.detail)


def test_three_beats_of_another_time_raise_it_and_three_sound_ones_end_it() -> None:
    judge = Judge()
    for n, skew_ms in enumerate([0, 0, 0, 5_000, 5_000, 5_000, 5_000, 0, 0, 0, 0]):
        judge.hear(skew_ms, T0 + n * BEAT_MS)
    assert judge.told == [None, "ahead 5", None]


def test_a_clock_that_lags_is_told_as_such() -> None:
    judge = Judge()
    for n in range(RUN):
        judge.hear(-86_400_000, T0 + n * BEAT_MS)
    assert judge.told == ["behind 86400"]


def test_a_burst_after_a_stall_is_one_slow_beat_and_no_fault() -> None:
    judge = Judge()
    for late_ms in (14_000, 9_000, 4_000):
        judge.hear(-late_ms, T0)
    for n in range(1, 4):
        judge.hear(0, T0 + n * BEAT_MS)
    assert [detail for detail in judge.told if detail] == []


def test_small_drift_of_a_clock_that_nobody_sets_is_neither_fault_nor_recovery() -> None:
    judge = Judge()
    for n in range(RUN):
        judge.hear(3_000, T0 + n * BEAT_MS)
    for n in range(RUN, 3 * RUN):
        judge.hear(100, T0 + n * BEAT_MS, Clock.FREE)
    assert judge.told == ["ahead 3"], "it stands until the clock is synchronised"


def test_a_clock_that_says_it_was_stepped_is_believed_at_once() -> None:
    judge = Judge()
    judge.hear(0, T0, Clock.STEPPED)
    judge.hear(0, T0 + BEAT_MS, Clock.STEPPED)
    assert judge.told == ["stepped"]


SKEWS = st.integers(-10_000, 10_000)


@given(st.lists(st.tuples(SKEWS, st.sampled_from(Clock), st.integers(0, 2 * BEAT_MS)), max_size=60))
def test_no_verdict_is_given_on_less_than_three_beats_that_agree(beats: list[tuple[int, Clock, int]]) -> None:
    judge, now_ms = Judge(), T0
    sound = far = 0
    for skew_ms, clock, gap_ms in beats:
        now_ms += gap_ms
        before = len(judge.told)
        judge.hear(skew_ms, now_ms, clock)
        is_far = abs(skew_ms) > CLOCK_SKEW_MAX_MS
        far = far + 1 if is_far else 0
        sound = sound + 1 if not is_far and clock is Clock.SYNCED else 0
        for detail in judge.told[before:]:
            assert sound >= RUN if detail is None else far >= RUN or clock is Clock.STEPPED
    assert -RUN <= judge.run <= RUN


@given(st.lists(SKEWS, max_size=30), st.lists(SKEWS, min_size=1, max_size=30))
def test_a_steady_state_writes_nothing(before: list[int], steady: list[int]) -> None:
    judge, now_ms = Judge(), T0
    for skew_ms in before + [0] * RUN:
        now_ms += BEAT_MS
        judge.hear(skew_ms, now_ms)
    kept = (judge.run, judge.counted_ms)
    for skew_ms in steady:
        now_ms += BEAT_MS
        judge.hear(skew_ms % CLOCK_SKEW_MAX_MS, now_ms)
    assert (judge.run, judge.counted_ms) == kept
