"""The day of the monthly statement, whether payments are thanked for, the words of both, and who gets no statement.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organisations", sa.Column("statement_day", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("organisations", sa.Column("statements_for", sa.Date(), nullable=True))
    op.add_column("organisations", sa.Column("thanks", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("organisations", sa.Column("thanks_since", Instant(), nullable=True))
    op.add_column("organisations", sa.Column("thanks_as_of", Instant(), nullable=True))
    op.add_column("accounts", sa.Column("no_statements_since", Instant(), nullable=True))
    op.add_column("accounts", sa.Column("no_statements_by", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "letters",
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
    )
