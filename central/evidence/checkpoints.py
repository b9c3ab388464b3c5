"""A checkpoint, pure: the header of a batch as the edge signed it. Whoever has it can tell a chain that was
computed anew, because the edge's key never leaves the edge.
"""

from collections.abc import Mapping

from msgspec import Struct

from contract.errors import BadSignature
from contract.keys import is_signed
from contract.signing import checkpoint_of


class Checkpoint(Struct, frozen=True):
    """`text` is what `sig` covers, `hash` and `public` are hex; `received_ms` is the centre's clock."""

    edge: str
    epoch: int
    seq: int
    hash: str
    text: bytes
    sig: str
    public: str
    received_ms: int


class Key(Struct, frozen=True):
    """A key that spoke for an edge once. `revoked_ms`: nothing it signed from then on is believed.

    `fault`: what is wrong with its certificate, in words.
    """

    edge: str
    public: str
    revoked_ms: int | None = None
    fault: str | None = None


REWRITTEN = "is not the row that the edge signed: the chain was computed anew"


def fault_of(checkpoint: Checkpoint, keys: Mapping[str, Key]) -> str | None:
    """What is wrong with it in words, None for one that is sound. `keys`: by public."""
    fault = _key_fault(checkpoint, keys.get(checkpoint.public))
    if fault is not None:
        return fault
    try:
        text = bytes(checkpoint.text)
        header = checkpoint_of(text)
    except (BadSignature, TypeError) as error:
        return f"has a checkpoint that is none: {error}"
    if not is_signed(checkpoint.public, text, checkpoint.sig):
        return "has a checkpoint that its key did not sign: text, signature or key was changed"
    signed = (header.edge, header.epoch, header.last, header.head)
    if signed != (checkpoint.edge, checkpoint.epoch, checkpoint.seq, checkpoint.hash):
        return f"has a checkpoint that was signed for row {header.edge}/{header.epoch}/{header.last}"
    return None


def _key_fault(checkpoint: Checkpoint, key: Key | None) -> str | None:
    name = f"key {checkpoint.public[:16]}"
    if key is None or key.edge != checkpoint.edge:
        return f"has a checkpoint whose {name} was never this edge's"
    if key.fault is not None:
        return f"has a checkpoint of {name}, whose certificate {key.fault}"
    if key.revoked_ms is not None and checkpoint.received_ms >= key.revoked_ms:
        return f"has a checkpoint that came after its {name} was revoked"
    return None
