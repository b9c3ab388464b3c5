"""At most one live session a room, by the database's own word."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

LIVE = sa.text("ended_ms IS NULL")


def upgrade() -> None:
    op.execute(
        "UPDATE room_session SET ended_ms = activity_ms WHERE ended_ms IS NULL AND EXISTS "
        "(SELECT 1 FROM room_session AS newer WHERE newer.room = room_session.room "
        "AND newer.ended_ms IS NULL AND newer.id > room_session.id)"
    )
    op.drop_index("room_session_live", "room_session")
    op.create_index(
        "room_session_live",
        "room_session",
        ["room"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
