"""What is kept as evidence is not lost by mistake: keys, viewings, checkpoints, openings of the store.

A checkpoint may be thinned out once a newer one of its chain is there; the newest never goes.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

NEWER = (
    "SELECT 1 FROM checkpoint AS newer WHERE newer.edge = OLD.edge AND newer.epoch = OLD.epoch "
    "AND newer.seq > OLD.seq"
)
RULES = (
    ("edge_key", "DELETE", "", "is never removed"),
    ("viewing", "DELETE", "", "is never removed"),
    ("checkpoint", "UPDATE", "", "is append-only"),
    ("checkpoint", "DELETE", f"NOT EXISTS ({NEWER})", "keeps the newest of a chain"),
    ("store_opening", "UPDATE", "", "is append-only"),
    ("store_opening", "DELETE", "", "is append-only"),
)


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for table, verb, unless, words in RULES:
        name = f"{table}_no_{verb.lower()}"
        if is_sqlite:
            when = f"WHEN {unless} " if unless else ""
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {when}"
                f"BEGIN SELECT RAISE(ABORT, '{table} {words}'); END"
            )
            continue
        condition = f"IF {unless} THEN RAISE EXCEPTION '{table} {words}'; END IF; RETURN OLD;"
        body = condition if unless else f"RAISE EXCEPTION '{table} {words}';"
        op.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    if not is_sqlite:
        for table in dict.fromkeys(rule[0] for rule in RULES):
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
            )
