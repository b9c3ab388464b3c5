"""What goes to the centre next. Pure: knows the numbers of rows, not their bytes, and is told the time.

Two lanes. `log` carries every row in order, at most BATCHES_IN_FLIGHT batches beyond the last receipt; only
one over a link on which receipts take long, because what stands in its queue an alarm has to wait for.
`live` carries a security row at once when the log does not take it in the batches that may go now; it is
sent once, and the log brings it again in its turn. Only a receipt whose hash is ours moves what may be
forgotten.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from contract import limits
from contract.ids import Epoch
from contract.messages import Nak, Receipt

LIVE_WAITING_MAX = 16
"""Newest security rows that wait for the live lane; older ones come with the log."""
QUICK_S = 1.0
"""A receipt that comes within this is one of a link that may carry another batch beside."""
NAK_DEAF_S = 1.0
"""One gap is answered once: the batches already in flight each bring their own nak."""


class Verdict(StrEnum):
    """What came of a receipt or nak."""

    TAKEN = "taken"
    OLD = "old"
    """Says nothing new."""
    FORKED = "forked"
    """The centre's chain is not ours: nothing is forgotten any more."""
    FOREIGN_EPOCH = "foreign_epoch"
    ROLLED_BACK = "rolled_back"
    """The centre asks for what it had receipted: its store is an older one, and is filled again."""


class Batch(msgspec.Struct, frozen=True):
    """Rows `first`… up to `limit` of them; as many as fit the bytes are sent."""

    first: int
    limit: int


