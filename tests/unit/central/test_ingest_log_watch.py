"""A log that does not keep up with its head: standing still, trickling, and what is neither."""

from collections.abc import Callable

from central.ingest.log_watch import SLOW_AFTER_S, SLOW_ROWS, LogWatch, Standing
from contract.limits import BEAT_INTERVAL_S, LOG_STANDS_AFTER_S


def judged(head: int, stored_at: Callable[[float], int], until_s: float) -> list[Standing]:
    """A beat each five seconds."""
    watch = LogWatch()
    count = int(until_s / BEAT_INTERVAL_S) + 1
    return [
        watch.judge(
            "liuxu", head=head, stored=min(head, stored_at(n * BEAT_INTERVAL_S)), mono_s=n * BEAT_INTERVAL_S
        )
        for n in range(count)
    ]


def test_a_log_that_lets_one_row_through_now_and_then_is_withheld() -> None:
    told = judged(5_000, lambda at_s: int(at_s // 14), SLOW_AFTER_S * 3)
    first = told.index(Standing.WITHHELD)
    assert first * BEAT_INTERVAL_S == SLOW_AFTER_S
    assert set(told[:first]) == {Standing.MOVING}
    assert set(told[first:]) == {Standing.WITHHELD}, "it does not come and go"


def test_a_long_backlog_on_a_slow_line_is_no_alarm() -> None:
    assert set(judged(20_000, lambda at_s: int(at_s * 5), 3_600.0)) == {Standing.MOVING}


def test_the_last_rows_of_a_backlog_owe_no_more_than_there_are() -> None:
    told = judged(SLOW_ROWS // 2, lambda at_s: int(at_s * 0.5), SLOW_AFTER_S + 5)
    assert told[-1] is Standing.SOUND
    assert Standing.WITHHELD not in told


def test_a_slow_log_is_over_when_it_has_kept_up_or_reached_the_head() -> None:
    told = judged(5_000, lambda at_s: 0 if at_s < 400 else int((at_s - 400) * 20), 1_000.0)
    assert Standing.WITHHELD in told
    assert told[-1] is Standing.SOUND
    slow = judged(50_000, lambda at_s: int(at_s // 14 if at_s < 400 else (at_s - 300) * 5), 1_000.0)
    assert slow[-1] is Standing.MOVING


def test_a_station_that_was_lost_is_judged_anew() -> None:
    watch = LogWatch()
    watch.judge("liuxu", head=9, stored=5, mono_s=0.0)
    assert watch.judge("liuxu", head=99, stored=5, mono_s=7_200.0) is Standing.MOVING
    assert watch.judge("liuxu", head=99, stored=5, mono_s=7_200.0 + LOG_STANDS_AFTER_S) is Standing.WITHHELD
