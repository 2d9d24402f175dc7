"""Used credits know the payment that used them, and both can be found by it.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

import store.columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_credits",
        sa.Column("invoice_id", sa.Integer(), sa.ForeignKey("invoices.id"), nullable=False),
        sa.Column("document_ledger_id", sa.String(), nullable=False),
        sa.Column("credit_ledger_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("amount", store.columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint("invoice_id", "document_ledger_id", "credit_ledger_id", name="pk_allocations"),
    )
    op.execute(
        'INSERT INTO used_credits (invoice_id, document_ledger_id, credit_ledger_id, kind, "on", amount) '
        "SELECT invoice_id, '', credit_ledger_id, kind, \"on\", amount FROM allocations"
    )
    op.drop_table("allocations")
    op.rename_table("used_credits", "allocations")
    op.create_index("ix_allocations_document_ledger_id", "allocations", ["document_ledger_id"])
    op.create_index("ix_payments_ledger_id", "payments", ["ledger_id"])
