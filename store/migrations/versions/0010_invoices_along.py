"""Whether the invoices themselves go with the email of a step, as the ledger prints them.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("steps", sa.Column("attach_invoices", sa.Boolean(), nullable=False, server_default=sa.false()))
