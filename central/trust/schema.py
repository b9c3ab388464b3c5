"""Tables of the trust: keys and codes of the edges, and the last word of each."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from central.store.schema import Id, metadata

edge_key = Table(
    "edge_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edge", String(32), nullable=False),
    Column("public", String(64), nullable=False, unique=True),
    Column("certificate", Text, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("superseded_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("reason", Text, nullable=False),
    Index("edge_key_of", "edge"),
)
"""Every key that ever spoke for an edge; none is deleted, because what it signed stays evidence."""

enrolment_code = Table(
    "enrolment_code",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("edge", String(32), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("edge", String(32), primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("sig", String(128), nullable=False),
    Column("public", String(64), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)
"""Signed batch headers: `text` is what `sig` covers. The newest of each edge, and one each 64 rows."""

edge_witness = Table(
    "edge_witness",
    metadata,
    Column("edge", String(32), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("session", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("instance", String(32), nullable=False),
    Column("former", String(32), nullable=False),
    Column("former_session", BigInteger, nullable=False),
    Column("former_n", BigInteger, nullable=False),
    Column("returns", Integer, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("receipted", BigInteger, nullable=False),
    Column("base", BigInteger, nullable=False),
    Column("base_hash", String(64), nullable=False),
)
"""The newest that an edge has said. `former`: the process before; if it speaks again there are two."""

store_opening = Table(
    "store_opening",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("instance", String(36), nullable=False),
    Column("reason", String(16), nullable=False),
)
"""`start` or `restore`: a store that goes on from an older copy of itself shows it here."""
