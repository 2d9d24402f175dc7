"""Tables: the sync log, written for support staff."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.columns import Instant

Fields = list[tuple[str, Any, Any]]
"""Changed fields: the name, what it was, what it is. Nothing was or is there: None."""


class SyncRunRow(SQLModel, table=True):
    """One reading of one ledger, with all that support staff need to know about it."""

    __tablename__ = "sync_runs"
    __table_args__ = (Index("ix_sync_runs_organisation", "organisation_id", "started_at"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    connection_id: int = Field(foreign_key="connections.id")
    trigger: str
    state: str = "running"
    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    cursor_before: dict[str, str] | None = Field(default=None, sa_type=JSON)
    cursor_after: dict[str, str] | None = Field(default=None, sa_type=JSON)
    calls: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    call_count: int = 0
    bytes: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    set_aside: int = 0
    gone: int = 0
    left_out: int = 0
    """Changed rows beyond the most that are kept field by field."""
    accounts_touched: int = 0
    waits: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    """What was waited for: why, from when, until when."""
    goes_on_at: datetime | None = Field(default=None, sa_type=Instant)
    brake: str = ""
    """Why this reading stopped sending, if it did."""
    error: str = ""
    next_act: str = ""


class CallsRow(SQLModel, table=True):
    """The calls that one connection has made lately, so that a restart does not forget them; see `jobs.budgets`."""

    __tablename__ = "calls"

    connection_id: int = Field(foreign_key="connections.id", primary_key=True)
    spent: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class RingRow(SQLModel, table=True):
    """A provider's word that something changed. Stored once, and taken up by the next reading of that ledger."""

    __tablename__ = "rings"
    __table_args__ = (UniqueConstraint("kind", "event_id"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    event_id: str
    connection_id: int = Field(foreign_key="connections.id", index=True)
    list: str = ""
    ledger_id: str = ""
    rung_at: datetime | None = Field(default=None, sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    tried_at: datetime | None = Field(default=None, sa_type=Instant)
    taken_at: datetime | None = Field(default=None, sa_type=Instant)


class SetAsideRow(SQLModel, table=True):
    """A ledger row that could not be read, kept raw with the reason."""

    __tablename__ = "set_aside"

    id: int | None = Field(default=None, primary_key=True)
    sync_run_id: int = Field(foreign_key="sync_runs.id", index=True)
    list: str
    ledger_id: str
    reason: str
    raw: str = Field(sa_type=Text)


class ChangeRow(SQLModel, table=True):
    """What one sync run changed about one document, an account, or where an account stands.

    `list`: accounts, invoices, credits or positions; `what`: new, changed or gone. `fields` are [name, old, new], with
    amounts and dates as text. It came with one of the run's calls `first_call` to `last_call` (from 1; 0: with none).
    """

    __tablename__ = "sync_changes"
    __table_args__ = (Index("ix_sync_changes_document", "organisation_id", "list", "ledger_id"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    sync_run_id: int = Field(foreign_key="sync_runs.id", index=True)
    at: datetime = Field(sa_type=Instant, index=True)
    list: str
    ledger_id: str
    account_id: int | None = None
    what: str = "changed"
    first_call: int = 0
    last_call: int = 0
    fields: Fields = Field(sa_type=JSON)
