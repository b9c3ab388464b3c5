"""The newest beat of an edge: what the time of a command is counted from."""

from msgspec import Struct
from sqlalchemy import Connection, select

from central.patrol.schema import edge_link
from central.trust.schema import edge_witness


class NewestBeat(Struct, frozen=True):
    """A start of an edge, and the newest beat of it that came here."""

    session: int
    beat: int


def of(conn: Connection, edge: str) -> NewestBeat | None:
    """None for an edge that cannot be reached now, or has not beaten since it started."""
    query = (
        select(edge_witness.c.session, edge_witness.c.beat)
        .join(edge_link, edge_link.c.edge == edge_witness.c.edge)
        .where(edge_witness.c.edge == edge, edge_witness.c.beat > 0, edge_link.c.state == "online")
    )
    found = conn.execute(query).first()
    return NewestBeat(found.session, found.beat) if found else None
