"""Identifiers: what a name may be made of, to its very last character."""

import msgspec
import pytest

from contract.errors import Malformed
from contract.ids import EdgeIdText, HashText, PointIdText, is_edge_id
from contract.points import Clock
from contract.rows import Row, decode_row, encode_row


@pytest.mark.parametrize(
    ("kind", "name"), [(EdgeIdText, "liuxu"), (PointIdText, "liuxu.int1.door"), (HashText, "0f" * 32)]
)
def test_a_line_end_behind_a_name_is_no_part_of_it(kind: object, name: str) -> None:
    assert msgspec.convert(name, kind) == name
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(f"{name}\n", kind)


def test_an_edge_of_a_topic_has_no_line_end() -> None:
    assert (is_edge_id("liuxu"), is_edge_id("liuxu\n")) == (True, False)


@pytest.mark.parametrize("field", ["kind", "boot", "point"])
def test_a_row_whose_names_end_with_a_line_end_is_refused(field: str) -> None:
    row = Row(1, "door.open", 1_469_232_000_000, 5, "ab", Clock.SYNCED, "liuxu.int1.door", {})
    with pytest.raises(Malformed):
        decode_row(encode_row(msgspec.structs.replace(row, **{field: f"{getattr(row, field)}\n"})))
