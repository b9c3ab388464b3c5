"""One chain of the store, pure: its rows, its checkpoints and its cursor have to agree.

`Outline` says what the store knows of a chain at one moment, its rows then come page by page; the first
place that is not as it should be ends it.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from central.evidence.checkpoints import REWRITTEN, Checkpoint, Key, fault_of
from contract import chain
from contract.chain_walk import Walk
from contract.errors import BadRow
from contract.ids import EdgeId, Epoch


class StoredRow(Struct, frozen=True):
    """A row of table `event`; `hash` hex."""

    seq: int
    hash: str
    point: str | None
    row: bytes


class Skip(Struct, frozen=True):
    """Rows `first` … `last` that the edge had no more when they were asked for; `hash` after them, hex."""

    first: int
    last: int
    hash: str


class Ahead(Struct, frozen=True):
    """A row of the live lane that still waits for the log."""

    seq: int
    hash: str


class Outline(Struct, frozen=True):
    """`end`: seq and hash where the store says that the chain ends, None where it says nothing."""

    edge: str
    epoch: int
    last: int = 0
    count: int = 0
    end: tuple[int, str] | None = None
    skips: tuple[Skip, ...] = ()
    signed: int = 0
    """The newest row that a checkpoint speaks of."""
    ahead: tuple[Ahead, ...] = ()
    forked: int = 0
    """Rows of the live lane that the log contradicted, kept."""


class Verdict(Struct, frozen=True):
    """`bad_seq` is None for a sound chain. `signed`: what follows it has no signature of the edge's yet."""

    edge: str
    epoch: int
    rows: int
    last: int
    hash: str
    signed: int
    skipped: int
    forked: int
    bad_seq: int | None = None
    fault: str = ""

    def __str__(self) -> str:
        """In words: edge, epoch, seq, what is wrong."""
        name = f"{self.edge}, epoch {self.epoch}"
        if self.bad_seq is not None:
            return f"{name}, row {self.bad_seq} {self.fault}"
        words = [f"{self.rows} rows up to {self.last}", f"signed up to {self.signed or 'none'}", self.hash]
        if self.skipped:
            words.append(f"{self.skipped} rows were gone at the edge")
        if self.forked:
            words.append(f"{self.forked} rows contradict the log, kept as evidence")
        return f"{name}: sound, {', '.join(words)}"


class ChainCheck:
    """Takes a chain's pages in order, then its end. Each raises BadRow at the first bad place."""

    def __init__(self, outline: Outline, keys: Mapping[str, Key]) -> None:
        anchor = chain.anchor(EdgeId(outline.edge), Epoch(outline.epoch))
        self._walk = Walk(0, anchor)
        self._outline = outline
        self._keys = keys
        self._rows = 0
        self._skips = {skip.first: skip for skip in outline.skips}
        self._ahead = {row.seq: row for row in outline.ahead}

    @property
    def verdict(self) -> Verdict:
        """As far as it has come."""
        known = self._outline
        skipped = sum(skip.last - skip.first + 1 for skip in known.skips)
        return Verdict(
            known.edge, known.epoch, self._rows, self._walk.seq, self._walk.hash.hex(),
            known.signed, skipped, known.forked,
        )  # fmt: skip

    def take(self, rows: Sequence[StoredRow], checkpoints: Iterable[Checkpoint]) -> None:
        """The next rows, and the checkpoints that speak of them."""
        by_seq = {checkpoint.seq: checkpoint for checkpoint in checkpoints}
        for stored in rows:
            self._step_over(stored.seq)
            self._take_row(stored)
            if stored.seq in by_seq:
                self._meet(by_seq[stored.seq])

    def end(self) -> Verdict:
        """No row is left."""
        known = self._outline
        self._step_over(None)
        walk = self._walk
        walk.end(known.signed, "the edge signed rows")
        if known.end is None:
            if self._rows:
                raise BadRow(walk.seq, "is stored, and the edge has no cursor on this chain: it was removed")
            return self.verdict
        seq, hash_ = known.end
        walk.end(seq, "the cursor says that rows were stored")
        if seq < walk.seq:
            raise BadRow(seq + 1, "is stored, and the cursor stands before it")
        walk.meet(hash_, "has another hash than the cursor: one of the two was changed")
        return self.verdict

    def _step_over(self, next_seq: int | None) -> None:
        """Over rows that the edge no longer had, where the store says so."""
        skip = self._skips.get(self._walk.seq + 1)
        if skip is not None and (next_seq is None or skip.last < next_seq):
            self._walk = Walk(skip.last, _digest(skip.hash))

    def _take_row(self, stored: StoredRow) -> None:
        row = self._walk.take(stored.seq, stored.row, _digest(stored.hash))
        if row.point != stored.point:
            raise BadRow(stored.seq, f"is filed under point {stored.point}, and tells of {row.point}")
        if stored.seq in self._ahead:
            raise BadRow(stored.seq, "is in the log, and still waits for it in the live lane")
        self._rows += 1

    def _meet(self, checkpoint: Checkpoint) -> None:
        fault = fault_of(checkpoint, self._keys)
        if fault:
            raise BadRow(checkpoint.seq, fault)
        self._walk.meet(checkpoint.hash, REWRITTEN)


def _digest(text: str) -> bytes:
    """What is no hash is none's."""
    try:
        return bytes.fromhex(text)
    except (ValueError, TypeError):
        return b""
