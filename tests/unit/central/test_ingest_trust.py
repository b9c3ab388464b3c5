"""Whom the ingest believes, and what it makes of an edge, or a store, that has another past than it had."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from central.errors import Refused
from central.ingest import cursors, hearing, intake
from central.ingest.belief import KEYS_TRIED_MAX
from central.ingest.log_watch import BELOW_AFTER_S
from central.ingest.pipeline import Ingest
from central.ingest.readmission import readmit, skip_gone
from central.ingest.schema import live_row
from central.patrol import queries, stations
from central.patrol.places import Places
from central.patrol.scene import Scene
from central.patrol.schema import alert, fault
from central.patrol.supervision import Supervision
from central.store import events
from central.store.database import Store, Transaction
from central.trust import keys, witnesses
from central.trust.schema import checkpoint
from central.trust.witness import Witness
from contract import messages, topics
from contract.keys import Signer, is_signed
from contract.limits import LOG_STANDS_AFTER_S
from contract.messages import Nak, Receipt
from contract.signing import check_signature, checkpoint_of, sign
from tests.support.county import RULES, STATIONS, T0, Journal, wire

CENTRE = Signer.new()


class Centre:
    """A store with the key of one edge, the pipeline, and all that left it. Time stands until it is moved."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.published: list[tuple[str, bytes]] = []
        self.supervision = Supervision()
        self.mono_s = 0.0
        self.ingest = self.started()

    def started(self) -> Ingest:
        def publish(topic: str, payload: bytes) -> None:
            self.published.append((topic, payload))

        return Ingest(self.store, STATIONS, RULES, self.supervision, publish, signer=CENTRE)

    async def enrol(self, edge: str, signer: Signer) -> None:
        await self.store.write(
            lambda tx: keys.enrol(
                tx.conn, edge, public=signer.public, certificate="", expires_ms=T0 * 2, now_ms=T0, reason=""
            )
        )

    async def hear(self, *sent) -> list[Receipt | Nak]:
        """Each in a group of its own; the answers."""
        for message in sent:
            self.ingest.receive(*wire(message), T0, self.mono_s)
            while self.ingest._urgent or self.ingest._log:
                await self.store.write(lambda tx: None)
            await self.store.write(lambda tx: None)
        out, self.published = self.published, []
        return [messages.decode(Receipt if t.endswith("receipt") else Nak, payload) for t, payload in out]

    async def hear_of_version_2(self) -> None:
        self.ingest.receive("casewatch/2/liuxu/up/birth", b"whatever it is", T0, self.mono_s)
        await self.ingest._show_refused()

    async def lose(self, edge: str) -> None:
        def act(tx: Transaction) -> None:
            scene = Scene(tx, Places(STATIONS), RULES)
            stations.lose(scene, edge, T0)
            scene.write_back()

        await self.store.write(act)

    async def faults(self) -> dict[str, str]:
        """Those that stand, with their details."""
        board = await self.store.read(lambda conn: queries.snapshot(conn, STATIONS))
        return {one.kind: one.detail for one in board.faults}

    async def times_raised(self, kind: str) -> int:
        raised = select(fault.c.id).where(fault.c.kind == kind)
        return len(await self.store.read(lambda conn: list(conn.scalars(raised))))

    async def pending(self) -> list[bool]:
        """Of each alert, whether the chain is still to reach it."""
        return await self.store.read(lambda conn: list(conn.scalars(select(alert.c.chain_pending))))

    async def ahead(self) -> list[int]:
        """Rows of the live lane that are kept."""
        return await self.store.read(lambda conn: list(conn.scalars(select(live_row.c.seq))))

    async def stored(self) -> int:
        page, _ = await self.store.read(lambda conn: events.list_events(conn, 0, 1_000))
        return len(page)


@pytest.fixture
def edge() -> Journal:
    made = Journal(signer=Signer.new())
    made.start()
    made.write("door.open")
    made.write("door.closed")
    return made


@pytest.fixture
async def centre(tmp_path: Path, edge: Journal) -> AsyncIterator[Centre]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    made = Centre(store)
    assert edge.signer is not None
    await made.enrol(edge.edge, edge.signer)
    task = asyncio.create_task(made.ingest.run(), name="ingest")
    yield made
    task.cancel()
    await asyncio.wait([task])
    await store.close()


async def test_what_its_key_signed_is_stored_and_receipted_under_the_centres_own(
    centre: Centre, edge: Journal
) -> None:
    (receipt,) = await centre.hear(edge.batch())
    check_signature(receipt, CENTRE.public)
    assert await centre.stored() == 2
    assert await centre.faults() == {}


