"""A journal that began anew (a new box, a lost file) is taken only when a person says so."""

from central.errors import Refused
from central.ingest import cursors
from central.ingest.admission import beginning
from central.store import audit, events
from central.store.database import Transaction


def readmit(tx: Transaction, edge: str, epoch: int, who: str, now_ms: int) -> None:
    """From now on the edge's rows are those of `epoch`, from its first. Rows of earlier epochs stay.

    Raises Refused for an epoch that was here before: its chain cannot be begun again.
    """
    cursor = cursors.read(tx.conn, edge)
    if cursor is None:
        raise Refused("readmission.not_needed", f"{edge} was never here: its first epoch is taken by itself")
    if cursor.epoch == epoch or events.hash_of(tx.conn, edge, epoch, 1):
        raise Refused("readmission.known_epoch", f"epoch {epoch} of {edge} is stored already")
    cursors.keep(tx.conn, edge, beginning(edge, epoch))
    audit.record(
        tx.conn,
        who=who,
        what="edge.readmitted",
        object_id=edge,
        at_ms=now_ms,
        detail={"epoch": epoch, "was": cursor.epoch, "was_seq": cursor.seq, "was_hash": cursor.hash},
    )
