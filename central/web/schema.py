"""The table of paint receipts: when which board really showed what."""

from sqlalchemy import BigInteger, Column, String, Table

from central.store.schema import Id, metadata

paint_receipt = Table(
    "paint_receipt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("console", String(64), nullable=False),
    Column("user", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
"""`seq`: a board change, seen on this console by `at_ms`. The newest `KEPT` are kept."""