@pytest.mark.parametrize("signer", [None, Signer.new()], ids=["unsigned", "another key"])
async def test_what_its_key_did_not_sign_is_refused_and_shown(
    centre: Centre, edge: Journal, signer: Signer | None
) -> None:
    edge.signer = signer
    assert await centre.hear(edge.birth(), edge.beat(), edge.batch(), edge.live()) == []
    assert await centre.stored() == 0
    assert set(await centre.faults()) == {"bad_signature"}
    assert await centre.times_raised("bad_signature") == 1
    assert centre.supervision.silent(1_000.0) == [], "no sign of life"


async def test_a_batch_whose_rows_were_exchanged_does_not_hold_its_signature(
    centre: Centre, edge: Journal
) -> None:
    sound = edge.batch(1, 1)
    other = edge.fork_at(1).batch(1, 1)
    assert await centre.hear(replace(sound, rows=other.rows, head=other.head)) == []
    assert await centre.stored() == 0


async def test_an_edge_that_never_enrolled_is_refused(centre: Centre) -> None:
    stranger = Journal("linhu", signer=Signer.new())
    stranger.start()
    assert await centre.hear(stranger.birth()) == []
    assert await centre.faults() == {"bad_signature": "not_enrolled"}


async def test_a_revocation_by_another_process_holds_from_the_next_group_on(
    centre: Centre, edge: Journal
) -> None:
    await centre.hear(edge.batch(1, 1))
    await centre.store.write(lambda tx: keys.revoke(tx.conn, edge.edge, "stolen", T0))
    assert await centre.hear(edge.batch(2), edge.beat()) == []
    assert await centre.stored() == 1
    assert await centre.faults() == {"key_revoked": "revoked"}


async def test_an_old_key_speaks_until_the_new_one_has_spoken(centre: Centre, edge: Journal) -> None:
    old, new = edge.signer, Signer.new()
    await centre.enrol(edge.edge, new)
    assert len(await centre.hear(edge.batch(1, 1))) == 1
    edge.signer = new
    assert len(await centre.hear(edge.batch(2))) == 1
    edge.signer = old
    assert await centre.hear(edge.batch(), edge.beat(), edge.goodbye()) == []
    assert await centre.faults() == {}, "what was on its way is said again under the new key"


async def test_a_key_that_is_over_and_was_revoked_too_is_an_alarm(centre: Centre, edge: Journal) -> None:
    old, new = edge.signer, Signer.new()
    await centre.enrol(edge.edge, new)
    edge.signer = new
    await centre.hear(edge.birth())
    await centre.store.write(lambda tx: keys.revoke(tx.conn, edge.edge, "stolen", T0))
    edge.signer = old
    await centre.hear(edge.beat())
    assert await centre.faults() == {"key_revoked": "revoked"}


async def test_what_the_old_key_signed_and_came_before_the_new_one_spoke_is_no_alarm(
    centre: Centre, edge: Journal
) -> None:
    late, new = edge.batch(), Signer.new()
    await centre.enrol(edge.edge, new)
    edge.signer = new
    edge.start()
    assert await centre.hear(edge.birth(), late, edge.beat()) == []
    assert await centre.faults() == {}, "nothing was taken back: the edge sends it again"
    assert len(await centre.hear(edge.batch())) == 1


async def test_a_key_is_found_first_among_the_good_and_at_last_not_sought_for(
    centre: Centre, edge: Journal
) -> None:
    own = edge.signer
    for n in range(KEYS_TRIED_MAX):
        edge.signer = Signer.new()
        await centre.enrol(edge.edge, edge.signer)
        await centre.hear(edge.beat() if n else edge.birth())
    edge.signer, newest = own, edge.signer
    await centre.hear(edge.beat())
    assert set(await centre.faults()) == {"bad_signature"}, "it is too old to be tried"
    edge.signer = newest
    assert len(await centre.hear(edge.batch())) == 1


async def test_who_has_keys_says_who_speaks_and_how_far_a_batch_goes(centre: Centre, edge: Journal) -> None:
    assert edge.signer is not None
    nobody = [replace(said, instance="") for said in (edge.birth(), edge.beat())]
    endless = replace(edge.batch(), last=0)
    await centre.hear(*(sign(said, edge.signer) for said in (*nobody, endless)))
    assert await centre.stored() == 0
    assert centre.supervision.silent(1_000.0) == [], "no sign of life"
    assert centre.ingest._refusals.take_counts() == {edge.edge: 3}


