"""Alembic's entry: the connection is handed in by `Database.migrate`, or by a developer's `alembic` command line."""

from typing import Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import store.tables

assert store.tables
connection = context.config.attributes["connection"]


def _plain(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Plain strings are written as such, so that a migration needs nothing but SQLAlchemy and our own columns."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=_plain,
)
with context.begin_transaction():
    context.run_migrations()
