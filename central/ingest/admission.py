"""Admission, pure: what an edge sent and how far its chain is stored → what may be stored.

The cursor is the last stored row. A batch is taken where it goes on from there; what of it is stored
already is skipped after one look: equal hashes at one seq prove every byte before it equal.
"""

from collections.abc import Callable

from msgspec import Struct

from contract import chain
from contract.errors import Forked, Malformed, UnknownEpoch, WrongSender
from contract.ids import EdgeId, Epoch
from contract.messages import Batch, Beat, Birth, Live, Status, batch_hashes, live_hash
from contract.rows import Row, decode_row

UpMessage = Batch | Live | Beat | Birth | Status
HashAt = Callable[[int], str | None]
"""The hash after a stored row of this edge and epoch, None where it is not known."""


class Cursor(Struct, frozen=True):
    """The last stored row of an edge: its place, and the chain's hash after it, hex."""

    epoch: int
    seq: int
    hash: str


class Admitted(Struct, frozen=True):
    """One row that is sound: its bytes, what they say, the hash after it."""

    raw: bytes
    row: Row
    hash: str


class Accepted(Struct, frozen=True):
    """Rows to store, none where the edge only missed a receipt; the cursor after them."""

    rows: list[Admitted]
    cursor: Cursor


class Gap(Struct, frozen=True):
    """Rows `first`… are missing; `last` is the newest that was seen after them."""

    first: int
    last: int


def beginning(edge: str, epoch: int) -> Cursor:
    """The cursor before row 1."""
    return Cursor(epoch, 0, chain.anchor(EdgeId(edge), Epoch(epoch)).hex())


def check_epoch(cursor: Cursor, edge: str, epoch: int) -> None:
    """Raises UnknownEpoch: another journal than the one this edge was admitted with."""
    if epoch != cursor.epoch:
        raise UnknownEpoch(f"edge {edge}: epoch {epoch}, admitted with {cursor.epoch}")


def check_sender(topic_edge: str, message: UpMessage) -> None:
    """Raises WrongSender."""
    if topic_edge != message.edge:
        raise WrongSender(f"topic of {topic_edge}, message of {message.edge}")


def check_head(cursor: Cursor, edge: str, seq: int, head: str) -> None:
    """What a birth or beat says of its head. Raises Forked where it is our cursor's row with another hash."""
    if seq == cursor.seq and head != cursor.hash:
        raise Forked(f"edge {edge}: row {cursor.epoch}/{seq} was stored with another hash")


def admit_batch(cursor: Cursor, batch: Batch, hash_at: HashAt) -> Accepted | Gap:
    """Raises ChainBroken, UnknownEpoch, Malformed, NotCanonical, TooLarge, Forked; then nothing is taken."""
    hashes = batch_hashes(batch)
    check_epoch(cursor, batch.edge, batch.epoch)
    last = batch.first + len(batch.rows) - 1
    if batch.last not in {0, last}:
        raise Malformed(f"batch {batch.edge}/{batch.epoch}/{batch.first}: last row {batch.last} is {last}")
    if batch.first > cursor.seq + 1:
        return Gap(cursor.seq + 1, last)
    rows = [_row(bytes(raw), seq) for seq, raw in enumerate(batch.rows, start=batch.first)]
    # The newest place that both know, on the wire and in the store.
    common = min(last, cursor.seq)
    on_wire = hashes[common - batch.first].hex() if common >= batch.first else batch.prev
    stored = cursor.hash if common == cursor.seq else hash_at(common)
    if stored is None:
        return Accepted([], cursor)  # of rows that were given up: what is below the cursor is stored else
    if on_wire != stored:
        raise Forked(f"edge {batch.edge}: row {batch.epoch}/{common} was stored with another hash")
    taken = [
        Admitted(bytes(raw), row, after.hex())
        for raw, row, after in zip(batch.rows, rows, hashes, strict=True)
        if row.seq > cursor.seq
    ]
    head = Cursor(cursor.epoch, last, batch.head) if taken else cursor
    return Accepted(taken, head)


def admit_live(cursor: Cursor, live: Live, hash_at: HashAt) -> Admitted | None:
    """A row that runs ahead of the chain; None where the log is past it. Raises as `admit_batch`."""
    after = live_hash(live).hex()
    check_epoch(cursor, live.edge, live.epoch)
    raw = bytes(live.row)
    row = decode_row(raw)
    if row.point is None:
        raise Malformed(f"edge {live.edge}: {row.kind} has no place in the live lane")
    known = hash_at(row.seq)
    if known is None:
        # One below the cursor that is not stored was given up with the log before it.
        return Admitted(raw, row, after) if row.seq > cursor.seq else None
    if known != after:
        raise Forked(f"edge {live.edge}: row {live.epoch}/{row.seq} was stored with another hash")
    return None


def _row(raw: bytes, seq: int) -> Row:
    row = decode_row(raw)
    if row.seq != seq:
        raise Malformed(f"row {row.seq} stands in the place of row {seq}")
    return row