async def test_signed_heads_are_kept_the_newest_and_one_each_64_rows(centre: Centre, edge: Journal) -> None:
    for _ in range(300):
        edge.write("door.open")
        await centre.hear(edge.batch(edge.seq if edge.seq > 3 else 1))
    found = select(checkpoint).order_by(checkpoint.c.seq)
    kept = await centre.store.read(lambda conn: list(conn.execute(found)))
    seqs = [one.seq for one in kept]
    assert seqs[-1] == edge.seq
    assert all(later - earlier <= 64 for earlier, later in zip([0, *seqs], seqs, strict=False))
    assert len(seqs) <= 300 // 64 + 3
    for one in kept:
        assert is_signed(edge.signer.public, one.text, one.sig)
        assert checkpoint_of(one.text).head == one.hash == edge.hashes[one.seq].hex()


async def test_a_beat_that_is_played_again_is_no_sign_of_life(centre: Centre, edge: Journal) -> None:
    beat = edge.beat()
    await centre.hear(edge.birth(), beat)
    centre.mono_s = 16.0
    await centre.hear(beat)
    assert centre.supervision.silent(16.0) == [edge.edge]


async def test_restarts_are_not_two_machines_whatever_comes_late(centre: Centre, edge: Journal) -> None:
    late = []
    for _ in range(4):
        late.append(edge.beat())
        await centre.hear(edge.birth(), edge.beat())
        edge.start()
    await centre.hear(*late, edge.birth(), edge.beat())
    assert await centre.faults() == {}


async def test_a_last_word_that_comes_after_the_next_start_is_not_a_second_machine(
    centre: Centre, edge: Journal
) -> None:
    for _ in range(3):
        await centre.hear(edge.birth())
        late = edge.beat()
        edge.start()
        await centre.hear(edge.beat(), late, edge.beat(), edge.birth(), edge.beat())
    assert await centre.faults() == {}


@pytest.mark.parametrize("is_born", [False, True])
async def test_two_machines_with_one_identity_are_told_from_a_restart(
    centre: Centre, edge: Journal, *, is_born: bool
) -> None:
    await centre.hear(edge.birth())
    copy = edge.copied()
    copy.start()
    if is_born:
        await centre.hear(copy.birth())
    for _ in range(4):
        await centre.hear(copy.beat(), edge.beat())
    assert set(await centre.faults()) == {"two_machines"}
    assert await centre.times_raised("two_machines") == 1


async def test_two_machines_are_told_also_where_the_centre_remembers_neither(
    centre: Centre, edge: Journal
) -> None:
    """Its store was restored, or the witness forgotten: it may hear the younger of the two first."""
    copy = edge.copied()
    copy.start()
    await centre.hear(copy.birth(), edge.birth(), copy.beat(), edge.beat())
    assert await centre.faults() == {}, "the older may have been late"
    await centre.hear(copy.beat(), edge.beat(), copy.beat(), edge.beat())
    assert set(await centre.faults()) == {"two_machines"}


async def test_two_starts_with_one_number_are_two_machines_at_once(centre: Centre, edge: Journal) -> None:
    copy = edge.copied()
    copy.session -= 1
    copy.start()
    await centre.hear(edge.birth(), copy.birth())
    assert "two_machines" in await centre.faults()


async def test_an_edge_whose_image_was_rolled_back_says_so_and_nothing_of_it_is_stored(
    centre: Centre, edge: Journal
) -> None:
    older = edge.copied()
    edge.write("door.open")
    await centre.hear(edge.birth(), edge.batch())
    older.session = edge.session
    older.start()
    (receipt,) = await centre.hear(older.birth())
    assert receipt.seq == 3, "by this the edge knows"
    await centre.hear(older.beat(forked=True))
    assert (await centre.faults())["edge_rolled_back"] == "row 2/3"
    older.write("door.closed", other=1)
    assert await centre.hear(older.batch(3)) == []
    assert await centre.stored() == 3


async def test_an_edge_that_hides_that_it_was_rolled_back_is_found_by_its_beats(
    centre: Centre, edge: Journal
) -> None:
    older = edge.copied()
    edge.write("door.open")
    await centre.hear(edge.birth(), edge.batch())
    older.session = edge.session
    older.start()
    await centre.hear(older.birth(), older.beat())
    assert "edge_rolled_back" not in await centre.faults(), "a beat may have been long on its way"
    centre.mono_s = BELOW_AFTER_S
    await centre.hear(older.beat())
    assert "edge_rolled_back" in await centre.faults()


