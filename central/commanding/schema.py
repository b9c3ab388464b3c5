"""Tables of the commands that were given, and of the permissions to maintain."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from central.store.schema import Id, metadata

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edge", String(32), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("ended_ms", BigInteger),
    Index("maintenance_of", "edge"),
)

command = Table(
    "command",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("edge", String(32), nullable=False),
    Column("action", String(32), nullable=False),
    Column("point", String(64)),
    Column("args", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sent_ms", BigInteger),
    Column("session", BigInteger),
    Column("beat", BigInteger),
    Column("result_ms", BigInteger),
    Column("detail", Text, nullable=False),
    Index("command_of", "edge", "state"),
)
"""`state`: see `states`. `session` and `beat` are those it was first sent with; sent again it is as old."""
