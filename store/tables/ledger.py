"""Tables: the faithful copy of the ledger. Only `sync` and the look before a send write here."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from store.columns import Amount, Instant

_ASKED = ("account_id", "status", "due_on", "balance", "number", "currency", "organisation_id")
_BILLED = "billed_with IS NOT NULL"
_BRANCH = "billed_for IS NOT NULL"
_OPEN = "status = 'open' AND balance > 0"


class AccountRow(SQLModel, table=True):
    """One customer who may owe. `default_workflow_id`, `time_zone` and whether it gets no monthly statement are chosen
    here and not in the ledger.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("organisation_id", "ledger_id"),
        Index("ix_accounts_billed_with", "organisation_id", sqlite_where=text(_BILLED), postgresql_where=text(_BILLED)),
    )

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    ledger_id: str
    name: str
    number: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    first_name: str = ""
    last_name: str = ""
    currency: str = ""
    archived: bool = False
    merged_into: str | None = None
    billed_with: str | None = None
    """The ledger's id of the account that pays for this one: a branch is billed with its head office."""
    default_workflow_id: int | None = Field(default=None, foreign_key="workflows.id")
    time_zone: str = ""
    no_statements_since: datetime | None = Field(default=None, sa_type=Instant)
    """Since when somebody, `no_statements_by`, wants this account to get no monthly statement."""
    no_statements_by: str = ""
    changed_at: datetime | None = Field(default=None, sa_type=Instant)


class ContactRow(SQLModel, table=True):
    """A person at an account."""

    __tablename__ = "contacts"

    account_id: int = Field(foreign_key="accounts.id", primary_key=True)
    place: int = Field(primary_key=True)
    name: str = ""
    email: str = ""
    mobile: str = ""
    role: str = ""
    receives_reminders: bool = True


class InvoiceRow(SQLModel, table=True):
    """A sales invoice. `settled_seen_at`, `settled_by_run`: when and from which reading we learnt it was settled.

    `account_id` is who pays; `billed_for` is the branch that the ledger names, where somebody else pays for it.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("organisation_id", "ledger_id"),
        Index("ix_invoices_account_status", "account_id", "status"),
        Index("ix_invoices_number", "organisation_id", "number"),
        Index("ix_invoices_billed_for", "billed_for", sqlite_where=text(_BRANCH), postgresql_where=text(_BRANCH)),
        # Everything that a look at an account asks of its open invoices, without a visit to the table itself.
        Index("ix_invoices_open", *_ASKED, sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    )

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id")
    billed_for: int | None = Field(default=None, foreign_key="accounts.id")
    ledger_id: str
    number: str = ""
    reference: str = ""
    issued_on: date | None = None
    due_on: date
    total: Decimal = Field(sa_type=Amount)
    balance: Decimal = Field(sa_type=Amount)
    paid: Decimal = Field(default=Decimal(0), sa_type=Amount)
    credited: Decimal = Field(default=Decimal(0), sa_type=Amount)
    currency: str = ""
    status: str = "open"
    settled_on: date | None = None
    expected_on: date | None = None
    online_link: str | None = None
    changed_at: datetime | None = Field(default=None, sa_type=Instant)
    settled_seen_at: datetime | None = Field(default=None, sa_type=Instant)
    settled_by_run: int | None = None


class PaymentRow(SQLModel, table=True):
    """Money received for one invoice. The set of an invoice is replaced whole, or all that one payment has settled:
    that is how a deleted one disappears.
    """

    __tablename__ = "payments"

    invoice_id: int = Field(foreign_key="invoices.id", primary_key=True)
    ledger_id: str = Field(primary_key=True, index=True)
    paid_on: date | None = None
    amount: Decimal = Field(sa_type=Amount)


class AllocationRow(SQLModel, table=True):
    """A part of a credit used up against one invoice. `document_ledger_id`: by which payment, where one says so."""

    __tablename__ = "allocations"

    invoice_id: int = Field(foreign_key="invoices.id", primary_key=True)
    document_ledger_id: str = Field(default="", primary_key=True, index=True)
    credit_ledger_id: str = Field(primary_key=True)
    kind: str = "credit note"
    on: date | None = None
    amount: Decimal = Field(sa_type=Amount)


class CreditRow(SQLModel, table=True):
    """A credit note, overpayment or prepayment. `remaining` is not used up yet."""

    __tablename__ = "credits"
    __table_args__ = (UniqueConstraint("organisation_id", "ledger_id"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    account_id: int = Field(foreign_key="accounts.id", index=True)
    billed_for: int | None = Field(default=None, foreign_key="accounts.id")
    ledger_id: str
    kind: str
    number: str = ""
    issued_on: date | None = None
    total: Decimal = Field(sa_type=Amount)
    remaining: Decimal = Field(sa_type=Amount)
    currency: str = ""
    status: str = "open"
    changed_at: datetime | None = Field(default=None, sa_type=Instant)
