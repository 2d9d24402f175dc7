"""What each sync run changed, field by field.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

import store.columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sync_runs") as table:
        table.add_column(sa.Column("gone", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("left_out", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "sync_changes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("sync_run_id", sa.Integer(), sa.ForeignKey("sync_runs.id"), nullable=False),
        sa.Column("at", store.columns.Instant(timezone=True), nullable=False),
        sa.Column("list", sa.String(), nullable=False),
        sa.Column("ledger_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("first_call", sa.Integer(), nullable=False),
        sa.Column("last_call", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
    )
    op.create_index("ix_sync_changes_sync_run_id", "sync_changes", ["sync_run_id"])
    op.create_index("ix_sync_changes_at", "sync_changes", ["at"])
    op.create_index("ix_sync_changes_document", "sync_changes", ["organisation_id", "list", "ledger_id"])
