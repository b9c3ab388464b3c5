"""The edges' signed batch headers, kept as evidence: whoever rewrites a chain needs the edge's key.

Of each edge the newest is kept, and of the older ones one each CHECKPOINT_EVERY_ROWS.
"""

from sqlalchemy import Connection, delete, insert, select

from central.trust.schema import checkpoint
from contract.limits import CHECKPOINT_EVERY_ROWS
from contract.messages import Batch
from contract.signing import signed_text


def keep(conn: Connection, batch: Batch, public: str, now_ms: int) -> None:
    """The header of a batch that was just stored, signed by the key `public`."""
    mine = (checkpoint.c.edge == batch.edge, checkpoint.c.epoch == batch.epoch)
    newest = select(checkpoint.c.seq).where(*mine).order_by(checkpoint.c.seq.desc()).limit(2)
    kept = list(conn.scalars(newest))
    if kept and batch.last <= kept[0]:
        return
    conn.execute(
        insert(checkpoint).values(
            edge=batch.edge,
            epoch=batch.epoch,
            seq=batch.last,
            hash=batch.head,
            text=signed_text(batch),
            sig=batch.sig,
            public=public,
            received_ms=now_ms,
        )
    )
    if len(kept) == 2 and batch.last - kept[1] <= CHECKPOINT_EVERY_ROWS:
        conn.execute(delete(checkpoint).where(*mine, checkpoint.c.seq == kept[0]))
