"""Queries of the witness: what each edge said last."""

from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select, update

from central.trust.schema import edge_witness
from central.trust.witness import Witness


def read(conn: Connection, edge: str) -> Witness | None:
    row = conn.execute(select(edge_witness).where(edge_witness.c.edge == edge)).one_or_none()
    return Witness(**{name: getattr(row, name) for name in Witness.__struct_fields__}) if row else None


def keep(conn: Connection, edge: str, witness: Witness) -> None:
    values = asdict(witness)
    moved = conn.execute(update(edge_witness).where(edge_witness.c.edge == edge).values(values))
    if not moved.rowcount:
        conn.execute(insert(edge_witness).values(edge=edge, **values))


def forget(conn: Connection, edge: str) -> None:
    """What was heard of a journal that is over tells nothing of the next."""
    conn.execute(delete(edge_witness).where(edge_witness.c.edge == edge))


def watch_anew(conn: Connection, edge: str) -> None:
    """A person has looked into the two machines: what was counted against this edge is forgotten."""
    conn.execute(update(edge_witness).where(edge_witness.c.edge == edge).values(returns=0))
