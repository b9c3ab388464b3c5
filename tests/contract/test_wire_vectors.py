"""Vectors of the wire, kept as bytes: a later version proves here that it still reads what this one wrote.

The files of `vectors/` are never regenerated; a change of the wire adds one. `wire-1.json` is from before the
keys, `wire-2.json` is signed.
"""

import json
from pathlib import Path

import pytest

from contract import chain, messages
from contract.errors import Unsigned
from contract.ids import EdgeId, Epoch
from contract.keys import is_signed
from contract.rows import decode_row, encode_row
from contract.signing import check_signature, checkpoint_of

HERE = Path(__file__).parent / "vectors"
VECTORS = json.loads((HERE / "wire-1.json").read_text())
SIGNED = json.loads((HERE / "wire-2.json").read_text())


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
def test_a_message_of_version_1_without_signature_is_read_and_told_by_name(vector: dict[str, str]) -> None:
    kind = getattr(messages, vector["kind"])
    with pytest.raises(Unsigned):
        check_signature(messages.decode(kind, vector["bytes"].encode()), SIGNED["public"])


@pytest.mark.parametrize("vector", SIGNED["messages"], ids=lambda vector: vector["kind"])
def test_a_signed_message_is_read_and_written_the_same_and_holds(
    vector: dict[str, str],
) -> None:
    kind = getattr(messages, vector["kind"])
    raw = vector["bytes"].encode()
    message = messages.decode(kind, raw)
    assert messages.encode(message) == raw
    check_signature(message, SIGNED["public"])


def test_the_text_of_a_checkpoint_is_kept() -> None:
    text = SIGNED["checkpoint"]["text"].encode()
    header = checkpoint_of(text)
    assert (header.epoch, header.last, header.head) == tuple(SIGNED["checkpoint"]["names"])
    assert is_signed(SIGNED["public"], text, SIGNED["checkpoint"]["sig"])
