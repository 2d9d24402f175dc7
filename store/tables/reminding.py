"""Tables: where each account stands, what is to be sent and was sent, what holds it, and the history of it all."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.columns import Instant


class PositionRow(SQLModel, table=True):
    """The last decision about an account. `because` was true on `as_of`; the engine says it anew for any other day.

    `path` holds the links that the account came over, as JSON. Before `look_again_on` nothing can change by itself.
    """

    __tablename__ = "positions"
    __table_args__ = (Index("ix_positions_organisation_state", "organisation_id", "state"),)

    account_id: int = Field(foreign_key="accounts.id", primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    workflow_id: int = Field(foreign_key="workflows.id")
    state: str
    because: str
    as_of: date
    assigned_step: str | None = None
    next_step: str | None = None
    next_due_on: date | None = None
    driver_id: int | None = None
    held_because: str = ""
    cycle: int = 0
    last_reminded_on: date | None = None
    anchor: date | None = None
    run_driver_id: int | None = None
    driver_due_on: date | None = None
    done: str | None = None
    done_day: int = 0
    repeats: int = 0
    last_heard_on: date | None = None
    last_step_on: date | None = None
    performed: bool = False
    by_hand: bool = False
    ended: bool = False
    path: str = ""
    look_again_on: date | None = None
    decided_at: datetime = Field(sa_type=Instant)


class InvoiceWalkRow(SQLModel, table=True):
    """Where one invoice stands on a workflow of kind invoice, on which each of them walks alone."""

    __tablename__ = "invoice_walks"

    invoice_id: int = Field(foreign_key="invoices.id", primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", index=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    workflow_id: int = Field(foreign_key="workflows.id")
    cycle: int
    anchor: date
    driver_due_on: date
    done: str | None = None
    done_day: int = 0
    repeats: int = 0
    last_heard_on: date | None = None
    performed: bool = False
    ended: bool = False


class AssignmentRow(SQLModel, table=True):
    """A person's word that an account begins anew, on this workflow or on its default. Taken by the next look."""

    __tablename__ = "assignments"

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id", index=True)
    workflow_id: int | None = Field(default=None, foreign_key="workflows.id")
    step_id: str | None = None
    by_hand: bool = True
    by: str = ""
    at: datetime = Field(sa_type=Instant)
    taken_at: datetime | None = Field(default=None, sa_type=Instant)


class GroundRow(SQLModel, table=True):
    """What held for every account of an organisation when decisions were made: rules, workflows and pause, as JSON.

    Only added to: one is in force from `used_from` until the next one is.
    """

    __tablename__ = "grounds"

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    fingerprint: str
    content: str = Field(sa_type=Text)
    used_from: datetime = Field(sa_type=Instant)


class DecisionRow(SQLModel, table=True):
    """One decision with everything it was made from, as JSON, so that it can be made again. Only added to."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_account_as_of", "account_id", "as_of"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id")
    ground_id: int = Field(foreign_key="grounds.id")
    as_of: date
    at: datetime = Field(sa_type=Instant)
    facts: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)


class ReminderRow(SQLModel, table=True):
    """One thing to send to one account. The unique key makes the same step of the same cycle impossible to queue twice.

    `invoice_id` is 0 for a reminder of the whole account. `claimed_until` fences the worker that is looking at it;
    `counted` says that the position has taken it in.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("account_id", "cycle", "step_id", "invoice_id", name="uq_reminders_key"),
        Index("ix_reminders_state", "organisation_id", "state", "send_after"),
    )

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id", index=True)
    cycle: int
    step_id: str
    invoice_id: int = 0
    step_name: str
    workflow_id: int = Field(foreign_key="workflows.id")
    channel: str
    state: str = "queued"
    due_on: date
    send_after: datetime = Field(sa_type=Instant)
    held_because: str = ""
    why: str = ""
    approved_at: datetime | None = Field(default=None, sa_type=Instant)
    approved_by: str = ""
    snoozed_until: datetime | None = Field(default=None, sa_type=Instant)
    """A person has put the call off until then; before that it is on nobody's list."""
    snoozed_by: str = ""
    by_machine: bool = False
    """A person has let a machine make this call; see `jobs.voice`."""
    attempts: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_type=Instant)
    claim: str = ""
    claimed_until: datetime | None = Field(default=None, sa_type=Instant)
    performed_on: date | None = None
    heard: bool = True
    counted: bool = False
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    queued_at: datetime = Field(sa_type=Instant)


