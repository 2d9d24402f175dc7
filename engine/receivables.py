"""The nouns of the trade: who owes, what is owed, what was paid.

A ledger (Xero, QuickBooks) is read into these and into nothing else, so the rest of the product never sees a
vendor's words. All dates are civil dates in the organisation's own calendar, all instants are aware and in UTC, and
all amounts are exact decimals in the currency of their document.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

Ref = int | str
"""What the keeper of a record calls it: a row's number in the store, a short name in a story."""


class Money(NamedTuple):
    """An amount in one currency. Money of two currencies is never added up."""

    amount: Decimal
    currency: str

    def plus(self, other: "Money") -> "Money":
        """Their sum. Raises ValueError when the currencies differ."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added up")
        return Money(self.amount + other.amount, self.currency)


class InvoiceStatus(StrEnum):
    """Where the ledger says an invoice stands. Only an OPEN one can ever be chased."""

    OPEN = "open"
    PAID = "paid"
    CREDITED = "credited"
    VOIDED = "voided"
    WRITTEN_OFF = "written off"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class CreditKind(StrEnum):
    CREDIT_NOTE = "credit note"
    OVERPAYMENT = "overpayment"
    PREPAYMENT = "prepayment"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at an account."""

    name: str
    email: str = ""
    mobile: str = ""
    role: str = ""
    receives_reminders: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """One customer as the ledger has it. `changed_at` is the ledger's own time of the last change.

    `billed_with` is the customer who pays for this one (a branch billed with its head office): what this one owes is
    asked of that one.
    """

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
    contacts: tuple[Contact, ...] = ()
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received for one invoice."""

    ledger_id: str
    paid_on: date | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """A part of a credit used up against one invoice, seen from either side (the other side's ledger id is given)."""

    ledger_id: str
    amount: Decimal
    on: date | None = None
    kind: CreditKind = CreditKind.CREDIT_NOTE


@dataclass(frozen=True, slots=True)
class AppliedTo:
    """A part of what a document settles, on one invoice: a credit that it used, or money where none is named."""

    invoice_ledger_id: str
    amount: Decimal
    credit_ledger_id: str = ""
    kind: CreditKind = CreditKind.CREDIT_NOTE


@dataclass(frozen=True, slots=True)
class Applied:
    """All that one document (a payment) settles now. Without `to` it settles nothing: it is deleted, void or unused.

    For a ledger whose documents name their invoices, while its invoices do not say what they were paid with.
    """

    ledger_id: str
    on: date | None
    to: tuple[AppliedTo, ...] = ()


@dataclass(frozen=True, slots=True)
class SettledBy:
    """The documents (payments, or the credits themselves) that stand on one invoice: no other settles any of it."""

    invoice_ledger_id: str
    documents: frozenset[str]


@dataclass(frozen=True, slots=True)
class Invoice:
    """One sales invoice as the ledger has it: everything needed to list it, age it and explain it."""

    ledger_id: str
    account_ledger_id: str
    account_name: str
    number: str
    issued_on: date | None
    due_on: date
    total: Decimal
    balance: Decimal
    currency: str
    status: InvoiceStatus
    reference: str = ""
    paid: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    settled_on: date | None = None
    expected_on: date | None = None
    payments: tuple[Payment, ...] | None = ()
    """None when this reading of the ledger did not carry them; what is known then stands."""
    allocations: tuple[Allocation, ...] | None = ()
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """Money in the customer's favour. `remaining` has not been used against any invoice yet."""

    ledger_id: str
    account_ledger_id: str
    kind: CreditKind
    number: str
    issued_on: date | None
    total: Decimal
    remaining: Decimal
    currency: str
    status: InvoiceStatus
    allocations: tuple[Allocation, ...] = ()
    changed_at: datetime | None = None
