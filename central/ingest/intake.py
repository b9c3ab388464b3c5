"""A group of messages in one transaction: what each brings to store and patrol, what it is answered.

Runs in the store's writer thread. A message that is refused leaves nothing behind but a fault; the others
of its group go on.
"""

from functools import partial

from msgspec import Struct

from central.board_model import FaultKind
from central.commanding import results
from central.ingest.admission import (
    Accepted,
    Cursor,
    Gap,
    UpMessage,
    admit_batch,
    admit_live,
    beginning,
    check_epoch,
)
from central.ingest.belief import Belief
from central.ingest.cursors import LIVE_PENDING_MAX, Ahead, LiveRow
from central.ingest.goodbyes import Goodbyes
from central.ingest.hearing import Hearing
from central.ingest.ledger import Ledger
from central.ingest.log_watch import LogWatch
from central.patrol import facts, faults, stations
from central.patrol.facts import Fact
from central.patrol.places import Places
from central.patrol.scene import Scene
from central.settings import Rules
from central.store.database import Transaction
from central.store.events import NewEvent
from central.trust import checkpoints
from contract import messages, topics
from contract.errors import ContractError, Forked, Revoked, Superseded, TooLarge, UnknownEpoch, Untrusted
from contract.ids import EdgeId
from contract.keys import Signer
from contract.messages import Batch, Beat, Birth, Live, Nak, Receipt, Status
from contract.signing import sign


class Arrival(Struct, frozen=True):
    """A message that could be read, from an edge of ours, and when it came."""

    message: UpMessage
    received_ms: int
    mono_s: float


class Outcome(Struct):
    """What follows after the commit, and never before it."""

    replies: dict[str, bytes] = {}
    heard: dict[str, float | None] = {}
    """By edge, the last word of the group: the instant of a sign of life, None for a goodbye."""
    refused: list[tuple[Arrival, ContractError]] = []
    stored: int = 0
    has_ended_key: bool = False


