"""What goes to the centre, in which lane, and what may be forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from contract import limits
from contract.ids import Epoch
from contract.messages import Nak, Receipt
from edge.outbox import QUICK_S, Batch, Outbox, Verdict

EPOCH = Epoch(7)
OWN = "aa" * 32


def outbox(head: int = 0, receipted: int = 0, *, is_open: bool = True) -> Outbox:
    """Of a link that is known to be fast."""
    box = Outbox(EPOCH, head, receipted, first_window=limits.BATCHES_IN_FLIGHT)
    if is_open:
        box.connected(is_connected=True)
        box.centre(is_online=True, now=0.0)
    return box


def receipt(seq: int, epoch: int = EPOCH, its_hash: str = OWN) -> Receipt:
    return Receipt(edge="liuxu", epoch=epoch, seq=seq, hash=its_hash, at=0)


def nak(first: int, epoch: int = EPOCH) -> Nak:
    return Nak(edge="liuxu", epoch=epoch, first=first, last=0, reason="gap")


def send_all(box: Outbox, now: float = 0.0) -> list[Batch]:
    batches = []
    while (batch := box.next_batch(now)) is not None:
        box.sent_batch(batch.first + batch.limit - 1, now)
        batches.append(batch)
    return batches


def acknowledge(box: Outbox, seq: int, now: float = 0.0) -> Verdict:
    return box.receipt(receipt(seq), bytes.fromhex(OWN), now)


def test_nothing_is_sent_without_a_centre() -> None:
    box = outbox(5, is_open=False)
    box.connected(is_connected=True)
    assert box.next_batch(0.0) is None
    box.centre(is_online=True, now=0.0)
    assert box.next_batch(0.0) == Batch(1, 5)


def test_backlog_goes_in_eight_batches_of_64_and_waits_for_receipts() -> None:
    box = outbox(1_000)
    assert send_all(box) == [Batch(first, 64) for first in range(1, 512, 64)]
    acknowledge(box, 64)
    assert send_all(box) == [Batch(513, 64)]


def test_one_batch_goes_first_and_more_as_receipts_come_quickly() -> None:
    box = Outbox(EPOCH, 2_000, 0)
    box.connected(is_connected=True)
    box.centre(is_online=True, now=0.0)
    told, sent = 0, []
    for now in (0.0, 0.5, 1.0, 1.5, 2.0):
        acknowledge(box, told, now)
        batches = send_all(box, now)
        sent.append(len(batches))
        told = batches[-1].first + batches[-1].limit - 1
    assert sent == [1, 2, 4, 8, limits.BATCHES_IN_FLIGHT], "and never more"


def test_over_a_link_whose_receipts_take_long_one_batch_goes_at_a_time() -> None:
    box = outbox(2_000)
    send_all(box, 0.0)
    acknowledge(box, 64, QUICK_S + 0.1)
    assert send_all(box, 1.1) == [], "seven are on their way"
    acknowledge(box, 512, 3.0)
    assert send_all(box, 3.0) == [Batch(513, 64)]
    box.appended(2_001, [2_001])
    assert box.next_live() == 2_001


def test_only_a_receipt_with_our_hash_lets_go() -> None:
    box = outbox(10)
    send_all(box)
    assert box.queued == 10
    assert acknowledge(box, 4) is Verdict.TAKEN
    assert box.queued == 6
    assert acknowledge(box, 3) is Verdict.OLD
    assert box.queued == 6


def test_receipt_with_another_hash_is_a_fork_and_nothing_is_forgotten_any_more() -> None:
    box = outbox(10)
    send_all(box)
    assert box.receipt(receipt(5, its_hash="bb" * 32), bytes.fromhex(OWN), 0.0) is Verdict.FORKED
    acknowledge(box, 8)
    assert box.is_forked
    assert box.receipted == 0


def test_receipt_for_a_row_we_never_wrote_is_a_fork() -> None:
    assert outbox(10).receipt(receipt(11), None, 0.0) is Verdict.FORKED


def test_receipt_of_another_epoch_means_nothing() -> None:
    box = outbox(10)
    assert box.receipt(receipt(5, epoch=6), bytes.fromhex(OWN), 0.0) is Verdict.FOREIGN_EPOCH
    assert box.receipted == 0


def test_rows_are_sent_again_when_patience_ends() -> None:
    box = outbox(100)
    send_all(box, 0.0)
    acknowledge(box, 64, 1.0)
    assert box.wait_s(2.0) == limits.RECEIPT_PATIENCE_S - 1.0
    assert box.next_batch(1.0 + limits.RECEIPT_PATIENCE_S - 0.1) is None
    assert box.next_batch(1.0 + limits.RECEIPT_PATIENCE_S) == Batch(65, 36)


def test_what_is_sent_in_vain_is_sent_less_often_up_to_a_cap_until_something_happens() -> None:
    box = Outbox(EPOCH, 10, 0, chance=lambda: 1.0)
    box.connected(is_connected=True)
    box.centre(is_online=True, now=0.0)
    send_all(box, 0.0)
    waits, now = [], 0.0
    for _ in range(5):
        wait_s = box.wait_s(now)
        assert wait_s is not None
        waits.append(wait_s)
        now += wait_s
        send_all(box, now)
    assert waits == [5.0, 15.0, 25.0, 30.0, 30.0]
    box.centre(is_online=True, now=now)
    send_all(box, now)
    assert box.wait_s(now) == limits.RECEIPT_PATIENCE_S, "a centre that comes ends the waiting"


def test_centre_that_comes_again_gets_everything_after_its_last_receipt_at_once() -> None:
    box = outbox(100)
    send_all(box)
    acknowledge(box, 64)
    box.centre(is_online=True, now=0.1)
    assert box.next_batch(0.1) == Batch(65, 36)


def test_reconnect_waits_for_the_centre_and_then_sends_at_once() -> None:
    box = outbox(10)
    send_all(box)
    box.connected(is_connected=False)
    box.connected(is_connected=True)
    assert box.next_batch(0.1) is None
    box.centre(is_online=True, now=0.2)
    assert box.next_batch(0.2) == Batch(1, 10)


def test_nak_sends_from_the_gap_once_for_all_naks_of_one_flight() -> None:
    box = outbox(300)
    send_all(box)
    assert box.nak(nak(65), 0.1) is Verdict.TAKEN
    assert send_all(box, 0.1)[0] == Batch(65, 64)
    assert box.nak(nak(65), 0.2) is Verdict.OLD
    assert box.next_batch(0.2) is None


def test_nak_below_the_receipt_is_answered_because_a_store_may_go_back_in_time() -> None:
    box = outbox(10, receipted=10)
    assert box.nak(nak(3), 0.0) is Verdict.TAKEN
    assert send_all(box) == [Batch(3, 8)]
    assert box.receipted == 10
    assert acknowledge(box, 10) is Verdict.OLD
    assert box.wait_s(0.0) is None


def test_nak_for_rows_that_do_not_exist_is_ignored() -> None:
    box = outbox(10)
    assert box.nak(nak(11), 0.0) is Verdict.OLD
    assert box.nak(nak(0), 0.0) is Verdict.OLD


def test_security_row_behind_a_backlog_travels_ahead_once() -> None:
    box = outbox(1_000)
    box.appended(1_001, [1_001])
    assert box.next_live() == 1_001
    box.sent_live(1_001)
    assert box.next_live() is None


def test_security_row_that_the_log_takes_now_needs_no_live_lane() -> None:
    box = outbox(100)
    box.appended(101, [101])
    assert box.next_live() is None


def test_security_row_behind_eight_unanswered_batches_travels_ahead() -> None:
    box = outbox()
    for seq in range(1, 9):
        box.appended(seq, [seq])
        assert box.next_live() is None
        send_all(box)
    box.appended(9, [9])
    assert box.next_live() == 9


def test_newest_security_rows_wait_for_the_live_lane_within_bounds() -> None:
    box = outbox(1_000, is_open=False)
    for seq in range(1_001, 1_101):
        box.appended(seq, [seq])
    assert box.next_live() is None
    box.connected(is_connected=True)
    box.centre(is_online=True, now=0.0)
    taken = []
    while (seq := box.next_live()) is not None:
        box.sent_live(seq)
        taken.append(seq)
    assert taken == list(range(1_085, 1_101))


def test_security_row_that_a_batch_of_long_rows_had_no_room_for_travels_ahead() -> None:
    box = Outbox(EPOCH, 0, 0)
    box.connected(is_connected=True)
    box.centre(is_online=True, now=0.0)
    box.appended(60, [10, 60])
    assert box.next_live() is None, "one batch may go, and may have room for all"
    box.sent_batch(16, 0.0)
    assert box.next_live() == 60
    box.sent_live(60)
    assert box.next_live() is None


def test_security_row_that_newer_ones_replaced_while_it_was_read_is_sent_all_the_same() -> None:
    box = outbox(1_000)
    box.appended(1_016, range(1_001, 1_017))
    seq = box.next_live()
    assert seq == 1_001
    box.appended(1_017, [1_017])
    box.sent_live(seq)
    assert box.next_live() == 1_002


class Centre:
    """A centre on a way that loses things: it takes rows in order only, and says what it has."""

    def __init__(self) -> None:
        self.box = outbox()
        self.head = self.received = 0
        self.now = 0.0

    def append(self) -> None:
        self.head += 50
        self.box.appended(self.head, [])

    def deliver(self) -> None:
        batch = self.box.next_batch(self.now)
        if batch is not None:
            self._send(batch)
            if batch.first <= self.received + 1:
                self.received = max(self.received, batch.first + batch.limit - 1)

    def drop(self) -> None:
        batch = self.box.next_batch(self.now)
        if batch is not None:
            self._send(batch)

    def acknowledge(self) -> None:
        acknowledge(self.box, self.received, self.now)

    def ask_again(self) -> None:
        self.box.nak(nak(self.received + 1), self.now)

    def vanish(self) -> None:
        self.box.connected(is_connected=False)

    def come(self) -> None:
        self.box.connected(is_connected=True)
        self.box.centre(is_online=True, now=self.now)

    def wait(self) -> None:
        self.now += 10

    def _send(self, batch: Batch) -> None:
        self.box.sent_batch(batch.first + batch.limit - 1, self.now)


ACTS = ["append", "deliver", "drop", "acknowledge", "ask_again", "vanish", "come", "wait"]


@given(st.lists(st.sampled_from(ACTS), max_size=80))
def test_whatever_is_lost_the_centre_gets_every_row_in_the_end(acts: list[str]) -> None:
    centre = Centre()
    for act in acts:
        centre.now += 1
        getattr(centre, act)()
        assert centre.box.receipted <= centre.received <= centre.head
    centre.come()
    while centre.box.next_batch(centre.now) is not None:
        centre.deliver()
        centre.acknowledge()
    assert centre.box.receipted == centre.received == centre.head


def test_a_nak_below_what_was_receipted_is_an_older_store_unless_it_was_said_before_the_receipt() -> None:
    box = outbox(10)
    send_all(box)
    later = Receipt(edge="liuxu", epoch=EPOCH, seq=8, hash=OWN, at=50)
    assert box.receipt(later, bytes.fromhex(OWN), 0.0) is Verdict.TAKEN
    late = Nak(edge="liuxu", epoch=EPOCH, first=3, last=0, reason="gap", at=40)
    assert box.nak(late, 1.0) is Verdict.TAKEN
    assert box.receipted == 8
    older_store = Nak(edge="liuxu", epoch=EPOCH, first=4, last=0, reason="gap", at=60)
    assert box.nak(older_store, 5.0) is Verdict.ROLLED_BACK
    assert box.queued == 7
    assert send_all(box, 5.0)[0].first == 4


def test_a_nak_said_before_the_receipt_of_an_earlier_start_is_no_older_store() -> None:
    box = Outbox(EPOCH, 100, 90, receipted_at_ms=50)
    old = Nak(edge="liuxu", epoch=EPOCH, first=5, last=9, reason="gap", at=40)
    assert box.nak(old, 0.0) is Verdict.TAKEN
    assert box.receipted == 90
    older_store = Nak(edge="liuxu", epoch=EPOCH, first=6, last=9, reason="gap", at=60)
    assert box.nak(older_store, 5.0) is Verdict.ROLLED_BACK
