"""Tables: what came in, raw first, and what it was understood to be."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.columns import Instant


class PostRow(SQLModel, table=True):
    """One post from outside, stored before anybody tries to understand it. Unique by the provider's own event id."""

    __tablename__ = "posts"
    __table_args__ = (UniqueConstraint("channel", "event_id"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    event_id: str
    received_at: datetime = Field(sa_type=Instant)
    raw: bytes = Field(sa_type=LargeBinary)
    processed_at: datetime | None = Field(default=None, sa_type=Instant, index=True)
    problem: str = ""
    attempts: int = 0


class ReplyRow(SQLModel, table=True):
    """What came back, read. `account_id` is empty while nobody knows whose it is; `candidates` says why."""

    __tablename__ = "replies"

    id: int | None = Field(default=None, primary_key=True)
    post_id: int = Field(foreign_key="posts.id", unique=True)
    organisation_id: int | None = Field(default=None, foreign_key="organisations.id", index=True)
    account_id: int | None = Field(default=None, foreign_key="accounts.id", index=True)
    reminder_id: int | None = Field(default=None, foreign_key="reminders.id")
    channel: str
    kind: str
    matched_by: str = ""
    candidates: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    sender: str = ""
    sender_name: str = ""
    subject: str = ""
    text: str = Field(default="", sa_type=Text)
    said: str = Field(default="", sa_type=Text)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    read_by: str = ""
    recipient: str = ""
    """Which of our numbers or mailboxes it came to."""
    html: str = Field(default="", sa_type=Text)
    """What an HTML mail shows, made harmless."""
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    """Name, type and size of each file; the files themselves stay in the raw post."""
    suggestions: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    """What the reply seems to say (a promise, a dispute …), for a person to confirm or to dismiss."""
    authentic: str = ""
    """What is known of whether the sender is who the mail says: a word of its mail servers, never proof."""
    stranger: bool = False
    """It has our signed address, or answers a mail of ours, and comes from nobody whom we know at this account."""


class BookmarkRow(SQLModel, table=True):
    """How far a mailbox has been collected."""

    __tablename__ = "bookmarks"

    name: str = Field(primary_key=True)
    value: str
