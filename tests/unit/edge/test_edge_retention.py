"""Thirty days of running time between a receipt and forgetting, minute by minute."""

from edge.retention import DAY_MINUTES, KEEP_DAYS, TRIM_MARK, minute_passed

KEEP_MINUTES = KEEP_DAYS * DAY_MINUTES


def test_no_row_is_let_go_before_its_30_days_nor_more_than_a_day_after_them() -> None:
    marks: dict[str, str] = {}
    for minute in range(1, 65 * DAY_MINUTES):
        marks |= minute_passed(marks, receipted=minute)  # row n is receipted in minute n
        trimmed = int(marks.get(TRIM_MARK, 0))
        assert trimmed == 0 or trimmed <= minute - KEEP_MINUTES
        assert trimmed > minute - KEEP_MINUTES - DAY_MINUTES
    assert len(marks) == KEEP_DAYS + 2
