"""Vectors of the wire, kept as bytes: a later version proves here that it still reads what this one wrote.

`vectors/wire-1.json` is never regenerated; a change of the wire adds `wire-2.json`.
"""

import json
from pathlib import Path

import pytest

from contract import chain, messages
from contract.ids import EdgeId, Epoch
from contract.rows import decode_row, encode_row

VECTORS = json.loads((Path(__file__).parent / "vectors/wire-1.json").read_text())


def test_the_chain_of_version_1_is_kept() -> None:
    known = VECTORS["chain"]
    head = chain.anchor(EdgeId(known["edge"]), Epoch(known["epoch"]))
    assert head.hex() == known["anchor"]
    for row in known["rows"]:
        raw = row["bytes"].encode()
        assert encode_row(decode_row(raw)) == raw
        head = chain.link(head, raw)
        assert head.hex() == row["hash"]


@pytest.mark.parametrize("vector", VECTORS["messages"], ids=lambda vector: vector["kind"])
def test_a_message_of_version_1_is_read_and_written_the_same(vector: dict[str, str]) -> None:
    kind = getattr(messages, vector["kind"])
    raw = vector["bytes"].encode()
    assert messages.encode(messages.decode(kind, raw)) == raw
