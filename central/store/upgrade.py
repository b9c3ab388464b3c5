"""Brings a store's tables to this release's form, by Alembic, within the transaction it is given."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from central.errors import NewerSchema, OtherSchema

MIGRATIONS = Path(__file__).parent / "migrations"


def to_newest(conn: Connection) -> None:
    """All or nothing. Raises NewerSchema where a later release was here before."""
    config = _config()
    config.attributes["connection"] = conn
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(conn).get_current_heads()
    if newer := set(found) - known:
        raise NewerSchema(f"the store has schema {', '.join(newer)}, made by a later release than this one")
    command.upgrade(config, "head")


def check_newest(conn: Connection) -> None:
    """For who only reads. Raises OtherSchema where the tables are of another release than this one."""
    newest = ScriptDirectory.from_config(_config()).get_heads()
    found = MigrationContext.configure(conn).get_current_heads()
    if set(found) != set(newest):
        raise OtherSchema(
            f"the store has schema {', '.join(found) or 'none'}, this release {', '.join(newest)}: "
            "start the centre of this release on it once"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
