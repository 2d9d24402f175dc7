"""Links to online invoices as a choice, and expected payment dates on their way into the ledger.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

import store.columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = store.columns.Instant(timezone=True)
    for choice in ("link_invoices", "write_expected_dates"):
        op.add_column("organisations", sa.Column(choice, sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "expected_dates",
        sa.Column("invoice_id", sa.Integer(), sa.ForeignKey("invoices.id"), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("before", sa.Date(), nullable=True),
        sa.Column("written_on", sa.Date(), nullable=True),
        sa.Column("first_tried_at", instant, nullable=True),
        sa.Column("next_attempt_at", instant, nullable=True),
        sa.Column("why", sa.String(), nullable=False),
    )
    op.create_index("ix_expected_dates_state", "expected_dates", ["state"])
