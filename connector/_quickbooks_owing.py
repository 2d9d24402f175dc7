"""Who owes what, gathered while the open ledger is read: it says whom else QuickBooks has to be asked about.

Whoever owes less than their open invoices come to has money that was not yet used. Only of them are the payments and
credit memos worth a call.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from connector import _quickbooks_rows as rows
from connector._sense import NOTHING


@dataclass(slots=True)
class Owing:
    """The customers met so far by their ids, what they owe by their own rows, and what by their invoices."""

    balances: dict[str, Decimal | None] = field(default_factory=dict)
    owed: dict[str, Decimal] = field(default_factory=dict)
    payers: set[str] = field(default_factory=set)

    def meet(self, customers: Iterable[rows.AccountRow]) -> None:
        customers = tuple(customers)
        self.balances.update((row.id, row.balance) for row in customers)
        self.payers |= payers_of(customers)

    def owe(self, invoices: Iterable[rows.InvoiceRow]) -> None:
        """One that was changed meanwhile is met twice; at worst somebody without unused money is asked about."""
        owed = self.owed
        for row in invoices:
            if row.balance and row.customer_ref and (name := row.customer_ref.value):
                owed[name] = owed.get(name, NOTHING) + row.balance

    def named(self) -> set[str]:
        """Everybody who is named by an invoice or pays for another."""
        return self.owed.keys() | self.payers

    def in_credit(self) -> list[str]:
        """Those with money that was not yet used."""
        return [name for name, sum_ in self.owed.items() if _less(self.balances.get(name), sum_)]


def payers_of(customers: Iterable[rows.AccountRow]) -> set[str]:
    """Whoever is billed for one of these customers."""
    return {
        row.parent_ref.value for row in customers if row.bill_with_parent and row.parent_ref and row.parent_ref.value
    }


def _less(balance: Decimal | None, owed: Decimal) -> bool:
    return balance is not None and balance < owed
