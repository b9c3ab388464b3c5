"""Of which journal an edge's newest birth is, and its settings then; live rows that no log will bring."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for table, column, kind, default in (
        ("edge_link", "epoch", sa.BigInteger, "0"),
        ("edge_link", "config", sa.String(64), "''"),
        ("live_row", "skipped", sa.Boolean, "false"),
    ):
        op.add_column(table, sa.Column(column, kind, nullable=False, server_default=sa.text(default)))
    op.execute(
        "UPDATE edge_link SET epoch = "
        "(SELECT epoch FROM edge_cursor WHERE edge_cursor.edge = edge_link.edge) "
        "WHERE edge IN (SELECT edge FROM edge_cursor)"
    )
