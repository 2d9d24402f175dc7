"""Both ledgers: calls counted, rings kept, checks remembered, a brake on sending, branches billed with a head office.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import store.columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EMPTY = sa.text("''")


def upgrade() -> None:
    instant = store.columns.Instant(timezone=True)
    op.add_column("organisations", sa.Column("braked_at", instant, nullable=True))
    op.add_column("organisations", sa.Column("braked_why", sa.String(), nullable=False, server_default=_EMPTY))
    op.add_column("connections", sa.Column("checked_at", instant, nullable=True))
    op.add_column("connections", sa.Column("check_tried_at", instant, nullable=True))
    op.add_column("connections", sa.Column("last_rung_at", instant, nullable=True))
    op.add_column("sync_runs", sa.Column("waits", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("sync_runs", sa.Column("goes_on_at", instant, nullable=True))
    op.add_column("sync_runs", sa.Column("brake", sa.String(), nullable=False, server_default=_EMPTY))
    op.add_column("accounts", sa.Column("billed_with", sa.String(), nullable=True))
    billed = sa.text("billed_with IS NOT NULL")
    op.create_index(
        "ix_accounts_billed_with", "accounts", ["organisation_id"], sqlite_where=billed, postgresql_where=billed
    )
    for documents in ("invoices", "credits"):
        with op.batch_alter_table(documents) as table:
            table.add_column(sa.Column("billed_for", sa.Integer(), nullable=True))
            table.create_foreign_key(f"fk_{documents}_billed_for", "accounts", ["billed_for"], ["id"])
    branch = sa.text("billed_for IS NOT NULL")
    op.create_index("ix_invoices_billed_for", "invoices", ["billed_for"], sqlite_where=branch, postgresql_where=branch)
    op.create_table(
        "calls",
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), primary_key=True),
        sa.Column("spent", sa.JSON(), nullable=False),
    )
    op.create_table(
        "rings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("list", sa.String(), nullable=False),
        sa.Column("ledger_id", sa.String(), nullable=False),
        sa.Column("rung_at", instant, nullable=True),
        sa.Column("received_at", instant, nullable=False),
        sa.Column("tried_at", instant, nullable=True),
        sa.Column("taken_at", instant, nullable=True),
        sa.UniqueConstraint("kind", "event_id"),
    )
    op.create_index("ix_rings_connection_id", "rings", ["connection_id"])
