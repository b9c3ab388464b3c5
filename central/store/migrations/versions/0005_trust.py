"""Keys of the edges, their checkpoints and last words, commands, maintenance, and who opened the store."""

import sqlalchemy as sa
from alembic import op

from central.store.schema import Id

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "edge_key",
        sa.Column("id", Id, primary_key=True),
        sa.Column("edge", sa.String(32), nullable=False),
        sa.Column("public", sa.String(64), nullable=False, unique=True),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("superseded_ms", sa.BigInteger),
        sa.Column("revoked_ms", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Index("edge_key_of", "edge"),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("edge", sa.String(32), nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("used_ms", sa.BigInteger),
    )
    op.create_table(
        "checkpoint",
        sa.Column("edge", sa.String(32), primary_key=True),
        sa.Column("epoch", sa.BigInteger, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("sig", sa.String(128), nullable=False),
        sa.Column("public", sa.String(64), nullable=False),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "edge_witness",
        sa.Column("edge", sa.String(32), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("session", sa.BigInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("instance", sa.String(32), nullable=False),
        sa.Column("former", sa.String(32), nullable=False),
        sa.Column("former_session", sa.BigInteger, nullable=False),
        sa.Column("former_n", sa.BigInteger, nullable=False),
        sa.Column("returns", sa.Integer, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("receipted", sa.BigInteger, nullable=False),
        sa.Column("base", sa.BigInteger, nullable=False),
        sa.Column("base_hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "maintenance",
        sa.Column("id", Id, primary_key=True),
        sa.Column("edge", sa.String(32), nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Index("maintenance_of", "edge"),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("edge", sa.String(32), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("point", sa.String(64)),
        sa.Column("args", sa.Text, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sent_ms", sa.BigInteger),
        sa.Column("session", sa.BigInteger),
        sa.Column("beat", sa.BigInteger),
        sa.Column("result_ms", sa.BigInteger),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Index("command_of", "edge", "state"),
    )
    op.create_table(
        "store_opening",
        sa.Column("id", Id, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("instance", sa.String(36), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
    )
