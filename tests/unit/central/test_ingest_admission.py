"""Admission: which rows of a batch are taken, told by a model that is nothing but a list of rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from central.ingest.admission import Accepted, Cursor, Gap, admit_batch, admit_live, beginning, check_head
from contract import chain
from contract.errors import ChainBroken, Forked, Malformed, NotCanonical, UnknownEpoch
from tests.support.county import T0, Journal


def journal(rows: int) -> Journal:
    made = Journal()
    for n in range(rows):
        made.write("door.open" if n % 2 == 0 else "door.closed", at=T0 + n)
    return made


def stored_up_to(made: Journal, seq: int) -> Cursor:
    return Cursor(made.epoch, seq, made.hashes[seq].hex())


def hash_at(made: Journal):
    return lambda seq: made.hashes[seq].hex() if 0 <= seq < len(made.hashes) else None


def row_bytes(seq: int) -> bytes:
    return journal(seq).rows[-1]


def forged_of(row: bytes) -> Journal:
    """A journal whose chain holds, whatever its only row says."""
    forged = Journal()
    forged.rows = [row]
    forged.hashes.append(chain.link(forged.hashes[0], row))
    return forged


@given(st.integers(1, 40), st.data())
def test_whatever_is_sent_the_store_grows_by_the_next_rows_and_nothing_else(length: int, data) -> None:
    made = journal(length)
    cursor = beginning(made.edge, made.epoch)
    store: list[bytes] = []
    for _ in range(data.draw(st.integers(1, 8), label="batches")):
        first = data.draw(st.integers(1, length), label="first")
        last = data.draw(st.integers(first, length), label="last")
        decision = admit_batch(cursor, made.batch(first, last), hash_at(made))
        if first > len(store) + 1:
            assert decision == Gap(len(store) + 1, last)
            continue
        assert isinstance(decision, Accepted)
        assert [row.raw for row in decision.rows] == made.rows[len(store) : max(last, len(store))]
        store += [row.raw for row in decision.rows]
        cursor = decision.cursor
        assert store == made.rows[: len(store)]
        assert (cursor.seq, cursor.hash) == (len(store), made.hashes[len(store)].hex())


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_a_row_that_was_stored_otherwise_is_a_fork_wherever_it_lies(
    length: int, fork: int, first: int, last: int
) -> None:
    made = journal(length)
    fork, first = min(fork, length), min(first, length)
    other = made.fork_at(fork)
    for n in range(length - fork):
        other.write("door.closed", at=T0 + n)
    last = max(first, min(last, length))
    cursor = stored_up_to(made, length)
    if last >= fork:
        with pytest.raises(Forked):
            admit_batch(cursor, other.batch(first, last), hash_at(made))
    else:
        assert admit_batch(cursor, other.batch(first, last), hash_at(made)) == Accepted([], cursor)


def test_a_batch_that_goes_on_from_another_past_is_a_fork() -> None:
    made, other = journal(5), journal(4).fork_at(5)
    other.write("door.closed")
    with pytest.raises(Forked):
        admit_batch(stored_up_to(made, 5), other.batch(6, 6), hash_at(made))


def test_a_batch_that_begins_past_the_next_row_is_a_gap_that_names_what_is_missing() -> None:
    made = journal(9)
    assert admit_batch(stored_up_to(made, 2), made.batch(5, 7), hash_at(made)) == Gap(3, 7)


def test_rows_that_do_not_hash_to_the_head_are_refused() -> None:
    made = journal(3)
    broken = replace(made.batch(), head="0" * 64)
    with pytest.raises(ChainBroken):
        admit_batch(beginning(made.edge, made.epoch), broken, hash_at(made))


def test_another_epoch_is_unknown() -> None:
    made = journal(2)
    with pytest.raises(UnknownEpoch):
        admit_batch(beginning(made.edge, made.epoch + 1), made.batch(), hash_at(made))


def test_a_row_in_the_place_of_another_is_refused_though_the_chain_holds() -> None:
    forged = forged_of(row_bytes(seq=2))
    with pytest.raises(Malformed):
        admit_batch(beginning(forged.edge, forged.epoch), forged.batch(), hash_at(forged))


def test_a_row_that_is_spelled_otherwise_is_refused() -> None:
    forged = forged_of(row_bytes(seq=1).replace(b",", b", ", 1))
    with pytest.raises(NotCanonical):
        admit_batch(beginning(forged.edge, forged.epoch), forged.batch(), hash_at(forged))


def test_a_live_row_ahead_of_the_log_is_taken_and_one_behind_it_is_not() -> None:
    made = journal(6)
    taken = admit_live(stored_up_to(made, 2), made.live(6), lambda _seq: None)
    assert taken is not None
    assert (taken.row.seq, taken.hash) == (6, made.hashes[6].hex())
    assert admit_live(stored_up_to(made, 6), made.live(4), hash_at(made)) is None


def test_a_live_row_other_than_the_stored_one_is_a_fork() -> None:
    made = journal(6)
    with pytest.raises(Forked):
        admit_live(stored_up_to(made, 6), made.fork_at(4).live(4), hash_at(made))


def test_a_live_row_must_hash_to_its_head_and_concern_a_point() -> None:
    made = journal(1)
    with pytest.raises(ChainBroken):
        admit_live(stored_up_to(made, 0), replace(made.live(1), prev="1" * 64), lambda _seq: None)
    made.write("edge.started", point=None)
    with pytest.raises(Malformed):
        admit_live(stored_up_to(made, 0), made.live(2), lambda _seq: None)


def test_a_head_at_the_cursor_with_another_hash_is_a_fork() -> None:
    made = journal(3)
    check_head(stored_up_to(made, 3), made.edge, 3, made.hashes[3].hex())
    check_head(stored_up_to(made, 3), made.edge, 2, "0" * 64)
    with pytest.raises(Forked):
        check_head(stored_up_to(made, 3), made.edge, 3, "0" * 64)