class Outbox:
    """`now` is monotonic seconds throughout."""

    def __init__(
        self,
        epoch: Epoch,
        head: int,
        receipted: int,
        chance: Callable[[], float] = random.random,
        first_window: int = 1,
        *,
        receipted_at_ms: int = 0,
    ) -> None:
        """`chance`: a number from 0 to 1 each time: many edges never send again in step. `first_window`: so
        many batches go before it is known how fast the link is. `receipted_at_ms`: when the centre gave the
        receipt of `receipted`, on its clock: a nak that it said before then is no rollback.
        """
        self.receipted = receipted
        self.is_forked = False
        self.is_connected = False
        self.is_centre_online = False
        self._epoch = epoch
        self._head = head
        self._sent = receipted
        self._in_flight: deque[tuple[int, int, float]] = deque()
        """First and last row of each batch that no receipt has answered, and when it went."""
        self._first_window = self._window = first_window
        """So many batches may be in flight now."""
        self._progress_mono = 0.0
        self._chance = chance
        self._in_vain = 0
        self._patience_s = limits.RECEIPT_PATIENCE_S
        self._naked = (0, float("-inf"))
        self._receipted_at_ms = receipted_at_ms
        self._live: deque[int] = deque(maxlen=LIVE_WAITING_MAX)
        """Security rows that neither lane has carried, oldest first."""

    @property
    def queued(self) -> int:
        """Rows that no receipt covers."""
        return self._head - self.receipted

    @property
    def is_open(self) -> bool:
        """Whether there is someone to send to: a broker, and a centre behind it."""
        return self.is_connected and self.is_centre_online

    def appended(self, last: int, security: Sequence[int]) -> None:
        """Rows up to `last` are durable; `security` are those among them that may travel ahead."""
        self._head = last
        self._live.extend(security)

    def connected(self, *, is_connected: bool) -> None:
        """The way to the broker was made or lost. Who is behind it is told anew."""
        self.is_connected = is_connected
        self.is_centre_online = False

    def centre(self, *, is_online: bool, now: float) -> None:
        """The centre came, came again or went: what it has not receipted it may never have seen."""
        self.is_centre_online = is_online
        if is_online:
            self._hope()
            self._window = self._first_window
            self._rewind(self.receipted, now)

    def answered(self) -> None:
        """Who answers is there, even if a will that was told late says otherwise."""
        self.is_centre_online = True

    def next_live(self) -> int | None:
        """A security row to send ahead: one beyond what the log may carry now. Ask again when the log has
        sent what it may: long rows fill a batch before its 64th.
        """
        reach = self._sent + self._free * limits.BATCH_MAX_ROWS
        beyond = (seq for seq in self._live if seq > reach)
        return next(beyond, None) if self.is_open else None

    def sent_live(self, seq: int) -> None:
        """It was handed to the broker. Newer ones may have taken its place while it was read."""
        if seq in self._live:
            self._live.remove(seq)

    def next_batch(self, now: float) -> Batch | None:
        """The log's next rows, or None while it has to wait: for rows, for a receipt or for the centre."""
        if not self.is_open:
            return None
        if self._in_flight and now - self._progress_mono >= self._patience_s:
            self._rewind(self._in_flight[0][0] - 1, now)
            self._lose_patience()
        if not self._free or self._sent >= self._head:
            return None
        return Batch(self._sent + 1, min(limits.BATCH_MAX_ROWS, self._head - self._sent))

    def sent_batch(self, last: int, now: float) -> None:
        """Rows up to `last` were handed to the broker."""
        if not self._in_flight:
            self._progress_mono = now
        self._in_flight.append((self._sent + 1, last, now))
        self._sent = last
        while self._live and self._live[0] <= last:
            self._live.popleft()

    def wait_s(self, now: float) -> float | None:
        """How long until patience with the batches in flight ends; None if none are."""
        if not self._in_flight or not self.is_open:
            return None
        return max(0.0, self._progress_mono + self._patience_s - now)

    def receipt(self, receipt: Receipt, own_hash: bytes | None, now: float) -> Verdict:
        """The centre holds all up to a row. `own_hash`: our chain there, None where we have no such row."""
        if receipt.epoch != self._epoch:
            return Verdict.FOREIGN_EPOCH
        if receipt.seq > self._head or (own_hash is not None and own_hash.hex() != receipt.hash):
            self.is_forked = True
            return Verdict.FORKED
        if own_hash is None or self.is_forked:
            return Verdict.OLD
        self._receipted_at_ms = max(self._receipted_at_ms, receipt.at)
        while self._in_flight and self._in_flight[0][1] <= receipt.seq:
            is_quick = now - self._in_flight.popleft()[2] <= QUICK_S
            self._window = min(self._window + 1, limits.BATCHES_IN_FLIGHT) if is_quick else 1
            self._progress_mono = now
            self._hope()
        self._sent = max(self._sent, receipt.seq)
        if receipt.seq <= self.receipted:
            return Verdict.OLD
        self.receipted = receipt.seq
        return Verdict.TAKEN

    def nak(self, nak: Nak, now: float) -> Verdict:
        """The centre misses rows from `first` on, receipted ones too if its store went back in time."""
        if nak.epoch != self._epoch:
            return Verdict.FOREIGN_EPOCH
        first, since = self._naked
        if not 1 <= nak.first <= self._head or (nak.first == first and now - since < NAK_DEAF_S):
            return Verdict.OLD
        self._naked = (nak.first, now)
        self._rewind(nak.first - 1, now)
        if nak.first > self.receipted or nak.at <= self._receipted_at_ms:
            return Verdict.TAKEN
        self.receipted = nak.first - 1
        return Verdict.ROLLED_BACK

    @property
    def _free(self) -> int:
        return max(0, self._window - len(self._in_flight))

    def _hope(self) -> None:
        self._in_vain = 0
        self._patience_s = limits.RECEIPT_PATIENCE_S

    def _lose_patience(self) -> None:
        """Full jitter over a span that doubles, on top of the least that an answer takes."""
        self._in_vain += 1
        most_s = limits.RECEIPT_PATIENCE_CAP_S - limits.RECEIPT_PATIENCE_S
        span_s = min(most_s, limits.RECEIPT_PATIENCE_S * 2 ** min(self._in_vain, 8))
        self._patience_s = limits.RECEIPT_PATIENCE_S + self._chance() * span_s

    def _rewind(self, to: int, now: float) -> None:
        self._sent = to
        self._in_flight.clear()
        self._progress_mono = now
