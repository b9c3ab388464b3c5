"""Messages: the bytes of a row survive the ride; a lie about the chain is found."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import chain, limits
from contract.errors import ChainBroken, ContractError, Malformed, TooLarge
from contract.ids import EdgeId, Epoch
from contract.messages import (
    Batch,
    Beat,
    Birth,
    CentralStatus,
    Live,
    Nak,
    PointState,
    Receipt,
    Status,
    batch_hashes,
    decode,
    encode,
    live_hash,
)
from contract.points import Clock, PointType, Quality, state_digest
from contract.rows import Row, encode_row

EDGE, EPOCH = EdgeId("liuxu"), Epoch(7)
ZERO = "0" * 64


def rows(count: int) -> list[bytes]:
    return [
        encode_row(Row(seq, "door.open", seq, seq, "ab", Clock.SYNCED, "liuxu.int1.door", {}))
        for seq in range(1, count + 1)
    ]


def batch(raws: list[bytes]) -> Batch:
    start = chain.anchor(EDGE, EPOCH)
    head = list(chain.links(start, raws))[-1]
    packed = [msgspec.Raw(raw) for raw in raws]
    return Batch(edge=EDGE, epoch=EPOCH, first=1, prev=start.hex(), head=head.hex(), rows=packed)


def test_rows_ride_as_the_bytes_that_were_hashed() -> None:
    sent = rows(3)
    received = decode(Batch, encode(batch(sent)))
    assert [bytes(row) for row in received.rows] == sent
    assert batch_hashes(received) == list(chain.links(chain.anchor(EDGE, EPOCH), sent))


@pytest.mark.parametrize("change", ["edit", "drop", "swap", "insert"])
def test_a_changed_batch_does_not_lead_to_its_head(change: str) -> None:
    good = batch(rows(4))
    packed = list(good.rows)
    if change == "edit":
        packed[1] = msgspec.Raw(bytes(packed[1]).replace(b"door.open", b"door.shut"))
    elif change == "drop":
        del packed[2]
    elif change == "swap":
        packed[0], packed[1] = packed[1], packed[0]
    else:
        packed.insert(2, packed[0])
    with pytest.raises(ChainBroken):
        batch_hashes(msgspec.structs.replace(good, rows=packed))


def test_a_live_row_is_tied_to_the_hash_before_it() -> None:
    start, raw = chain.anchor(EDGE, EPOCH), rows(1)[0]
    head = chain.link(start, raw)
    live = Live(edge=EDGE, epoch=EPOCH, prev=start.hex(), head=head.hex(), row=msgspec.Raw(raw))
    assert live_hash(decode(Live, encode(live))) == head
    with pytest.raises(ChainBroken):
        live_hash(msgspec.structs.replace(live, prev=ZERO))


def test_chains_of_two_edges_or_epochs_never_meet() -> None:
    anchors = {chain.anchor(EdgeId(edge), Epoch(epoch)) for edge in ("a", "b") for epoch in (1, 2)}
    assert len(anchors) == 4


def test_an_oversized_message_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLarge):
        decode(Receipt, b"x" * (limits.BATCH_MAX_BYTES + 2_000))


def test_a_full_batch_of_the_longest_rows_that_fit_is_written_and_read() -> None:
    raws = rows(limits.BATCH_MAX_ROWS)
    assert len(decode(Batch, encode(batch(raws))).rows) == limits.BATCH_MAX_ROWS


def test_a_birth_of_the_largest_edge_fits() -> None:
    state = PointState("a" * 64, PointType.PICTURE, "covered", Quality.DEVICE_ERROR, 2**53 - 1)
    birth = Birth(
        edge=EDGE,
        epoch=EPOCH,
        session=1,
        boot="ab",
        software="0.1.0",
        config=ZERO,
        seq=1,
        hash=ZERO,
        clock=Clock.FREE,
        at=1,
        points=[state] * limits.BIRTH_MAX_POINTS,
    )
    assert decode(Birth, encode(birth)) == birth


@given(
    st.sampled_from([Batch, Live, Receipt, Nak, Beat, Birth, Status, CentralStatus]), st.binary(max_size=300)
)
def test_garbage_raises_nothing_but_contract_errors(kind: type, raw: bytes) -> None:
    with pytest.raises(ContractError):
        decode(kind, raw)


def test_deep_nesting_is_malformed_and_no_crash() -> None:
    with pytest.raises(Malformed):
        decode(Receipt, b"[" * 30_000)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(Malformed):
        decode(Status, b'{"edge":"liuxu","state":"online","session":1,"at":1,"extra":true}')


def test_a_digest_depends_on_every_state_and_on_no_order() -> None:
    a, b = ("x", "open", "good"), ("y", "closed", "good")
    assert state_digest([a, b]) == state_digest([b, a])
    assert len({state_digest([a]), state_digest([b]), state_digest([a, b]), state_digest([])}) == 4
