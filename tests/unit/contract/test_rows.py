"""Rows: one content, one spelling; anything else is refused by name."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import limits
from contract.errors import ContractError, Malformed, NotCanonical, TooLarge
from contract.points import Clock
from contract.rows import Row, decode_row, encode_row, point_kind

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
ROWS = st.builds(
    Row,
    seq=st.integers(0, 2**53 - 1),
    kind=st.just("door.open"),
    at=st.integers(0, 2**53 - 1),
    mono=st.integers(0, 2**63 - 1),
    boot=st.just("0b-1c"),
    clock=st.sampled_from(Clock),
    point=st.none() | st.just("liuxu.int1.door"),
    data=st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT, max_size=8),
)


def door(**changes: object) -> Row:
    row = Row(1, "door.open", 1_469_232_000_000, 5, "ab", Clock.SYNCED, "liuxu.int1.door", {"was": "closed"})
    return msgspec.structs.replace(row, **changes)


@given(ROWS)
def test_a_row_reads_back_as_it_was(row: Row) -> None:
    assert decode_row(encode_row(row)) == row


def test_a_row_is_sorted_and_has_no_spaces() -> None:
    assert encode_row(door()) == (
        b'{"at":1469232000000,"boot":"ab","clock":"synced","data":{"was":"closed"},'
        b'"kind":"door.open","mono":5,"point":"liuxu.int1.door","seq":1}'
    )


@pytest.mark.parametrize(
    "spelling",
    [
        encode_row(door()).replace(b'"at":', b'"at": '),
        encode_row(door()).replace(b"closed", b"\\u0063losed"),
        b'{"seq":1,' + encode_row(door())[1:].replace(b',"seq":1', b""),
    ],
    ids=["space", "escape", "order"],
)
def test_another_spelling_of_a_row_is_refused(spelling: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode_row(spelling)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq":1', b'"seq":-1'),
        (b'"seq":1', b'"seq":1.5'),
        (b'"seq":1', b'"seq":"1"'),
        (b'"kind":"door.open"', b'"kind":"Door Open"'),
        (b'"clock":"synced"', b'"clock":"good"'),
        (b'"point":"liuxu.int1.door"', b'"point":"../etc"'),
        (b'"was":"closed"', b'"was":0.5'),
        (b'"was":"closed"', b'"was":"clo\\u0000sed"'),
        (b'"was":"closed"', b'"w\\u0000as":"closed"'),
        (b'"at":', b'"extra":1,"at":'),
    ],
)
def test_a_field_out_of_bounds_is_malformed(old: bytes, new: bytes) -> None:
    with pytest.raises(Malformed):
        decode_row(encode_row(door()).replace(old, new))


def test_a_row_too_long_to_be_read_is_never_written() -> None:
    with pytest.raises(TooLarge):
        encode_row(door(data={f"k{n}": "x" * 200 for n in range(16)}))
    with pytest.raises(TooLarge):
        decode_row(b" " * (limits.ROW_MAX_BYTES + 1))


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_but_contract_errors(raw: bytes) -> None:
    with pytest.raises(ContractError):
        decode_row(raw)


def test_a_kind_names_type_and_value() -> None:
    assert point_kind("door", "open") == "door.open"
