"""Tables of the ingest: how far each edge's chain is stored, and rows that ran ahead of it."""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table

from central.store.schema import metadata

edge_cursor = Table(
    "edge_cursor",
    metadata,
    Column("edge", String(32), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

live_row = Table(
    "live_row",
    metadata,
    Column("edge", String(32), primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("row", LargeBinary, nullable=False),
    Column("alert_id", BigInteger),
    Column("forked", Boolean, nullable=False),
    Column("skipped", Boolean, nullable=False),
)
"""Rows of the live lane (链待核) until the log brings the same. What it contradicted (`forked`), or a person
skipped with a part of the log (`skipped`), stays as evidence.
"""
