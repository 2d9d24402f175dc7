"""What stands on a letter besides its words: the firm's colour, logo and addresses; and by which layout a step goes.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SAID = (
    *("accent", "registration", "phone", "mobile", "direct_phone", "contact_email", "website"),
    *("postal_address", "street_address", "pay_details", "small_print"),
)


def upgrade() -> None:
    for name in _SAID:
        op.add_column("organisations", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.create_table(
        "logos",
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
    )
    op.add_column("steps", sa.Column("layout", sa.String(), nullable=False, server_default="email"))
    op.add_column("steps", sa.Column("attach_statement", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("steps", sa.Column("cc", sa.JSON(), nullable=False, server_default="[]"))
