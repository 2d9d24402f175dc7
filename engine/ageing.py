"""How late is it, and how much of it is late: the first two questions of every bookkeeper."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from engine.receivables import Ref


class OpenInvoice(NamedTuple):
    """What a decision needs of an invoice that still has a balance."""

    id: Ref
    number: str
    due_on: date
    balance: Decimal
    currency: str

    def age(self, as_of: date) -> int:
        """Whole days since the due date; 1 for an invoice that was due yesterday, 0 or less when not overdue."""
        return (as_of - self.due_on).days

    def is_overdue(self, as_of: date) -> bool:
        return self.due_on < as_of


BUCKETS = ("not yet due", "1 to 30 days", "31 to 60 days", "61 to 90 days", "over 90 days")


def bucket_of(age: int) -> str:
    """The ageing bucket that an invoice of this age belongs to."""
    if age <= 0:
        return BUCKETS[0]
    return BUCKETS[min(4, 1 + (age - 1) // 30)]


@dataclass(frozen=True, slots=True)
class Totals:
    """What is open and what of it is overdue, in one currency."""

    currency: str
    open: Decimal
    overdue: Decimal
    invoices: int
    overdue_invoices: int


def totals(invoices: Iterable[OpenInvoice], as_of: date) -> tuple[Totals, ...]:
    """One line a currency, in the order of their codes. Currencies are never added up."""
    sums: dict[str, list[Decimal | int]] = {}
    for invoice in invoices:
        line = sums.setdefault(invoice.currency, [Decimal(0), Decimal(0), 0, 0])
        late = invoice.is_overdue(as_of)
        line[0] += invoice.balance
        line[2] += 1
        if late:
            line[1] += invoice.balance
            line[3] += 1
    return tuple(
        Totals(code, Decimal(line[0]), Decimal(line[1]), int(line[2]), int(line[3]))
        for code, line in sorted(sums.items())
    )