async def test_a_store_older_than_its_own_receipts_is_shown_and_filled_again(
    centre: Centre, edge: Journal
) -> None:
    for _ in range(5):
        edge.write("door.open")
    await centre.hear(edge.batch(1, 2))
    given = Receipt(edge=edge.edge, epoch=7, seq=7, hash=edge.hashes[7].hex(), at=T0)
    await centre.hear(edge.birth(receipted=sign(given, CENTRE)), edge.beat())
    assert await centre.faults() == {"store_rolled_back": "receipted 7"}
    centre.mono_s = LOG_STANDS_AFTER_S
    (ask,) = await centre.hear(edge.beat())
    assert (ask.first, ask.last) == (3, 7)
    assert set(await centre.faults()) == {"store_rolled_back"}, "nobody is accused of what we lost"
    await centre.hear(edge.batch(3, 4), edge.beat())
    assert "store_rolled_back" in await centre.faults()
    await centre.hear(edge.batch(5), edge.beat())
    assert await centre.faults() == {}
    assert await centre.times_raised("store_rolled_back") == 1
    assert await centre.stored() == 7


async def test_a_receipt_that_was_never_given_rolls_nothing_back(centre: Centre, edge: Journal) -> None:
    forged = Receipt(edge=edge.edge, epoch=7, seq=900, hash="0" * 64, at=T0)
    await centre.hear(edge.birth(receipted=forged))
    assert set(await centre.faults()) == {"bad_signature"}


async def test_a_receipt_of_another_edge_rolls_nothing_back(centre: Centre, edge: Journal) -> None:
    given = sign(Receipt(edge="linhu", epoch=7, seq=900, hash="0" * 64, at=T0), CENTRE)
    await centre.hear(edge.birth(receipted=given))
    assert await centre.faults() == {}


async def test_rows_that_beats_tell_of_and_the_log_withholds_are_an_alarm_and_asked_for(
    centre: Centre, edge: Journal
) -> None:
    await centre.hear(edge.birth(), edge.batch(1, 1), edge.beat())
    centre.mono_s = LOG_STANDS_AFTER_S
    (ask,) = await centre.hear(edge.beat())
    assert isinstance(ask, Nak)
    assert (ask.first, ask.last) == (2, 2)
    edge.write("door.open")
    await centre.hear(edge.beat())
    assert await centre.faults() == {"log_withheld": "from 2"}
    assert await centre.times_raised("log_withheld") == 1
    await centre.hear(edge.batch(2), edge.beat())
    assert await centre.faults() == {}


async def test_a_log_that_trickles_is_one_alarm_however_it_moves(centre: Centre, edge: Journal) -> None:
    await centre.hear(edge.birth(), edge.batch())
    for _ in range(600):
        edge.write("door.open")
    for seq in range(3, 43):
        centre.mono_s += 14.0
        await centre.hear(edge.batch(seq, seq), edge.beat())
    assert set(await centre.faults()) == {"log_withheld"}
    assert await centre.times_raised("log_withheld") == 1


async def test_doors_that_the_board_can_show_no_more_without_the_log_are_said(
    centre: Centre, edge: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cursors, hearing, intake):
        monkeypatch.setattr(module, "LIVE_PENDING_MAX", 3)
    await centre.hear(edge.birth(), edge.batch(1, 1), edge.beat())
    for _ in range(5):
        await centre.hear(edge.live(edge.write("door.open")))
    centre.mono_s = LOG_STANDS_AFTER_S
    await centre.hear(edge.beat(), edge.beat())
    assert await centre.faults() == {"log_withheld": "full 3"}
    await centre.hear(edge.batch(2), edge.beat())
    assert await centre.faults() == {}
    assert await centre.times_raised("log_withheld") == 1


async def test_rows_that_the_log_contradicted_take_no_place_among_those_ahead(
    centre: Centre, edge: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursors, "LIVE_PENDING_MAX", 1)
    other = edge.fork_at(2)
    await centre.hear(other.live(2), edge.batch())
    assert set(await centre.faults()) == {"forked"}
    edge.write("door.closed")
    await centre.hear(edge.live(edge.write("door.open")))
    assert await centre.ahead() == [2, 4]


