"""What an edge says of itself, against what is stored: its birth and its beats.

Each finding is a fault of its own, and goes when the next word shows that it is over; a fork, a second
machine and a past that went missing stay until a person has looked.
"""

from msgspec.structs import replace

from central.board_model import FaultKind
from central.ingest.admission import Cursor, check_head
from central.ingest.cursors import LIVE_PENDING_MAX, Ahead
from central.ingest.log_watch import LogWatch, Standing
from central.patrol import faults, stations
from central.patrol.scene import Scene
from central.trust import witnesses
from central.trust.witness import Witness, hear
from contract.errors import Replayed
from contract.keys import Signer, is_signed
from contract.messages import Beat, Birth, Nak
from contract.signing import signed_text


class Hearing:
    """One group's. `signer` is the centre's own: it knows its receipts by it."""

    def __init__(self, scene: Scene, signer: Signer | None, log_watch: LogWatch) -> None:
        self._scene = scene
        self._signer = signer
        self._log_watch = log_watch

    def take_birth(self, birth: Birth, cursor: Cursor, now_ms: int) -> bool:
        """Who the edge is and how its points stand. False where it is of an older session.

        Raises Replayed, Forked.
        """
        witness = self._heard(birth)
        check_head(cursor, birth.edge, birth.seq, birth.hash)
        if not stations.take_birth(self._scene, birth, now_ms):
            self._keep(birth.edge, witness, now_ms)
            return False
        gone = f"rows {cursor.seq + 1}-{birth.base}" if birth.base > cursor.seq else None
        self._stand("epoch_unknown", birth.edge, None, now_ms)
        self._stand("old_version", birth.edge, None, now_ms)
        self._stand("rows_gone", birth.edge, gone, now_ms)
        missing = self._missing(birth, cursor, now_ms)
        if missing:
            self._stand("store_rolled_back", birth.edge, f"receipted {missing}", now_ms)
            witness = replace(witness, receipted=missing)
        self._keep(birth.edge, witness, now_ms)
        return True

    def take_beat(
        self, beat: Beat, cursor: Cursor, ahead: Ahead, now_ms: int, mono_s: float
    ) -> tuple[bool, Nak | None]:
        """Whether it is a sign of life, and what is asked for where the log stands still.

        Raises Replayed, Forked.
        """
        witness = self._heard(beat)
        check_head(cursor, beat.edge, beat.seq, beat.hash)
        if not stations.take_beat(self._scene, beat, now_ms):
            self._keep(beat.edge, witness, now_ms)  # the process before, or the machine that was copied
            return False, None
        if witness.receipted and cursor.seq >= witness.receipted:
            self._stand("store_rolled_back", beat.edge, None, now_ms)
            witness = replace(witness, receipted=0)
        self._keep(beat.edge, witness, now_ms)
        standing = self._log_watch.judge(beat.edge, head=beat.seq, stored=cursor.seq, mono_s=mono_s)
        if standing is Standing.BELOW or (beat.forked and beat.seq < cursor.seq):
            self._report("edge_rolled_back", beat.edge, f"row {beat.seq}/{cursor.seq}", now_ms)
        elif beat.forked:
            self._report("forked", beat.edge, f"epoch {beat.epoch}", now_ms)
        if standing is not Standing.WITHHELD:
            self._stand("log_withheld", beat.edge, None, now_ms)
            return True, None
        if witness.receipted:  # it is we who went back: nobody holds anything back
            return True, self._nudge(beat, cursor, now_ms)
        if ahead.is_full:
            self._stand("log_withheld", beat.edge, f"full {LIVE_PENDING_MAX}", now_ms)
        else:
            self._report("log_withheld", beat.edge, f"from {cursor.seq + 1}", now_ms)
        return True, self._nudge(beat, cursor, now_ms)

    def _heard(self, said: Birth | Beat) -> Witness:
        witness = hear(witnesses.read(self._scene.tx.conn, said.edge), said)
        if witness is None:
            raise Replayed(f"edge {said.edge}: {type(said).__name__} {said.place} was heard already")
        return witness

    def _missing(self, birth: Birth, cursor: Cursor, now_ms: int) -> int:
        """The row to which we had receipted, where that is beyond our store: it is an older one. Else 0."""
        ours = birth.receipted
        if ours is None or (ours.edge, ours.epoch) != (birth.edge, cursor.epoch) or ours.seq <= cursor.seq:
            return 0
        if self._signer is not None and not is_signed(self._signer.public, signed_text(ours), ours.sig):
            self._report("bad_signature", birth.edge, "receipt", now_ms)
            return 0
        return ours.seq

    def _keep(self, edge: str, witness: Witness, now_ms: int) -> None:
        witnesses.keep(self._scene.tx.conn, edge, witness)
        if witness.is_doubled:
            self._report("two_machines", edge, f"session {witness.session}", now_ms)

    @staticmethod
    def _nudge(beat: Beat, cursor: Cursor, now_ms: int) -> Nak:
        return Nak(
            edge=beat.edge,
            epoch=cursor.epoch,
            first=cursor.seq + 1,
            last=beat.seq,
            reason="the log stands still",
            at=now_ms,
        )

    def _stand(self, kind: FaultKind, edge: str, detail: str | None, now_ms: int) -> None:
        faults.stand(self._scene.tx, self._subject(kind, edge), detail, now_ms)

    def _report(self, kind: FaultKind, edge: str, detail: str, now_ms: int) -> None:
        faults.report(self._scene.tx, self._subject(kind, edge), detail, now_ms)

    def _subject(self, kind: FaultKind, edge: str) -> faults.Subject:
        return faults.Subject(kind, self._scene.places.station_of_edge[edge].id)
