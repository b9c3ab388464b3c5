"""Tables that every part shares. Each domain declares its own on this `metadata`, in its own schema.py.

What a released migration made is never edited: a change of a table is a new file in migrations/versions/.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

metadata = MetaData()

Id = BigInteger().with_variant(Integer, "sqlite")
"""A counted id. SQLite counts only in a column that is called INTEGER; its integers have 64 bits anyway."""

store_identity = Table(
    "store_identity",
    metadata,
    Column("epoch", String(36), primary_key=True),
)

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edge", String(32), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("point", String(64)),
    Column("received_ms", BigInteger, nullable=False),
    Column("row", LargeBinary, nullable=False),
    Unique("edge", "epoch", "seq", name="event_identity"),
    Index("event_by_point", "point", "id"),
)
"""Append-only. `row`: the bytes that were hashed."""

board_change = Table(
    "board_change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("entity", LargeBinary, nullable=False),
    Column("cause", LargeBinary),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Column("object", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
"""Append-only."""
