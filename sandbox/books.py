"""What may be done to a firm's sales ledger, and what follows from it.

A payment lowers the balance of its invoice; the last penny turns it PAID; deleting the payment opens it again. A
credit note does the same from the other side. Whatever changes is stamped with the clock, because "changed since" is
all that a reader of the ledger has to go by, and the few changes that Xero does not stamp are not stamped here
either.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from sandbox.documents import (
    NOTHING,
    Allocation,
    Contact,
    Credit,
    CreditKind,
    Invoice,
    Line,
    Note,
    NotPossible,
    OddRow,
    Payment,
)
from sandbox.shelf import Shelf

# Told of every change: the list, the paper, and whether the change was stamped on it.
Watcher = Callable[[str, Any, bool], None]
LISTS = ("Contacts", "Invoices", "CreditNotes", "Overpayments", "Prepayments", "Payments")
# "Changes to partially paid transactions which don't generate a journal such as DueDate or SentToContact" are not
# stamped: Xero, Accounting API, "Requests and responses", If-Modified-Since.
UNSTAMPED_WHEN_PART_PAID = {"due", "sent", "expected"}


class Books:
    def __init__(
        self, *, chance: Random, now: Callable[[], datetime], today: Callable[[], date], currency: str
    ) -> None:
        self._chance, self._now, self.today, self.currency = chance, now, today, currency
        self.shelves = {name: Shelf() for name in LISTS}
        self.notes: list[Note] = []
        self.watchers: list[Watcher] = []
        self.allocation_stamps_invoice = True
        self._numbers: dict[str, Invoice] = {}
        self._next = {"INV": 1, "BILL": 1, "CN": 1, "PRE": 1}

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    # --- contacts

    def add_contact(self, contact: Contact) -> Contact:
        return self._put("Contacts", contact)

    def edit_contact(self, contact: Contact, fields: dict[str, object]) -> None:
        above = fields.get("parent")
        while isinstance(above, Contact):
            if above is contact:
                raise NotPossible(f"{contact.name} cannot stand below itself; give it another parent.")
            above = above.parent
        for name, value in fields.items():
            setattr(contact, name, value)
        self._put("Contacts", contact)

    def contact(self, key: str) -> Contact:
        """By id, or by name when exactly one bears it."""
        if (found := _real(self.shelves["Contacts"].get(key))) is not None:
            return found
        named = [contact for contact in self.papers("Contacts") if contact.name == key]
        if len(named) != 1:
            raise NotPossible(f"{'No contact has' if not named else 'Several contacts have'} the id or name “{key}”.")
        return named[0]

    # --- invoices

    def add_invoice(
        self,
        contact: Contact,
        *,
        total: Decimal,
        due: date,
        date: date | None = None,
        number: str | None = None,
        currency: str | None = None,
        reference: str = "",
        type: str = "ACCREC",
        status: str = "AUTHORISED",
        lines: tuple[Line, ...] | None = None,
        taxed: bool = True,
        disputed: bool = False,
        id: str | None = None,
    ) -> Invoice:
        if total <= 0:
            raise NotPossible(f"An invoice over {total} cannot be raised; the amount must be more than 0.")
        if lines is None:
            tax = vat_within(total) if taxed else NOTHING
            lines = (Line("Work as agreed", Decimal(1), total - tax, tax),)
        invoice = Invoice(
            id=id or self.new_id(),
            type=type,
            number=number or self._number("INV" if type == "ACCREC" else "BILL"),
            contact=contact,
            date=date or self.today(),
            due=due,
            total=total,
            tax=sum((line.tax for line in lines), NOTHING),
            currency=currency or contact.currency or self.currency,
            updated=self._now(),
            status=status,
            reference=reference,
            lines=lines,
            sent=status == "AUTHORISED",
            disputed=disputed,
        )
        if type == "ACCREC" and invoice.number in self._numbers:
            raise NotPossible(f"There is already an invoice numbered {invoice.number}; give another number.")
        self._numbers[invoice.number] = invoice
        if type == "ACCREC" and not contact.is_customer:
            contact.is_customer = True  # Xero shows this without stamping the contact.
        return self._put("Invoices", invoice)

    def invoice(self, key: str) -> Invoice:
        """By id or by number."""
        found = _real(self.shelves["Invoices"].get(key)) or self._numbers.get(key)
        if found is None:
            raise NotPossible(f"No invoice has the id or number “{key}”.")
        return found

    def edit_invoice(self, invoice: Invoice, fields: dict[str, object]) -> None:
        if invoice.status in ("VOIDED", "DELETED"):
            raise NotPossible(f"Invoice {invoice.number} is {invoice.status} and can no longer be changed.")
        if "number" in fields:
            self._numbers.pop(invoice.number, None)
            self._numbers[str(fields["number"])] = invoice
        for name, value in fields.items():
            setattr(invoice, name, value)
        part_paid = invoice.status == "AUTHORISED" and invoice.balance != invoice.total
        if part_paid and set(fields) <= UNSTAMPED_WHEN_PART_PAID:
            self._tell("Invoices", invoice, stamped=False)
        else:
            self._put("Invoices", invoice)

    def void(self, invoice: Invoice) -> None:
        if invoice.status != "AUTHORISED" or invoice.paid or invoice.credited:
            raise NotPossible(
                f"Invoice {invoice.number} is {invoice.status}, {invoice.paid} paid and {invoice.credited} credited; "
                "only an authorised invoice without payments or credits can be voided."
            )
        invoice.status = "VOIDED"
        self._put("Invoices", invoice)

    def delete_draft(self, invoice: Invoice) -> None:
        if invoice.status not in ("DRAFT", "SUBMITTED"):
            raise NotPossible(f"Invoice {invoice.number} is {invoice.status}; only a draft can be deleted.")
        invoice.status = "DELETED"
        self._put("Invoices", invoice)

    def remove(self, invoice: Invoice) -> None:
        """Deleted outright, as QuickBooks allows even where money was paid: that money is then used for nothing."""
        if invoice.status == "DELETED":
            raise NotPossible(f"Invoice {invoice.number} is already deleted.")
        if invoice.allocations:
            raise NotPossible(f"Invoice {invoice.number} has credits on it and cannot be deleted.")
        invoice.status = "DELETED"
        self._put("Invoices", invoice)
        for payment in invoice.payments:
            if payment.status == "AUTHORISED":
                self._tell("Payments", payment, stamped=False)

    def approve(self, invoice: Invoice) -> None:
        if invoice.status not in ("DRAFT", "SUBMITTED"):
            raise NotPossible(f"Invoice {invoice.number} is {invoice.status}; only a draft can be approved.")
        invoice.status = "AUTHORISED"
        self._put("Invoices", invoice)

    # --- money in

    def pay(
        self, invoice: Invoice, amount: Decimal | None = None, on: date | None = None, reference: str = ""
    ) -> Payment:
        amount = self._within_balance(invoice, amount, "paid")
        payment = Payment(self.new_id(), invoice, amount, on or self.today(), self._now(), reference)
        invoice.payments.append(payment)
        self._put("Payments", payment)
        self._settle(invoice)
        return payment

    def payment(self, key: str) -> Payment:
        found = _real(self.shelves["Payments"].get(key))
        if found is None:
            raise NotPossible(f"No payment has the id “{key}”.")
        return found

    def delete_payment(self, payment: Payment) -> None:
        if payment.status == "DELETED":
            raise NotPossible("This payment is already deleted.")
        payment.status = "DELETED"
        self._put("Payments", payment)
        self._settle(payment.invoice)

    # --- credits

    def add_credit(
        self,
        kind: CreditKind,
        contact: Contact,
        total: Decimal,
        *,
        date: date | None = None,
        currency: str | None = None,
        reference: str = "",
    ) -> Credit:
        if total <= 0:
            raise NotPossible(f"A credit over {total} cannot be entered; the amount must be more than 0.")
        credit = Credit(
            id=self.new_id(),
            kind=kind,
            number={"CreditNotes": self._number("CN"), "Prepayments": self._number("PRE")}.get(kind, ""),
            contact=contact,
            date=date or self.today(),
            total=total,
            tax=vat_within(total) if kind != "Overpayments" else NOTHING,
            currency=currency or contact.currency or self.currency,
            updated=self._now(),
            reference=reference,
        )
        return self._put(kind, credit)

    def credit(self, key: str) -> Credit:
        for kind in ("CreditNotes", "Overpayments", "Prepayments"):
            if (found := _real(self.shelves[kind].get(key))) is not None:
                return found
        raise NotPossible(f"No credit note, overpayment or prepayment has the id “{key}”.")

    def allocate(self, credit: Credit, invoice: Invoice, amount: Decimal | None = None) -> Allocation:
        if amount is None:
            amount = min(credit.remaining, invoice.balance)
        amount = self._within_balance(invoice, amount, "credited")
        if amount > credit.remaining:
            raise NotPossible(f"Only {credit.remaining} is left of this credit; {amount} cannot be allocated from it.")
        allocation = Allocation(self.new_id(), credit, invoice, amount, self.today())
        credit.allocations.append(allocation)
        invoice.allocations.append(allocation)
        self._put(credit.kind, credit)
        self._settle(invoice, stamp=self.allocation_stamps_invoice)
        return allocation

    # --- notes and odd rows

    def write_note(self, kind: str, document: str, details: str) -> Note:
        note = Note(kind, document, details, self._now())
        self.notes.append(note)
        return note

    def put_odd_row(self, kind: str, id_: str, row: dict[str, object]) -> None:
        hidden = self.shelves[kind].get(id_)
        self._put(kind, OddRow(id_, row, self._now(), _real(hidden)))

    def papers(self, kind: str) -> Iterable[Any]:
        """The real papers of a list, also those that an odd row hides."""
        return (paper for paper in map(_real, self.shelves[kind]) if paper is not None)

    def sales(self) -> Iterable[Invoice]:
        return (invoice for invoice in self.papers("Invoices") if invoice.type == "ACCREC")

    # --- how it is done

    def _settle(self, invoice: Invoice, *, stamp: bool = True) -> None:
        if invoice.status in ("AUTHORISED", "PAID"):
            invoice.status = "AUTHORISED" if invoice.balance else "PAID"
        if stamp:
            self._put("Invoices", invoice)
        else:
            self._tell("Invoices", invoice, stamped=False)

    def _within_balance(self, invoice: Invoice, amount: Decimal | None, act: str) -> Decimal:
        if invoice.status != "AUTHORISED":
            raise NotPossible(f"Invoice {invoice.number} is {invoice.status}; only an authorised one can be {act}.")
        amount = invoice.balance if amount is None else amount
        if not NOTHING < amount <= invoice.balance:
            raise NotPossible(f"{amount} cannot be {act} on {invoice.number}: its balance is {invoice.balance}.")
        return amount

    def _put(self, kind: str, paper: Any) -> Any:
        self.shelves[kind].put(paper, at=self._now())
        self._tell(kind, paper, stamped=True)
        return paper

    def _tell(self, kind: str, paper: Any, *, stamped: bool) -> None:
        for watcher in self.watchers:
            watcher(kind, paper, stamped)

    def _number(self, series: str) -> str:
        number = f"{series}-{self._next[series]:04d}"
        self._next[series] += 1
        return number if number not in self._numbers else self._number(series)


def _real(paper: Any) -> Any:
    """The paper itself, or the one behind an odd row; None when there is nothing real."""
    return paper.behind if isinstance(paper, OddRow) else paper


def vat_within(total: Decimal) -> Decimal:
    """The 20 % value-added tax contained in an amount."""
    return (total / 6).quantize(NOTHING, ROUND_HALF_UP)
