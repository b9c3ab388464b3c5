"""Brings a store's tables to this release's form, by Alembic, within the transaction it is given."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from central.errors import NewerSchema

MIGRATIONS = Path(__file__).parent / "migrations"


def to_newest(conn: Connection) -> None:
    """All or nothing. Raises NewerSchema where a later release was here before."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = conn
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(conn).get_current_heads()
    if newer := set(found) - known:
        raise NewerSchema(f"the store has schema {', '.join(newer)}, made by a later release than this one")
    command.upgrade(config, "head")
