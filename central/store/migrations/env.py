"""Alembic's entry: migrates on the connection that central/store/upgrade.py hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
