"""Who settled a fault and why; what an edge said of its own mode and clock; longer names of faults."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("fault", sa.Column("settled_by", sa.Text))
    op.add_column("fault", sa.Column("settled_reason", sa.Text))
    with op.batch_alter_table("fault") as table:
        table.alter_column("kind", existing_type=sa.String(16), type_=sa.String(32), existing_nullable=False)
    for name, kind, default in (
        ("told_seq", sa.BigInteger, "0"),
        ("in_maintenance", sa.Boolean, "false"),
        ("clock_run", sa.Integer, "0"),
        ("clock_counted_ms", sa.BigInteger, "0"),
    ):
        op.add_column("edge_link", sa.Column(name, kind, nullable=False, server_default=sa.text(default)))
