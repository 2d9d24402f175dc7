"""Tables: addresses and numbers that nothing may be sent to, calls that were made, and consent to hear a machine."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.columns import Instant


class AddressStopRow(SQLModel, table=True):
    """Nothing is sent to this address by this medium (`email`, `sms`, `call`). Lifted by a person or a START, never
    deleted.

    `address` is in lower case, a number in the form of E.164. `kind` is `opt-out`, `bounce`, `complaint` or `wrong
    number`; `source` says who told us (a keyword, the provider, a person) and `said` in which words.
    """

    __tablename__ = "address_stops"
    __table_args__ = (Index("ix_address_stops_address", "organisation_id", "medium", "address"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    medium: str
    address: str
    kind: str
    source: str
    said: str = ""
    since: datetime = Field(sa_type=Instant)
    by: str = ""
    reply_id: int | None = Field(default=None, foreign_key="replies.id")
    message_id: int | None = Field(default=None, foreign_key="messages.id")
    lifted_at: datetime | None = Field(default=None, sa_type=Instant)
    lifted_by: str = ""
    lifted_why: str = ""


class PhoneCallRow(SQLModel, table=True):
    """One call to an account: who made it, how far it came, and what was said. `reminder_id`: the step it stands for.

    `reached_at` is when the debtor's telephone rang; from then on it counts as a contact, made on the day `counted_on`
    of the organisation. `state` is a `jobs.calls.CallState`; `why` says why a call came to nothing, and `nevertheless`
    for what reason it was made although something spoke against it. `result` is what the person who called wrote down
    (see `jobs.call_results`), `conversation` whether somebody was spoken to.
    """

    __tablename__ = "phone_calls"
    __table_args__ = (Index("ix_phone_calls_account_begun", "account_id", "begun_at"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    account_id: int = Field(foreign_key="accounts.id")
    reminder_id: int | None = Field(default=None, foreign_key="reminders.id", index=True)
    message_id: int | None = Field(default=None, foreign_key="messages.id")
    number: str = ""
    name: str = ""
    by: str = ""
    begun_at: datetime = Field(sa_type=Instant)
    state: str = ""
    why: str = ""
    nevertheless: str = ""
    by_machine: bool = False
    provider_id: str = ""
    reached_at: datetime | None = Field(default=None, sa_type=Instant)
    counted_on: date | None = None
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    seconds: int = 0
    conversation: bool = False
    result: str = ""
    note: str = ""
    promised_on: date | None = None
    settled_at: datetime | None = Field(default=None, sa_type=Instant)


class VoiceConsentRow(SQLModel, table=True):
    """Somebody said that this number may be called by a machine. Needed before any automatic call."""

    __tablename__ = "voice_consents"

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    account_id: int = Field(foreign_key="accounts.id", index=True)
    number: str
    how: str
    given_on: date
    by: str = ""
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)
    withdrawn_by: str = ""
