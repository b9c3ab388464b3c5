"""The table of viewings: who looked into which room, when, for which alert, and how much was shown."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table

from central.store.schema import Id, metadata

viewing = Table(
    "viewing",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", String(64), nullable=False),
    Column("person_name", String(64), nullable=False),
    Column("room", String(64), nullable=False),
    Column("alert_id", ForeignKey("alert.id"), nullable=True, index=True),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("presented_ms", BigInteger, nullable=False),
    Index("viewing_by_room", "room", "id"),
)
"""Written before the first picture leaves. `until_ms` grows while it lasts, so no crash leaves it open."""