class MessageRow(SQLModel, table=True):
    """A reminder put into words and addressed, exactly as it was handed to the channel. Its id is the attempt."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_organisation_created", "organisation_id", "created_at"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id", index=True)
    reminder_id: int = Field(foreign_key="reminders.id", index=True)
    message_id: str = Field(default="", index=True)
    channel: str = "email"
    to: str = ""
    to_name: str = ""
    cc: list[str] = Field(default_factory=list, sa_type=JSON)
    left_out: list[str] = Field(default_factory=list, sa_type=JSON)
    """Who would have got it and did not, because the address is stopped: a sentence for each."""
    reply_to: str = ""
    subject: str = ""
    text: str = Field(default="", sa_type=Text)
    html: str = Field(default="", sa_type=Text)
    invoices: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    segments: int = 0
    """How many segments a text message takes; 0 for what is none."""
    attached: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    """The files that went with it: name, size in bytes and SHA-256 of each."""
    body_hash: str = ""
    created_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    provider_id: str = ""
    outcome: str = ""
    delivery: str = ""
    """The furthest that the provider has told of it: accepted, deferred, delivered, failed …"""
    delivery_at: datetime | None = Field(default=None, sa_type=Instant)
    delivery_why: str = ""
    seen_as: str = Field(default="", index=True)
    """The Message-ID that the debtor's mail programme has seen, where the provider chose another than ours."""
    diverted_to: str = ""
    """Where it really went, while messages are sent to ourselves instead; `shadow` when nothing left at all."""
    evidence_tries: int = 0
    evidence_next_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the provider is next asked whether it took a message whose fate nobody knows."""


class HoldRow(SQLModel, table=True):
    """A reason not to send now: who said so, since when, until when, and why. Lifted, never deleted."""

    __tablename__ = "holds"

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id", index=True)
    invoice_id: int | None = Field(default=None, foreign_key="invoices.id")
    reply_id: int | None = Field(default=None, foreign_key="replies.id")
    kind: str
    since: date
    until: date | None = None
    why: str = ""
    by: str = ""
    lifted_at: datetime | None = Field(default=None, sa_type=Instant)
    lifted_by: str = ""


class HistoryNoteRow(SQLModel, table=True):
    """One line of what happened and why. Never edited or deleted."""

    __tablename__ = "history_notes"
    __table_args__ = (Index("ix_history_notes_account_at", "account_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id")
    invoice_id: int | None = Field(default=None, foreign_key="invoices.id")
    reminder_id: int | None = Field(default=None, foreign_key="reminders.id")
    reply_id: int | None = Field(default=None, foreign_key="replies.id")
    at: datetime = Field(sa_type=Instant)
    kind: str
    text: str = Field(sa_type=Text)
    by: str = ""


class WriteBackRow(SQLModel, table=True):
    """A history note on its way into the ledger. Notes that travel in one call share its `key`."""

    __tablename__ = "write_backs"
    __table_args__ = (Index("ix_write_backs_state", "organisation_id", "state"),)

    note_id: int = Field(foreign_key="history_notes.id", primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id")
    state: str = "waiting"
    key: str = ""
    attempts: int = 0
    first_tried_at: datetime | None = Field(default=None, sa_type=Instant)
    next_attempt_at: datetime | None = Field(default=None, sa_type=Instant)
    written_at: datetime | None = Field(default=None, sa_type=Instant)
    why: str = ""


class TaskRow(SQLModel, table=True):
    """Something that needs a person. `key` keeps the same matter from being opened twice."""

    __tablename__ = "tasks"
    __table_args__ = (UniqueConstraint("organisation_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int | None = Field(default=None, foreign_key="accounts.id")
    key: str
    kind: str
    text: str
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    closed_by: str = ""
