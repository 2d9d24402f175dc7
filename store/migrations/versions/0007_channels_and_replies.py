"""What providers tell of messages, what replies say, addresses that are stopped, calls, and how sending is held back.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _messages()
    _replies()
    _organisations()
    _calls_that_wait()
    _address_stops()
    _calls()
    _voice_consents()


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False, server_default="")


def _count(name: str, value: int = 0) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=str(value))


def _messages() -> None:
    op.add_column("messages", _text("delivery"))
    op.add_column("messages", sa.Column("delivery_at", Instant(), nullable=True))
    op.add_column("messages", _text("delivery_why"))
    op.add_column("messages", _text("seen_as"))
    op.create_index("ix_messages_seen_as", "messages", ["seen_as"])
    op.add_column("messages", _text("diverted_to"))
    op.add_column("messages", _count("evidence_tries"))
    op.add_column("messages", sa.Column("evidence_next_at", Instant(), nullable=True))
    op.add_column("messages", _count("segments"))
    op.add_column("messages", sa.Column("left_out", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("messages", sa.Column("attached", sa.JSON(), nullable=False, server_default="[]"))
    op.create_index("ix_messages_organisation_created", "messages", ["organisation_id", "created_at"])


def _replies() -> None:
    op.add_column("replies", _text("recipient"))
    op.add_column("replies", sa.Column("html", sa.Text(), nullable=False, server_default=""))
    op.add_column("replies", sa.Column("attachments", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("replies", sa.Column("suggestions", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("replies", _text("authentic"))
    op.add_column("replies", sa.Column("stranger", sa.Boolean(), nullable=False, server_default=sa.false()))


def _organisations() -> None:
    op.add_column("organisations", sa.Column("sending_mode", sa.String(), nullable=False, server_default="live"))
    op.add_column("organisations", _text("sending_to"))
    op.add_column("organisations", _text("sending_to_number"))
    op.add_column("organisations", sa.Column("tried_out_since", Instant(), nullable=True))
    op.add_column("organisations", _count("most_a_run", 200))
    op.add_column("organisations", _count("most_a_day"))
    op.add_column("organisations", _count("first_contacts_a_day"))
    op.add_column("organisations", sa.Column("capped_at", Instant(), nullable=True))
    op.add_column("organisations", _text("capped_why"))
    op.add_column("organisations", sa.Column("cap_released_at", Instant(), nullable=True))
    op.add_column("organisations", _count("cap_released_for"))
    op.add_column("organisations", sa.Column("voice_countries", sa.JSON(), nullable=False, server_default="[]"))


def _calls_that_wait() -> None:
    op.add_column("users", _text("phone"))
    op.add_column("reminders", sa.Column("snoozed_until", Instant(), nullable=True))
    op.add_column("reminders", _text("snoozed_by"))
    op.add_column("reminders", sa.Column("by_machine", sa.Boolean(), nullable=False, server_default=sa.false()))


def _address_stops() -> None:
    op.create_table(
        "address_stops",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("medium", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reply_id", sa.Integer(), sa.ForeignKey("replies.id"), nullable=True),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("messages.id"), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.Column("lifted_by", sa.String(), nullable=False),
        sa.Column("lifted_why", sa.String(), nullable=False),
    )
    op.create_index("ix_address_stops_address", "address_stops", ["organisation_id", "medium", "address"])


def _calls() -> None:
    op.create_table(
        "phone_calls",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("reminder_id", sa.Integer(), sa.ForeignKey("reminders.id"), nullable=True),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("messages.id"), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("nevertheless", sa.String(), nullable=False),
        sa.Column("by_machine", sa.Boolean(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("reached_at", Instant(), nullable=True),
        sa.Column("counted_on", sa.Date(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("conversation", sa.Boolean(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
    )
    op.create_index("ix_phone_calls_organisation_id", "phone_calls", ["organisation_id"])
    op.create_index("ix_phone_calls_reminder_id", "phone_calls", ["reminder_id"])
    op.create_index("ix_phone_calls_account_begun", "phone_calls", ["account_id", "begun_at"])


def _voice_consents() -> None:
    op.create_table(
        "voice_consents",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=False),
    )
    op.create_index("ix_voice_consents_organisation_id", "voice_consents", ["organisation_id"])
    op.create_index("ix_voice_consents_account_id", "voice_consents", ["account_id"])
