"""The papers of a practice firm: contacts, invoices, payments and credits, as they lie in the books.

These are the facts only. How Xero shows them is `xero/rows.py`; what may be done to them is `books.py`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

NOTHING = Decimal("0.00")
CreditKind = Literal["CreditNotes", "Overpayments", "Prepayments"]
Day = date  # several papers have a field named `date`, which would hide the type


class NotPossible(ValueError):
    """The books refuse; the message is a sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Phone:
    country: str
    area: str
    number: str

    @classmethod
    def read(cls, text: str) -> "Phone":
        """`+44 7700 900123` in the three parts a ledger keeps; what has no parts is kept whole as the number."""
        parts = text.split()
        country = parts.pop(0).lstrip("+") if parts and parts[0].startswith("+") and len(parts) > 1 else ""
        area = parts.pop(0) if len(parts) > 1 else ""
        return cls(country, area, " ".join(parts))

    @property
    def e164(self) -> str:
        """As the telephone network writes it: +447700900123."""
        return f"+{self.country}{self.area}{self.number}".replace(" ", "")

    def __str__(self) -> str:
        return " ".join(part for part in (f"+{self.country}" if self.country else "", self.area, self.number) if part)


@dataclass(frozen=True, slots=True)
class Person:
    first_name: str
    last_name: str
    email: str
    in_emails: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    line: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    description: str
    quantity: Decimal
    unit: Decimal
    tax: Decimal

    @property
    def amount(self) -> Decimal:
        return (self.quantity * self.unit).quantize(NOTHING)


@dataclass(slots=True, eq=False)
class Contact:
    id: str
    name: str
    updated: datetime
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    account_number: str = ""
    currency: str = ""
    days: int | None = None
    archived: bool = False
    merged_into: str = ""
    persons: tuple[Person, ...] = ()
    phones: dict[str, Phone] = field(default_factory=dict)
    address: Address = Address()
    is_customer: bool = False
    is_supplier: bool = False
    parent: "Contact | None" = None  # the larger customer that this one belongs to; QuickBooks alone knows of it
    billed_with_parent: bool = False
    notes: str = ""  # the one text that QuickBooks keeps about a customer
    delivery: str = "Email"  # how invoices go out: Email, Print or None

    type = ""
    date = due = None
    number = reference = ""

    @property
    def status(self) -> str:
        return "ARCHIVED" if self.archived else "ACTIVE"

    @property
    def contact(self) -> "Contact":
        return self


@dataclass(slots=True, eq=False)
class Invoice:
    id: str
    type: str
    number: str
    contact: Contact
    date: Day
    due: Day
    total: Decimal
    tax: Decimal
    currency: str
    updated: datetime
    status: str = "AUTHORISED"
    reference: str = ""
    lines: tuple[Line, ...] = ()
    sent: bool = False
    expected: Day | None = None
    disputed: bool = False
    payments: list["Payment"] = field(default_factory=list)
    allocations: list["Allocation"] = field(default_factory=list)

    @property
    def paid(self) -> Decimal:
        return sum((p.amount for p in self.payments if p.status == "AUTHORISED"), NOTHING)

    @property
    def credited(self) -> Decimal:
        return sum((a.amount for a in self.allocations), NOTHING)

    @property
    def balance(self) -> Decimal:
        return NOTHING if self.status in ("VOIDED", "DELETED") else self.total - self.paid - self.credited

    @property
    def paid_on(self) -> Day | None:
        if self.status != "PAID":
            return None
        days = [p.date for p in self.payments if p.status == "AUTHORISED"] + [a.date for a in self.allocations]
        return max(days, default=self.date)


@dataclass(slots=True, eq=False)
class Payment:
    id: str
    invoice: Invoice
    amount: Decimal
    date: Day
    updated: datetime
    reference: str = ""
    status: str = "AUTHORISED"

    due = None
    number = ""

    @property
    def type(self) -> str:
        return "ACCRECPAYMENT" if self.invoice.type == "ACCREC" else "ACCPAYPAYMENT"

    @property
    def contact(self) -> Contact:
        return self.invoice.contact


@dataclass(slots=True, eq=False)
class Credit:
    """Money or a promise of money that the firm owes the customer: credit note, overpayment or prepayment."""

    id: str
    kind: CreditKind
    number: str
    contact: Contact
    date: Day
    total: Decimal
    tax: Decimal
    currency: str
    updated: datetime
    reference: str = ""
    voided: bool = False
    allocations: list["Allocation"] = field(default_factory=list)

    due = None

    @property
    def type(self) -> str:
        words = {
            "CreditNotes": "ACCRECCREDIT",
            "Overpayments": "RECEIVE-OVERPAYMENT",
            "Prepayments": "RECEIVE-PREPAYMENT",
        }
        return words[self.kind]

    @property
    def remaining(self) -> Decimal:
        return NOTHING if self.voided else self.total - sum((a.amount for a in self.allocations), NOTHING)

    @property
    def status(self) -> str:
        if self.voided:
            return "VOIDED"
        return "AUTHORISED" if self.remaining else "PAID"


@dataclass(slots=True, eq=False)
class Allocation:
    id: str
    credit: Credit
    invoice: Invoice
    amount: Decimal
    date: Day


@dataclass(frozen=True, slots=True)
class Note:
    kind: str
    document: str
    details: str
    at: datetime


@dataclass(slots=True, eq=False)
class OddRow:
    """A row put in by hand, shown exactly as given: real ledgers hold rows that no specification foresaw.

    Laid over a real paper, it hides that paper from readers of the API until the paper is changed again.
    """

    id: str
    row: dict[str, object]
    updated: datetime
    behind: "Contact | Invoice | Payment | Credit | None" = None

    date = due = None

    def _text(self, *keys: str) -> str:
        return next((str(self.row[key]) for key in keys if self.row.get(key) is not None), "")

    @property
    def type(self) -> str:
        return self._text("Type", "PaymentType")

    @property
    def status(self) -> str:
        return self._text("Status", "ContactStatus")

    @property
    def number(self) -> str:
        return self._text("InvoiceNumber", "CreditNoteNumber")

    @property
    def archived(self) -> bool:
        return self.status == "ARCHIVED"

    @property
    def reference(self) -> str:
        return self._text("Reference")

    @property
    def contact_id(self) -> str:
        contact = self.row.get("Contact")
        return str(contact.get("ContactID", "")) if isinstance(contact, dict) else ""
