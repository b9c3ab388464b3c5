"""Breaks in an edge's chain that only a person may allow: a journal begun anew, and rows that are gone."""

from central.errors import Refused
from central.ingest import cursors
from central.ingest.admission import Cursor, beginning
from central.store import audit, events
from central.store.database import Transaction
from central.trust import witnesses


def readmit(tx: Transaction, edge: str, epoch: int, who: str, now_ms: int, *, reason: str) -> None:
    """From now on the edge's rows are those of `epoch`, from its first. Rows of earlier epochs stay.

    Raises Refused for an epoch that was here before: its chain cannot be begun again.
    """
    cursor = cursors.read(tx.conn, edge)
    if cursor is None:
        raise Refused("readmission.not_needed", f"{edge} was never here: its first epoch is taken by itself")
    if cursor.epoch == epoch or events.hash_of(tx.conn, edge, epoch, 1):
        raise Refused("readmission.known_epoch", f"epoch {epoch} of {edge} is stored already")
    cursors.keep(tx.conn, edge, beginning(edge, epoch))
    witnesses.forget(tx.conn, edge)
    audit.record(
        tx.conn,
        who=who,
        what="edge.readmitted",
        object_id=edge,
        at_ms=now_ms,
        reason=reason,
        detail={"epoch": epoch, "was": cursor.epoch, "was_seq": cursor.seq, "was_hash": cursor.hash},
    )


def skip_gone(tx: Transaction, edge: str, who: str, reason: str, now_ms: int) -> tuple[int, int]:
    """Go on behind rows that the edge has no more and the store never had. Returns the first and the last.

    The edge signed in its birth where its journal begins now; what is lost is written into the audit.
    Raises Refused where nothing is gone.
    """
    cursor, witness = cursors.read(tx.conn, edge), witnesses.read(tx.conn, edge)
    if cursor is None or witness is None or witness.epoch != cursor.epoch or witness.base <= cursor.seq:
        raise Refused("skip.nothing_gone", f"{edge} still has every row that follows the stored ones")
    cursors.keep(tx.conn, edge, Cursor(cursor.epoch, witness.base, witness.base_hash))
    audit.record(
        tx.conn,
        who=who,
        what="chain.skipped",
        object_id=edge,
        at_ms=now_ms,
        reason=reason,
        detail={
            "epoch": cursor.epoch,
            "first": cursor.seq + 1,
            "last": witness.base,
            "hash": witness.base_hash,
        },
    )
    return cursor.seq + 1, witness.base
