"""A fault told at the console: no raw word of its detail is left, and instants are the machine's own time."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from central.board_model import Fault, FaultKind
from central.patrol.alarms import ALARMS
from central.patrol.fault_words import tell

AT_MS = int(datetime(2027, 3, 4, 5, 6, tzinfo=UTC).timestamp() * 1_000)


def fault(kind: FaultKind, detail: str) -> Fault:
    return Fault("1", kind, "liuxu", None, None, detail, 1_000, None)


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_every_kind_is_told_with_each_of_its_details_filled_in(kind: FaultKind) -> None:
    for detail in ALARMS[kind].details:
        chinese, english = (
            tell(fault(kind, f"{detail} {AT_MS} console"), UTC).split(": ", 1)[1].split(" | ", 1)
        )
        assert chinese
        assert english
        assert not {"{", "}", "_"} & set(chinese + english), "a place that nothing fills, or a raw word"


@pytest.mark.parametrize(
    ("kind", "detail", "told"),
    [
        ("point_disabled", "untold", "测点停用: 站点不再上报 | Point disabled: no longer reported"),
        ("station_lost", "silent", "站点失联: 15 秒没有心跳 | Station lost: no beat for 15 s"),
        ("settings_changed", "config 5399db1c",
         "站点配置被改动: 新配置 5399db1c | Station settings changed: now 5399db1c"),
        ("maintenance", f"until {AT_MS} console",
         "检修中: 至 05:06 · console | In maintenance: until 05:06 · console"),
        ("clock_stepped", "behind 3661",
         "站点时钟不可信: 慢 1:01:01 | Station clock not to be trusted: 1:01:01 behind"),
        ("rows_gone", "rows 4-9", "日志缺失: 第 4-9 条 | Journal rows gone: rows 4-9"),
        ("certificate_expires", f"day {AT_MS}",
         "证书将到期: 1 天内到期：2027-03-04 05:06 | Certificate ends soon: within a day: 2027-03-04 05:06"),
    ],
)  # fmt: skip
def test_a_detail_is_told_in_words(kind: FaultKind, detail: str, told: str) -> None:
    assert tell(fault(kind, detail), UTC) == told


def test_a_detail_that_a_newer_centre_wrote_is_told_as_it_is() -> None:
    assert tell(fault("disk_low", "worn 3"), UTC).endswith("Station disk nearly full: worn 3")


def test_a_number_that_no_calendar_has_does_not_end_the_list() -> None:
    assert tell(fault("disk_low", f"free {10**30}"), UTC).endswith(f"{10**30} MB left")