class Intake:
    """One group. `take` each arrival, then `finish`. Without a `signer` all is believed, nothing signed."""

    def __init__(
        self,
        tx: Transaction,
        places: Places,
        rules: Rules,
        signer: Signer | None = None,
        log_watch: LogWatch | None = None,
        *,
        goodbyes: Goodbyes | None = None,
    ) -> None:
        self.outcome = Outcome()
        self._goodbyes = goodbyes or Goodbyes()
        self._tx = tx
        self._signer = signer
        self._scene = Scene(tx, places, rules)
        self._belief = Belief(tx.conn) if signer else None
        self._hearing = Hearing(self._scene, signer, log_watch or LogWatch())
        self._ledger = Ledger(tx.conn)
        self._facts: list[Fact] = []
        """Of the batches, until the group's end or something else needs their effect."""
        self._replies: dict[str, Receipt | Nak] = {}
        """By topic: of several receipts for one edge only the last says anything."""

    def take(self, arrival: Arrival) -> None:
        """Lets a message have its effect, or notes why it has none. A StoreError ends the whole group."""
        try:
            self._dispatch(arrival)
        except ContractError as error:
            self._stand_fault(arrival, error)
            self.outcome.refused.append((arrival, error))

    def finish(self) -> Outcome:
        self._let_facts_act()
        self._ledger.write()
        self._scene.write_back()
        self.outcome.has_ended_key = self._belief is not None and self._belief.has_ended_key
        for topic, reply in self._replies.items():
            self.outcome.replies[topic] = messages.encode(
                sign(reply, self._signer) if self._signer else reply
            )
        return self.outcome

    def _dispatch(self, arrival: Arrival) -> None:
        public = self._belief.check(arrival.message, arrival.received_ms) if self._belief else ""
        if not isinstance(arrival.message, Batch):
            self._let_facts_act()
        match arrival.message:
            case Batch() as batch:
                self._take_batch(batch, public, arrival.received_ms)
            case Live() as live:
                self._take_live(live, arrival.received_ms)
            case Birth() as birth:
                self._take_birth(birth, arrival)
            case Beat() as beat:
                self._take_beat(beat, arrival)
            case Status() as status:
                is_news = self._goodbyes.is_news(status, self._scene.link(status.edge).epoch)
                if is_news and stations.take_status(self._scene, status, arrival.received_ms):
                    self.outcome.heard[status.edge] = None

    def _take_batch(self, batch: Batch, public: str, now_ms: int) -> None:
        cursor = self._cursor(batch.edge, batch.epoch)
        decision = admit_batch(cursor, batch, partial(self._ledger.hash_at, batch.edge, batch.epoch))
        if isinstance(decision, Gap):
            nak = Nak(
                edge=batch.edge,
                epoch=batch.epoch,
                first=decision.first,
                last=decision.last,
                reason="gap",
                at=now_ms,
            )
            self._reply(batch.edge, topics.Down.NAK, nak)
            return
        if decision.rows:
            self._store(batch.edge, decision, now_ms)
            if public:
                checkpoints.keep(self._tx.conn, batch, public, now_ms)
        self._receipt(batch.edge, decision.cursor, now_ms)

    def _store(self, edge: str, accepted: Accepted, now_ms: int) -> None:
        rows, epoch = accepted.rows, accepted.cursor.epoch
        ahead = self._ledger.ahead(edge, epoch)
        early = ahead.between(rows[0].row.seq, rows[-1].row.seq)
        same = {
            row.row.seq: row for row in rows if row.row.seq in early and early[row.row.seq].hash == row.hash
        }
        self._ledger.append(
            [
                NewEvent(
                    edge=edge,
                    epoch=epoch,
                    seq=row.row.seq,
                    hash=row.hash,
                    point=row.row.point,
                    received_ms=early[row.row.seq].received_ms if row.row.seq in same else now_ms,
                    row=row.raw,
                )
                for row in rows
            ],
        )
        self._ledger.keep(edge, accepted.cursor)
        self.outcome.stored += len(rows)
        self._facts += [
            Fact(edge, epoch, row.row, now_ms, is_pending=False) for row in rows if row.row.seq not in same
        ]
        if same:
            self._let_facts_act()
            self._end_pending(ahead, ahead.settle(same))
        self._end_pending(ahead, ahead.give_up_before(rows[0].row.seq))
        if contradicted := early.keys() - same.keys():
            ahead.contradict(contradicted)
            self._report("forked", edge, f"epoch {epoch}", now_ms)

    def _end_pending(self, ahead: Ahead, alert_ids: set[int]) -> None:
        """Rows that had run ahead are awaited no more: 链待核 ends where no other is."""
        for alert_id in alert_ids - ahead.still_pending(alert_ids):
            use = self._scene.use(alert_id)
            if use is not None and use.alert.chain_pending:
                use.alert.chain_pending = False
                self._scene.show_alert(use)

    def _take_live(self, live: Live, now_ms: int) -> None:
        cursor = self._cursor(live.edge, live.epoch)
        admitted = admit_live(cursor, live, partial(self._ledger.hash_at, live.edge, live.epoch))
        if admitted is None:
            return
        ahead = self._ledger.ahead(live.edge, live.epoch)
        if ahead.is_full:
            raise TooLarge(f"edge {live.edge}: {LIVE_PENDING_MAX} rows ahead of its log")
        self._ledger.keep(live.edge, cursor)
        fact = Fact(live.edge, live.epoch, admitted.row, now_ms, is_pending=True)
        results.take(self._tx, fact.edge, fact.row, now_ms)
        alert_id = facts.take(self._scene, fact)
        ahead.put(LiveRow(admitted.raw, admitted.row, admitted.hash, now_ms, alert_id))

    def _take_birth(self, birth: Birth, arrival: Arrival) -> None:
        cursor = self._cursor(birth.edge, birth.epoch)
        if not self._hearing.take_birth(birth, cursor, arrival.received_ms):
            return
        self._ledger.keep(birth.edge, cursor)
        ahead = self._ledger.ahead(birth.edge, birth.epoch)
        self._end_pending(ahead, ahead.give_up_other_epochs())
        self.outcome.heard[birth.edge] = arrival.mono_s
        if cursor.seq > 0:
            self._receipt(birth.edge, cursor, arrival.received_ms)

    def _take_beat(self, beat: Beat, arrival: Arrival) -> None:
        cursor = self._cursor(beat.edge, beat.epoch)
        ahead = self._ledger.ahead(beat.edge, beat.epoch)
        is_alive, nak = self._hearing.take_beat(beat, cursor, ahead, arrival.received_ms, arrival.mono_s)
        if is_alive:
            self.outcome.heard[beat.edge] = arrival.mono_s
        if nak is not None:
            self._reply(beat.edge, topics.Down.NAK, nak)

    def _cursor(self, edge: str, epoch: int) -> Cursor:
        """The edge's cursor; its first epoch is adopted. Raises UnknownEpoch for any other."""
        cursor = self._ledger.cursor(edge) or beginning(edge, epoch)
        check_epoch(cursor, edge, epoch)
        return cursor

    def _let_facts_act(self) -> None:
        waiting, self._facts = self._facts, []
        for fact in waiting:
            results.take(self._tx, fact.edge, fact.row, fact.received_ms)
        facts.take_all(self._scene, waiting)

    def _receipt(self, edge: str, cursor: Cursor, now_ms: int) -> None:
        receipt = Receipt(edge=edge, epoch=cursor.epoch, seq=cursor.seq, hash=cursor.hash, at=now_ms)
        self._reply(edge, topics.Down.RECEIPT, receipt)

    def _reply(self, edge: str, lane: topics.Down, message: Receipt | Nak) -> None:
        self._replies[topics.down(EdgeId(edge), lane)] = message

    def _stand_fault(self, arrival: Arrival, error: ContractError) -> None:
        message = arrival.message
        if isinstance(message, Status) or isinstance(error, Superseded):
            return  # what the old key signed before the new one spoke comes again, signed by the new one
        if isinstance(error, Forked):
            self._report("forked", message.edge, f"epoch {message.epoch}", arrival.received_ms)
        elif isinstance(error, Untrusted):
            kind: FaultKind = "key_revoked" if isinstance(error, Revoked) else "bad_signature"
            self._report(kind, message.edge, error.code.rpartition(".")[2], arrival.received_ms)
        elif isinstance(error, UnknownEpoch):
            self._stand("epoch_unknown", message.edge, f"epoch {message.epoch}", arrival.received_ms)

    def _stand(self, kind: FaultKind, edge: str, detail: str | None, now_ms: int) -> None:
        subject = faults.Subject(kind, self._scene.places.station_of_edge[edge].id)
        faults.stand(self._tx, subject, detail, now_ms)

    def _report(self, kind: FaultKind, edge: str, detail: str, now_ms: int) -> None:
        subject = faults.Subject(kind, self._scene.places.station_of_edge[edge].id)
        faults.report(self._tx, subject, detail, now_ms)
