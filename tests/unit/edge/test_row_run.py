"""Rows in memory: what is asked for is there without a hole, or not at all."""

from contract.ids import Seq
from edge.journal_file import StoredRow
from edge.row_run import RowRun


def stored(first: int, last: int) -> list[StoredRow]:
    return [StoredRow(Seq(n), b"row", bytes([n])) for n in range(first, last + 1)]


def test_rows_that_follow_one_another_are_told_from_any_of_them_on() -> None:
    run = RowRun(10, stored(1, 4))
    run.add(stored(5, 8))
    assert run.rows(3, 4) == stored(3, 6)
    assert run.rows(7, 64) == stored(7, 8)
    assert run.hash_at(5) == b"\x05"


def test_only_the_last_rows_are_kept() -> None:
    run = RowRun(3, stored(1, 9))
    assert run.rows(6, 2) == []
    assert run.hash_at(6) is None
    assert run.rows(7, 9) == stored(7, 9)


def test_rows_behind_a_hole_begin_anew() -> None:
    run = RowRun(10, stored(1, 4))
    run.add(stored(6, 8))
    assert run.rows(1, 8) == []
    assert run.rows(6, 8) == stored(6, 8)


def test_rows_read_again_begin_anew() -> None:
    run = RowRun(10, stored(1, 8))
    run.add(stored(3, 5))
    assert run.rows(1, 8) == []
    assert run.rows(3, 8) == stored(3, 5)
