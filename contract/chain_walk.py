"""The walk along a stored chain: is every row there, in order, as it was written? Stops at the first bad one.

Both ends keep rows, and both check what they keep by this walk. A chain can be computed anew by whoever
owns the disk; what the other end signed cannot: `meet` compares the walk with such a word.
"""

from contract import chain
from contract.errors import BadRow, ContractError
from contract.rows import Row, decode_row


class Walk:
    """Stands at `seq`, the last row that was found sound, with the chain's `hash` after it."""

    def __init__(self, seq: int, hash_: bytes) -> None:
        """Begins before the first row to be taken: at the anchor, or at a row whose hash is known."""
        self.seq = seq
        self.hash = hash_

    def take(self, seq: int, raw: bytes, claimed: bytes) -> Row:
        """The next row as it is stored, with the hash that stands beside it. Raises BadRow."""
        expected = self.seq + 1
        if seq != expected:
            raise BadRow(expected, f"is missing: the next row is {seq}")
        try:
            row = decode_row(raw)
        except (ContractError, TypeError) as error:
            raise BadRow(seq, f"is no row: {error}") from error
        if row.seq != seq:
            raise BadRow(seq, f"says that it is row {row.seq}")
        after = chain.link(self.hash, raw)
        if after != claimed:
            raise BadRow(seq, "does not continue the chain: this row, its hash or the one before was changed")
        self.seq, self.hash = seq, after
        return row

    def meet(self, hash_: str, fault: str) -> None:
        """The other end's word on the row stood at: hex. Raises BadRow with `fault` where it is another."""
        if self.hash.hex() != hash_:
            raise BadRow(self.seq, fault)

    def end(self, known: int, who: str) -> None:
        """No row is left. Raises BadRow where `who` knows of rows up to `known`."""
        if self.seq < known:
            raise BadRow(self.seq + 1, f"is missing: {who} up to {known}")