async def test_rows_that_an_edge_has_no_more_and_the_store_lacks_are_named(
    centre: Centre, edge: Journal
) -> None:
    edge.write("door.open")
    await centre.hear(edge.birth(base=2))
    assert await centre.faults() == {"rows_gone": "rows 1-2"}
    with pytest.raises(Refused):
        await centre.store.write(lambda tx: skip_gone(tx, "linhu", "console", "lost", T0))
    gone = await centre.store.write(lambda tx: skip_gone(tx, edge.edge, "console", "lost", T0))
    assert gone == (1, 2)
    (receipt,) = await centre.hear(edge.batch(3))
    assert receipt.seq == 3
    await centre.hear(edge.birth(base=2))
    assert await centre.faults() == {}


async def test_what_ran_ahead_of_rows_that_were_skipped_is_awaited_no_more(
    centre: Centre, edge: Journal
) -> None:
    for _ in range(7):
        edge.write("door.open")
    late = edge.live(6)
    await centre.hear(edge.birth(), edge.batch(1, 2), edge.live(5), edge.birth(base=8))
    assert await centre.pending() == [True]
    await centre.store.write(lambda tx: skip_gone(tx, edge.edge, "console", "lost", T0))
    answers = await centre.hear(late, edge.batch(4, 6), edge.batch(9))
    assert [one.seq for one in answers if isinstance(one, Receipt)] == [8, 9]
    assert await centre.pending() == [False]
    assert await centre.ahead() == [5], "it stays as evidence"
    await centre.hear(edge.birth(base=8), edge.live(5))
    assert await centre.faults() == {}


async def test_what_ran_ahead_in_a_journal_that_is_over_is_awaited_no_more(
    centre: Centre, edge: Journal
) -> None:
    edge.write("door.open")
    await centre.hear(edge.birth(), edge.live(3))
    assert await centre.pending() == [True]
    fresh = Journal(epoch=8, signer=edge.signer)
    fresh.start()
    await centre.store.write(lambda tx: readmit(tx, edge.edge, 8, "console", T0, reason="new disk"))
    await centre.hear(fresh.beat(), fresh.birth())
    assert await centre.pending() == [False]


async def test_a_new_journals_goodbye_is_heard_though_its_starts_are_fewer(
    centre: Centre, edge: Journal
) -> None:
    edge.session = 57
    await centre.hear(edge.birth(), edge.goodbye("will"))
    fresh = Journal(epoch=8, signer=edge.signer)
    fresh.start()
    await centre.store.write(lambda tx: readmit(tx, edge.edge, 8, "console", T0, reason="new disk"))
    await centre.hear(fresh.birth())
    assert await centre.faults() == {}
    await centre.hear(fresh.goodbye("will"))
    assert await centre.faults() == {"station_lost": "connection"}


async def test_a_journal_that_is_over_says_nothing_of_what_the_next_has_lost(
    centre: Centre, edge: Journal
) -> None:
    await centre.hear(edge.birth(base=2))
    await centre.store.write(lambda tx: readmit(tx, edge.edge, 8, "console", T0, reason="new disk"))
    with pytest.raises(Refused):
        await centre.store.write(lambda tx: skip_gone(tx, edge.edge, "console", "lost", T0))
    await centre.store.write(lambda tx: witnesses.keep(tx.conn, edge.edge, Witness(9, 1, 1, "", base=5)))
    with pytest.raises(Refused):
        await centre.store.write(lambda tx: skip_gone(tx, edge.edge, "console", "lost", T0))


async def test_an_edge_of_another_version_is_refused_by_name_until_it_speaks_ours(
    centre: Centre, edge: Journal
) -> None:
    await centre.hear_of_version_2()
    assert await centre.faults() == {"old_version": "version 2"}
    await centre.hear(edge.birth())
    assert await centre.faults() == {}


async def test_nobody_can_say_of_an_edge_that_is_heard_that_its_version_is_old(
    centre: Centre, edge: Journal
) -> None:
    await centre.hear(edge.birth())
    await centre.hear_of_version_2()
    assert await centre.faults() == {}
    centre.mono_s = 5.0
    await centre.hear(edge.beat())
    await centre.lose(edge.edge)
    await centre.ingest._show_refused()
    assert set(await centre.faults()) == {"station_lost"}, "its beat has answered"


async def test_an_edge_that_came_back_with_another_version_is_told_once_it_is_lost_in_ours(
    centre: Centre, edge: Journal
) -> None:
    await centre.hear(edge.birth())
    await centre.hear_of_version_2()
    await centre.lose(edge.edge)
    await centre.ingest._show_refused()
    assert await centre.faults() == {"station_lost": "silent", "old_version": "version 2"}


def test_births_of_other_versions_are_listened_for() -> None:
    assert topics.OTHER_BIRTHS == ["casewatch/0/+/up/birth", "casewatch/2/+/up/birth"]
