"""Tables of the patrol. `alert_event` and `review` are append-only; `alert` is what they add up to."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from central.store.schema import Id, metadata

WAITING = text("state <> 'REVIEWED'")
LIVE = text("ended_ms IS NULL")
"""Few rows among very many: these have an index of their own."""

edge_link = Table(
    "edge_link",
    metadata,
    Column("edge", String(32), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("session", BigInteger, nullable=False),
    Column("queued", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("told_seq", BigInteger, nullable=False),
    Column("in_maintenance", Boolean, nullable=False),
    Column("clock_run", Integer, nullable=False),
    Column("clock_counted_ms", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("config", String(64), nullable=False),
)

point_state = Table(
    "point_state",
    metadata,
    Column("edge", String(32), primary_key=True),
    Column("point", String(64), primary_key=True),
    Column("value", String(32), nullable=False),
    Column("quality", String(16), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("simulated", Boolean, nullable=False),
)
"""A point as of the row (epoch, seq) of its edge's journal: an older row never moves it."""

room_session = Table(
    "room_session",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("station", String(32), nullable=False),
    Column("room", String(64), nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("activity_ms", BigInteger, nullable=False),
    Column("opens", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("max_at_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Index("room_session_live", "room", unique=True, sqlite_where=LIVE, postgresql_where=LIVE),
    Index("room_session_due", "due_ms", sqlite_where=LIVE, postgresql_where=LIVE),
)

alert = Table(
    "alert",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", ForeignKey("room_session.id"), nullable=False, unique=True),
    Column("station", String(32), nullable=False),
    Column("room", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("level", Integer, nullable=False),
    Column("edge_ms", BigInteger, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("late_ms", BigInteger, nullable=False),
    Column("cond", String(8), nullable=False),
    Column("owner_id", String(64)),
    Column("owner_name", String(64)),
    Column("claimed_ms", BigInteger),
    Column("viewed_ms", BigInteger, nullable=False),
    Column("lapse_at_ms", BigInteger, nullable=False),
    Column("lapsed", Boolean, nullable=False),
    Column("result", String(16)),
    Column("rev", Integer, nullable=False),
    Column("chain_pending", Boolean, nullable=False),
    Index("alert_by_state", "state", "lapse_at_ms"),
    Index("alert_waiting", "room", sqlite_where=WAITING, postgresql_where=WAITING),
)

alert_event = Table(
    "alert_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("from_state", String(16)),
    Column("to_state", String(16), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action_id", String(64)),
    Column("edge_ms", BigInteger),
    Column("server_ms", BigInteger, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)

alert_act = Table(
    "alert_act",
    metadata,
    Column("action_id", String(64), primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("person", String(64), nullable=False),
    Column("act", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
)
"""What each `action_id` was answered, so that an act sent twice is done once."""

review = Table(
    "review",
    metadata,
    Column("id", Id, primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False, index=True),
    Column("station", String(32), nullable=False),
    Column("room", String(64), nullable=False, index=True),
    Column("reviewer_id", String(64), nullable=False),
    Column("reviewer_name", String(64), nullable=False),
    Column("live", Boolean, nullable=False),
    Column("viewed_ms", BigInteger, nullable=False),
    Column("result", String(16), nullable=False),
    Column("checklist", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("short_view_reason", Text),
    Column("edge_ms", BigInteger, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("claimed_ms", BigInteger, nullable=False),
    Column("reviewed_ms", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
)

fault = Table(
    "fault",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("station", String(32), nullable=False),
    Column("room", String(64)),
    Column("point", String(64)),
    Column("detail", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("cleared_ms", BigInteger),
    Column("settled_by", Text),
    Column("settled_reason", Text),
    Index("fault_open", "cleared_ms", "station", "kind"),
)
"""`settled_by`, `settled_reason`: of a fault that a person ended, at `cleared_ms`."""
