"""Tables: on which day payment of an invoice is expected, on its way into the ledger."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.columns import Instant


class ExpectedRow(SQLModel, table=True):
    """The newest expected payment date that people gave for one invoice, and how far it got into the ledger.

    `on` None takes away what we wrote before. `turn` grows with every new wish, so that the answer to an older one
    settles nothing. `written_on` is what the ledger has from us; `before` is what it had when a try was begun.
    `state`: waiting, writing, written, withdrawn (nothing is left to write), no place (this ledger keeps no such date),
    theirs (somebody gave another date in the ledger itself), refused.
    """

    __tablename__ = "expected_dates"
    __table_args__ = (Index("ix_expected_dates_state", "state"),)

    invoice_id: int = Field(foreign_key="invoices.id", primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    on: date | None = None
    turn: int = 1
    state: str = "waiting"
    key: str = ""
    attempts: int = 0
    before: date | None = None
    written_on: date | None = None
    first_tried_at: datetime | None = Field(default=None, sa_type=Instant)
    next_attempt_at: datetime | None = Field(default=None, sa_type=Instant)
    why: str = ""
