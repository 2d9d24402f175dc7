"""What a ledger knows of the past, turned into the events of a story.

A ledger shows an invoice as it is now, with the days of its issue, its payments and the credits used on it. That is
enough to play it back: it appears on the day of its issue, its balance falls on the days of its part payments, and it
leaves on the day on which it was settled. What the ledger does not keep cannot be played back: who was paused, what
was promised, and due dates as they were before somebody changed them.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.receivables import InvoiceStatus, Ref
from engine.story import Event

_LEAVES = {
    InvoiceStatus.PAID: "pay",
    InvoiceStatus.CREDITED: "credit",
    InvoiceStatus.WRITTEN_OFF: "write_off",
    InvoiceStatus.VOIDED: "void",
    InvoiceStatus.DELETED: "void",
    InvoiceStatus.UNKNOWN: "void",
    InvoiceStatus.OPEN: "pay",
}


class Reduced(NamedTuple):
    """The balance fell by so much on that day. `paid`: with money, not with a credit."""

    on: date
    amount: Decimal
    paid: bool = True


class PastInvoice(NamedTuple):
    """One invoice with its past. `gone_on` is the day it was settled, or known to be; None while it is open.

    `balance` is what is open today, and `reduced` what the ledger can put a date to.
    """

    id: Ref
    number: str
    issued_on: date
    due_on: date
    total: Decimal
    balance: Decimal
    currency: str
    status: InvoiceStatus
    gone_on: date | None = None
    reduced: tuple[Reduced, ...] = ()

    @property
    def owed(self) -> OpenInvoice:
        """As it was before anything was paid."""
        return OpenInvoice(self.id, self.number, self.due_on, self.total, self.currency)

    @property
    def paid_on(self) -> tuple[date, ...]:
        """The days on which money came in for it."""
        days = {one.on for one in self.reduced if one.paid}
        if self.status is InvoiceStatus.PAID and self.gone_on is not None:
            days.add(self.gone_on)
        return tuple(sorted(days))


def played_back(invoices: Iterable[PastInvoice]) -> tuple[Event, ...]:
    """Everything that happened to them, each before that day's sending time: as if the ledger had known at once."""
    events = [event for invoice in invoices for event in _past_of(invoice)]
    return tuple(sorted(events, key=lambda event: (event.on, _ORDER[event.what])))


_ORDER = {"add": 0, "balance": 1} | dict.fromkeys(_LEAVES.values(), 2)


def _past_of(invoice: PastInvoice) -> Iterable[Event]:
    begun, gone = invoice.issued_on, invoice.gone_on
    dated = sum((one.amount for one in invoice.reduced), Decimal(0))
    # What was paid on an open invoice without a date is taken off from its first day on.
    left = dated + invoice.balance if gone is None else invoice.total
    yield Event(begun, "add", [invoice.owed._replace(balance=left)])
    for one in sorted(invoice.reduced):
        left -= one.amount
        on = max(one.on, begun)
        if left <= 0:
            gone = on if gone is None else min(gone, on)
        if gone is not None and on >= gone:
            break
        yield Event(on, "balance", {invoice.id: left})
    if gone is not None:
        yield Event(max(gone, begun), _LEAVES[invoice.status], [invoice.id])
