"""Every rule: linked workflows, steps of single invoices, assignments, decisions kept with what they were made from.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

import store.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NO, _YES, _ZERO, _EMPTY = sa.false(), sa.true(), sa.text("0"), sa.text("''")


def upgrade() -> None:
    with op.batch_alter_table("organisations") as table:
        table.add_column(sa.Column("after_move_back", sa.String(), nullable=False, server_default="wait"))
        table.add_column(sa.Column("first_contact", sa.String(), nullable=False, server_default="beginning"))
        table.add_column(sa.Column("return_over_link", sa.Boolean(), nullable=False, server_default=_YES))
        table.add_column(sa.Column("pause_when_in_credit", sa.Boolean(), nullable=False, server_default=_NO))
        table.add_column(sa.Column("country", sa.String(), nullable=False, server_default=_EMPTY))
        table.add_column(sa.Column("holiday_calendar", sa.String(), nullable=False, server_default=_EMPTY))
        table.add_column(sa.Column("contact_rules", sa.String(), nullable=False, server_default=_EMPTY))
        table.add_column(sa.Column("recalculated_ground", sa.Integer(), nullable=True))
    with op.batch_alter_table("workflows") as table:
        table.add_column(sa.Column("link_workflow_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("link_after_days", sa.Integer(), nullable=False, server_default=_ZERO))
        table.add_column(sa.Column("repeat_every", sa.Integer(), nullable=False, server_default=_ZERO))
    with op.batch_alter_table("accounts") as table:
        table.add_column(sa.Column("time_zone", sa.String(), nullable=False, server_default=_EMPTY))
    with op.batch_alter_table("positions") as table:
        table.add_column(sa.Column("repeats", sa.Integer(), nullable=False, server_default=_ZERO))
        table.add_column(sa.Column("last_step_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("performed", sa.Boolean(), nullable=False, server_default=_NO))
        table.add_column(sa.Column("by_hand", sa.Boolean(), nullable=False, server_default=_NO))
        table.add_column(sa.Column("ended", sa.Boolean(), nullable=False, server_default=_NO))
        table.add_column(sa.Column("path", sa.String(), nullable=False, server_default=_EMPTY))
        table.add_column(sa.Column("look_again_on", sa.Date(), nullable=True))
    # What was done before counts as performed; whoever stood at the end stays there.
    op.execute(
        "UPDATE positions SET performed = (done IS NOT NULL OR (anchor IS NOT NULL AND last_heard_on IS NOT NULL))"
    )
    op.execute("UPDATE positions SET last_step_on = last_reminded_on")
    op.execute(sa.text("UPDATE positions SET ended = :yes WHERE state = 'idle'").bindparams(yes=True))
    _key_of_reminders()
    _tables()
    asked = ["account_id", "status", "due_on", "balance", "number", "currency", "organisation_id"]
    still_open = sa.text("status = 'open' AND balance > 0")
    op.create_index("ix_invoices_open", "invoices", asked, sqlite_where=still_open, postgresql_where=still_open)


def _key_of_reminders() -> None:
    """The key of a reminder gains the invoice; SQLite cannot change a constraint, so its table is made anew."""
    column = sa.Column("invoice_id", sa.Integer(), nullable=False, server_default=_ZERO)
    if op.get_bind().dialect.name != "sqlite":
        op.add_column("reminders", column)
        op.drop_constraint("reminders_account_id_cycle_step_id_key", "reminders", type_="unique")
        op.create_unique_constraint("uq_reminders_key", "reminders", ["account_id", "cycle", "step_id", "invoice_id"])
        return
    conventions = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}
    with op.batch_alter_table("reminders", naming_convention=conventions) as table:
        table.add_column(column)
        table.drop_constraint("uq_reminders_account_id_cycle_step_id", type_="unique")
        table.create_unique_constraint("uq_reminders_key", ["account_id", "cycle", "step_id", "invoice_id"])


def _tables() -> None:
    instant = store.columns.Instant(timezone=True)
    op.create_table(
        "invoice_walks",
        sa.Column("invoice_id", sa.Integer(), sa.ForeignKey("invoices.id"), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("workflow_id", sa.Integer(), sa.ForeignKey("workflows.id"), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("anchor", sa.Date(), nullable=False),
        sa.Column("driver_due_on", sa.Date(), nullable=False),
        sa.Column("done", sa.String(), nullable=True),
        sa.Column("done_day", sa.Integer(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("last_heard_on", sa.Date(), nullable=True),
        sa.Column("performed", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_invoice_walks_account_id", "invoice_walks", ["account_id"])
    op.create_table(
        "assignments",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("workflow_id", sa.Integer(), sa.ForeignKey("workflows.id"), nullable=True),
        sa.Column("step_id", sa.String(), nullable=True),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("taken_at", instant, nullable=True),
    )
    op.create_index("ix_assignments_account_id", "assignments", ["account_id"])
    op.create_table(
        "grounds",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("used_from", instant, nullable=False),
    )
    op.create_index("ix_grounds_organisation_id", "grounds", ["organisation_id"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("ground_id", sa.Integer(), sa.ForeignKey("grounds.id"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
    )
    op.create_index("ix_decisions_account_as_of", "decisions", ["account_id", "as_of"])
