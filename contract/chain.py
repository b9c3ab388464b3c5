"""The hash chain: one an edge and epoch, from the first row on.

    hash(0) = SHA-256("casewatch/1" ‖ edge ‖ epoch)      the anchor before row 1
    hash(n) = SHA-256(hash(n-1) ‖ bytes of row n)

Who holds hash(n) can prove or refute every byte before it.
"""

import hashlib
from collections.abc import Iterable, Iterator

from contract.ids import EdgeId, Epoch


def anchor(edge: EdgeId, epoch: Epoch) -> bytes:
    """The hash that stands before row 1 of an epoch."""
    return hashlib.sha256(f"casewatch/1\0{edge}\0{epoch}".encode()).digest()


def link(previous: bytes, row: bytes) -> bytes:
    """The hash after one more row."""
    return hashlib.sha256(previous + row).digest()


def links(previous: bytes, rows: Iterable[bytes]) -> Iterator[bytes]:
    """The hash after each row in turn."""
    for row in rows:
        previous = link(previous, row)
        yield previous
