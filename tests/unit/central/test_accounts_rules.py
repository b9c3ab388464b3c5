"""The table of rights cell by cell, and how long failed sign-ins wait."""

import pytest

from central.accounts import lockout
from central.accounts.roles import RIGHTS, Right, Role, User

CELLS = {
    Role.WATCHER: {
        Right.SEE_BOARD: True,
        Right.READ_EVENTS: True,
        Right.VIEW_PICTURE: True,
        Right.PATROL: True,
        Right.SETTLE_FAULT: True,
        Right.READ_REVIEWS: True,
        Right.INVITE: False,
        Right.READ_METRICS: False,
        Right.COMMAND: True,
        Right.MAINTAIN: False,
    },
    Role.ADMINISTRATOR: {
        Right.SEE_BOARD: True,
        Right.READ_EVENTS: True,
        Right.VIEW_PICTURE: False,
        Right.PATROL: False,
        Right.SETTLE_FAULT: True,
        Right.READ_REVIEWS: False,
        Right.INVITE: True,
        Right.READ_METRICS: True,
        Right.COMMAND: False,
        Right.MAINTAIN: True,
    },
}


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("role", Role)
def test_each_cell_of_the_table_of_rights(role: Role, right: Right) -> None:
    assert User("1", "测试民警001", role).may(right) is CELLS[role][right]


def test_every_role_stands_in_the_table() -> None:
    assert set(RIGHTS) == set(Role)


def test_nobody_waits_before_the_fifth_failure_and_then_twice_as_long_each_time() -> None:
    assert [lockout.delay_s(failures) for failures in range(1, 12)] == [
        *(0, 0, 0, 0),
        *(30, 60, 120, 240, 480, 900, 900),
    ]


def test_a_very_long_row_of_failures_waits_no_longer_than_the_longest() -> None:
    assert lockout.delay_s(10**9) == lockout.LONGEST_DELAY_S


def test_a_wait_is_counted_from_the_last_failure() -> None:
    assert lockout.wait_ms(5, last_ms=1_000, now_ms=11_000) == 20_000
    assert lockout.wait_ms(5, last_ms=1_000, now_ms=31_000) == 0
