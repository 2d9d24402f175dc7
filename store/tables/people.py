"""Tables: who may sign in, to which organisations, and the consent dances under way."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from store.columns import Instant


class UserRow(SQLModel, table=True):
    """A login. The password is kept as an argon2 hash only."""

    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    name: str = ""
    password_hash: str
    phone: str = ""
    """The person's own telephone, in the form of E.164: the first to ring when they have a call put through."""
    created_at: datetime = Field(sa_type=Instant)
    failed_sign_ins: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=Instant)


class MembershipRow(SQLModel, table=True):
    """What a user may do for an organisation: owner, manager, agent or support."""

    __tablename__ = "memberships"

    user_id: int = Field(foreign_key="users.id", primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", primary_key=True)
    role: str = "owner"


class SessionRow(SQLModel, table=True):
    """A signed-in browser. Only a hash of its key is kept, so a copy of the database signs nobody in."""

    __tablename__ = "sessions"

    key_hash: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="users.id")
    csrf: str
    created_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    organisation_id: int | None = Field(default=None, foreign_key="organisations.id")


class ConsentRow(SQLModel, table=True):
    """A browser that was sent to a provider for consent. The state is used once, by the session that asked."""

    __tablename__ = "consents"

    state_hash: str = Field(primary_key=True)
    session_hash: str
    kind: str
    sealed_verifier: str
    started_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    sealed_grant: str = ""
    """A grant that reaches several organisations waits here until the person has picked one."""


class AuditRow(SQLModel, table=True):
    """Who changed what for an organisation. Only ever added to; never a secret in it."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    at: datetime = Field(sa_type=Instant)
    by: str
    what: str
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
