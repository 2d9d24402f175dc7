"""A made-up ledger, the same on every machine and for every peer: who owes what, and since when.

A comparison is worth nothing when each side chews another book. So the accounts and invoices come from here alone, for
the product, for its bare floor and for Tryton. Nothing but the standard library is used, because Tryton lives in an
environment of its own.

The shape is that of a trading firm: most accounts owe for a handful of invoices, a few for hundreds, one in five for
none. Due dates lie between 120 days ago and 30 days ahead, so that a little over three accounts in four have something
overdue. Invoices are numbered in the order of their dates, as a ledger hands them over, not account by account.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

AS_OF = date(2026, 11, 3)
"""The first day that is looked at, a Tuesday: the day after it is a sending day as well."""

OLDEST, NEWEST, TERMS = -120, 30, 30
_UNEVEN = 1.0  # how unequal accounts are: the sigma of a log-normal spread
_OWING_NOTHING = 0.16  # the share of accounts without any open invoice, before the small ones are rounded away


class Invoice(NamedTuple):
    """An open invoice. `account` counts from 1, and `cents` are still owed on it."""

    number: int
    account: int
    issued_on: date
    due_on: date
    cents: int

    @property
    def name(self) -> str:
        return f"INV-{self.number:07d}"

    @property
    def ledger_id(self) -> str:
        return f"b0000000-0000-4000-8000-{self.number:012d}"

    @property
    def account_ledger_id(self) -> str:
        return account_ledger_id(self.account)


def account_ledger_id(account: int) -> str:
    return f"a0000000-0000-4000-8000-{account:012d}"


def invoice_of(row: Sequence[Any]) -> Invoice:
    """An invoice that has travelled to another process, its dates as text."""
    number, account, issued_on, due_on, cents = row
    return Invoice(number, account, date.fromisoformat(issued_on), date.fromisoformat(due_on), cents)


def open_invoices(accounts: int, invoices: int) -> Iterator[Invoice]:
    """Exactly this many open invoices of these accounts, in the order of their dates."""
    chance = Random(20261103)
    days = {age: AS_OF + timedelta(days=age) for age in range(OLDEST - TERMS, NEWEST + 1)}
    made = [
        (chance.randint(OLDEST, NEWEST), chance.random(), account, chance.randint(1_000, 500_000))
        for account, count in enumerate(_counts(accounts, invoices, chance), start=1)
        for _ in range(count)
    ]
    made.sort()
    for number, (age, _, account, cents) in enumerate(made, start=1):
        yield Invoice(number, account, days[age - TERMS], days[age], cents)


def oldest(accounts: int, invoices: int, *, remainder: int, at_most: int) -> list[Invoice]:
    """The oldest overdue invoice of each account whose number leaves this remainder when halved, well mixed."""
    first: dict[int, Invoice] = {}
    for invoice in open_invoices(accounts, invoices):
        known = first.get(invoice.account)
        if known is None or (invoice.due_on, -invoice.cents) < (known.due_on, -known.cents):
            first[invoice.account] = invoice
    overdue = [one for one in first.values() if one.due_on < AS_OF and one.account % 2 == remainder]
    Random(7).shuffle(overdue)
    return overdue[:at_most]


def _counts(accounts: int, invoices: int, chance: Random) -> Iterator[int]:
    """How many invoices each account has. They add up to what was asked for, to the last one."""
    weights = [chance.lognormvariate(0, _UNEVEN) if chance.random() >= _OWING_NOTHING else 0.0 for _ in range(accounts)]
    whole, passed, given = sum(weights), 0.0, 0
    for weight in weights:
        passed += weight
        upto = round(invoices * passed / whole)
        yield upto - given
        given = upto
