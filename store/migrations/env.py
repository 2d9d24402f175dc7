"""Alembic's entry: the connection is handed in by `Database.migrate`, or by a developer's `alembic` command line."""

from alembic import context
from sqlmodel import SQLModel

import store.tables

assert store.tables
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
