"""Every way to tamper with a stored chain, and the row at which it is found, in words."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from central.evidence.chains import Ahead, ChainCheck, Outline, Skip, StoredRow, Verdict
from central.evidence.checkpoints import Checkpoint, Key
from contract import chain
from contract.errors import BadRow
from contract.keys import Signer
from contract.signing import sign, signed_text
from tests.support.county import DOOR, T0, Journal

ROWS = 12
SIGNED = (4, 8, 12)
EDGE_KEY = Signer.new()
OTHER_KEY = Signer.new()
KEYS = {EDGE_KEY.public: Key("liuxu", EDGE_KEY.public)}


class Chain:
    """A chain as the store has it, for one hand after another to be laid on."""

    def __init__(self) -> None:
        journal = Journal()
        for n in range(ROWS):
            journal.write("door.open" if n % 2 else "door.closed", at=T0 + n)
        self.rows = [
            StoredRow(seq, journal.hashes[seq].hex(), DOOR, journal.rows[seq - 1])
            for seq in range(1, ROWS + 1)
        ]
        self.checkpoints = {seq: checkpoint(journal, seq) for seq in SIGNED}
        self.outline = Outline(
            "liuxu", 7, last=ROWS, count=ROWS, end=(ROWS, journal.hashes[ROWS].hex()), signed=SIGNED[-1]
        )
        self.keys = dict(KEYS)

    def rewrite(self, seq: int, old: bytes, new: bytes) -> None:
        """Another row in a chain computed anew, cursor and all."""
        previous = chain.anchor("liuxu", 7)
        for at, row in enumerate(self.rows):
            raw = row.row.replace(old, new) if row.seq == seq else row.row
            previous = chain.link(previous, raw)
            self.rows[at] = replace(row, row=raw, hash=previous.hex())
        self.outline = replace(self.outline, end=(self.rows[-1].seq, previous.hex()))

    def sign_anew(self, signer: Signer, *seqs: int) -> None:
        """The checkpoints for the rows as they are now."""
        journal = Journal()
        journal.rows = [row.row for row in self.rows]
        journal.hashes += [bytes.fromhex(row.hash) for row in self.rows]
        for seq in seqs:
            self.checkpoints[seq] = checkpoint(journal, seq, signer)

    def judge(self) -> Verdict:
        check = ChainCheck(self.outline, self.keys)
        for at in range(0, len(self.rows), 5):
            page = self.rows[at : at + 5]
            first, last = page[0].seq, page[-1].seq
            check.take(page, [one for seq, one in self.checkpoints.items() if first <= seq <= last])
        return check.end()


def checkpoint(journal: Journal, seq: int, signer: Signer = EDGE_KEY) -> Checkpoint:
    batch = sign(replace(journal.batch(seq - 3, seq), last=seq), signer)
    return Checkpoint("liuxu", 7, seq, batch.head, signed_text(batch), batch.sig, signer.public, T0)


def bad(chain_: Chain) -> tuple[int, str]:
    with pytest.raises(BadRow) as caught:
        chain_.judge()
    return caught.value.seq, caught.value.fault


def test_an_untouched_chain_is_sound() -> None:
    verdict = Chain().judge()
    assert (verdict.rows, verdict.last, verdict.signed, verdict.bad_seq) == (ROWS, ROWS, ROWS, None)
    assert "sound" in str(verdict)


def flip_a_bit(c: Chain) -> None:
    raw = bytearray(c.rows[4].row)
    raw[-10] ^= 1
    c.rows[4] = replace(c.rows[4], row=bytes(raw))


def edit(c: Chain) -> None:
    c.rows[2] = replace(c.rows[2], row=c.rows[2].row.replace(b"door.closed", b"door.open"))


def edit_hash(c: Chain) -> None:
    c.rows[5] = replace(c.rows[5], hash="0" * 64)


def no_hash_at_all(c: Chain) -> None:
    c.rows[5] = replace(c.rows[5], hash="sound")


def text_for_bytes(c: Chain) -> None:
    c.rows[5] = replace(c.rows[5], row=c.rows[5].row.decode())


def nothing_for_bytes(c: Chain) -> None:
    c.rows[5] = replace(c.rows[5], row=None)


def delete(c: Chain) -> None:
    del c.rows[6]


def delete_the_first(c: Chain) -> None:
    del c.rows[0]


def put_between(c: Chain) -> None:
    c.rows[3:] = [c.rows[2], *c.rows[3:]]
    c.rows = [replace(row, seq=seq) for seq, row in enumerate(c.rows, start=1)]


def swap(c: Chain) -> None:
    one, two = c.rows[1], c.rows[2]
    c.rows[1], c.rows[2] = replace(two, seq=2), replace(one, seq=3)


def cut_below_a_checkpoint(c: Chain) -> None:
    del c.rows[9:]
    c.outline = replace(c.outline, end=(9, c.rows[-1].hash))


def cut_with_its_checkpoint(c: Chain) -> None:
    del c.rows[9:], c.checkpoints[12]
    c.outline = replace(c.outline, signed=8)


def empty(c: Chain) -> None:
    c.rows.clear()


def move_the_cursor_back(c: Chain) -> None:
    c.outline = replace(c.outline, end=(9, c.rows[8].hash))


def another_hash_in_the_cursor(c: Chain) -> None:
    c.outline = replace(c.outline, end=(ROWS, "0" * 64))


def remove_the_cursor(c: Chain) -> None:
    c.outline = replace(c.outline, end=None)


def file_elsewhere(c: Chain) -> None:
    c.rows[7] = replace(c.rows[7], point="liuxu.inq1.door")


def leave_in_the_live_lane(c: Chain) -> None:
    c.outline = replace(c.outline, ahead=(Ahead(6, c.rows[5].hash), Ahead(20, "0" * 64)))


def rewrite_without_a_key(c: Chain) -> None:
    c.rewrite(2, b"door.open", b"door.ajar")


def rewrite_with_a_key_of_ones_own(c: Chain) -> None:
    rewrite_without_a_key(c)
    c.sign_anew(OTHER_KEY, *SIGNED)


def rewrite_with_a_key_of_another_edge(c: Chain) -> None:
    rewrite_with_a_key_of_ones_own(c)
    c.keys[OTHER_KEY.public] = Key("linhu", OTHER_KEY.public)


def rewrite_with_a_stolen_key_but_for_a_kept_checkpoint(c: Chain) -> None:
    rewrite_without_a_key(c)
    c.sign_anew(EDGE_KEY, 4, 12)


def rewrite_with_a_key_that_was_revoked(c: Chain) -> None:
    rewrite_without_a_key(c)
    c.sign_anew(EDGE_KEY, *SIGNED)
    c.keys[EDGE_KEY.public] = Key("liuxu", EDGE_KEY.public, revoked_ms=T0)


def change_a_signature(c: Chain) -> None:
    c.checkpoints[8] = replace(c.checkpoints[8], sig="00" * 64)


def change_a_signed_text(c: Chain) -> None:
    text = c.checkpoints[8].text.replace(b'"epoch":7', b'"epoch":8')
    c.checkpoints[8] = replace(c.checkpoints[8], text=text)


def no_signed_text(c: Chain) -> None:
    c.checkpoints[8] = replace(c.checkpoints[8], text=b"Batch")


def file_a_checkpoint_elsewhere(c: Chain) -> None:
    c.checkpoints[8] = replace(c.checkpoints[4], seq=8)


TAMPERED = [
    (flip_a_bit, 5, "is no row"),
    (edit, 3, "does not continue the chain"),
    (edit_hash, 6, "does not continue the chain"),
    (no_hash_at_all, 6, "does not continue the chain"),
    (text_for_bytes, 6, "is no row"),
    (nothing_for_bytes, 6, "is no row"),
    (delete, 7, "is missing: the next row is 8"),
    (delete_the_first, 1, "is missing: the next row is 2"),
    (put_between, 4, "says that it is row 3"),
    (swap, 2, "says that it is row 3"),
    (cut_below_a_checkpoint, 10, "is missing: the edge signed rows up to 12"),
    (cut_with_its_checkpoint, 10, "is missing: the cursor says that rows were stored up to 12"),
    (empty, 1, "is missing: the edge signed rows up to 12"),
    (move_the_cursor_back, 10, "the cursor stands before it"),
    (another_hash_in_the_cursor, 12, "another hash than the cursor"),
    (remove_the_cursor, 12, "no cursor on this chain"),
    (file_elsewhere, 8, "is filed under point liuxu.inq1.door, and tells of liuxu.int1.door"),
    (leave_in_the_live_lane, 6, "still waits for it in the live lane"),
    (rewrite_without_a_key, 4, "computed anew"),
    (rewrite_with_a_key_of_ones_own, 4, "was never this edge's"),
    (rewrite_with_a_key_of_another_edge, 4, "was never this edge's"),
    (rewrite_with_a_stolen_key_but_for_a_kept_checkpoint, 8, "computed anew"),
    (rewrite_with_a_key_that_was_revoked, 4, "was revoked"),
    (change_a_signature, 8, "its key did not sign"),
    (change_a_signed_text, 8, "its key did not sign"),
    (no_signed_text, 8, "has a checkpoint that is none"),
    (file_a_checkpoint_elsewhere, 8, "was signed for row liuxu/7/4"),
]


@pytest.mark.parametrize(
    ("tamper", "seq", "words"), TAMPERED, ids=[case[0].__name__.replace("_", " ") for case in TAMPERED]
)
def test_tampering_is_found_at_its_row(tamper: Callable[[Chain], None], seq: int, words: str) -> None:
    stored = Chain()
    tamper(stored)
    found, fault = bad(stored)
    assert found == seq
    assert words in fault


def test_whoever_has_the_edges_key_and_the_whole_store_is_not_found_here() -> None:
    """Why heads are written down elsewhere, and why a stolen key is revoked."""
    stored = Chain()
    rewrite_without_a_key(stored)
    was = Chain().judge()
    stored.sign_anew(EDGE_KEY, *SIGNED)
    assert stored.judge().bad_seq is None
    assert stored.judge().hash != was.hash


def test_rows_that_were_gone_at_the_edge_are_stepped_over_where_the_store_says_so() -> None:
    stored = Chain()
    gone = Skip(5, 8, stored.rows[7].hash)
    del stored.rows[4:8], stored.checkpoints[8]
    assert bad(stored) == (5, "is missing: the next row is 9")
    stored.outline = replace(stored.outline, skips=(gone,))
    verdict = stored.judge()
    assert (verdict.rows, verdict.last, verdict.skipped) == (8, ROWS, 4)
    assert "4 rows were gone at the edge" in str(verdict)


def test_a_skip_can_be_the_last_that_is_known() -> None:
    stored = Chain()
    stored.outline = replace(stored.outline, skips=(Skip(9, 12, stored.rows[11].hash),), signed=8)
    del stored.rows[8:], stored.checkpoints[12]
    assert stored.judge().last == ROWS


def test_a_skip_hides_no_row_that_is_there() -> None:
    stored = Chain()
    stored.outline = replace(stored.outline, skips=(Skip(5, 8, "0" * 64),))
    assert stored.judge().rows == ROWS


def test_a_verdict_says_edge_epoch_row_and_what_is_wrong() -> None:
    verdict = Verdict("liuxu", 7, 3, 3, "0" * 64, 0, 0, 0, 4, "is missing")
    assert str(verdict) == "liuxu, epoch 7, row 4 is missing"
