"""The bare floor: the least work that can be called looking at every account, with no code of the product at all.

Whoever says that something is fast must say beside what. This is a plain cursor, a plain rule in plain Python, and
plain batches: read the open invoices in the order of their accounts beside the last positions, find the oldest overdue
one, see which step that makes due, write the positions that differ and the reminders that follow, commit once. It
knows no holds, no notes, no contacts, no settings. What the product takes longer than this is the price of those and of
its own layers.

It keeps its positions and reminders in tables of its own, made like the product's, so that both can be measured on the
same database. It shares the table of invoices: it pays those of even accounts, the product those of odd ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple, Protocol

CHUNK = 10_000
"""So many accounts are decided and written at a time, all in one transaction."""


@dataclass(slots=True)
class Invoice:
    id: int
    due_on: date
    balance: int


@dataclass(slots=True)
class Step:
    id: str
    name: str
    channel: str
    day: int
    after: timedelta


@dataclass(slots=True)
class Position:
    state: str
    cycle: int
    done: int
    """How many steps of the workflow are done."""

    assigned: int
    """How many have come due."""

    anchor: date | None = None
    driver: int | None = None
    driver_due_on: date | None = None
    next_due_on: date | None = None


class Decided(NamedTuple):
    account: int
    before: Position | None
    position: Position
    owed: Sequence[Invoice]


class Books(Protocol):
    """One database, as its driver gives it."""

    steps: Sequence[Step]

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def accounts(self, after: int, limit: int) -> list[tuple[int, Position | None]]: ...
    def position(self, account: int) -> Position | None: ...
    def invoices(self) -> Iterator[tuple[int, Invoice]]: ...
    def invoices_of(self, account: int) -> list[Invoice]: ...
    def save(self, decided: Sequence[Decided], today: date) -> None: ...
    def keep_reasons(self, decided: Sequence[Decided], today: date) -> None: ...
    def pay(self, invoice: int, today: date) -> None: ...


def look(books: Books, today: date, *, keeping_reasons: bool = False) -> int:
    """Looks at every account. Returns how many positions changed.

    With `keeping_reasons` it is bare no more, but still the least that a floor which explains itself can do: each
    decision is kept with the invoices it was made from, and whoever begins gets a line of history.
    """
    books.begin()
    changed = 0
    decided = (one for one in _decided(books, today) if one.position != one.before)
    while chunk := list(islice(decided, CHUNK)):
        books.save(chunk, today)
        if keeping_reasons:
            books.keep_reasons(chunk, today)
        changed += len(chunk)
    books.commit()
    return changed


def pay(books: Books, invoice: int, account: int, today: date) -> None:
    """One invoice is paid in full, and its account is looked at, in one transaction."""
    books.begin()
    books.pay(invoice, today)
    before = books.position(account)
    owed = books.invoices_of(account)
    position = decide(owed, before, today, books.steps)
    if position != before:
        books.save([Decided(account, before, position, owed)], today)
    books.commit()


def _decided(books: Books, today: date) -> Iterator[Decided]:
    """Every account with what is decided about it: two streams in the order of accounts, merged."""
    steps, last = books.steps, 0
    rows = groupby(books.invoices(), itemgetter(0))
    owing, theirs = next(rows, (None, ()))
    while accounts := books.accounts(last, CHUNK):
        last = accounts[-1][0]
        for account, before in accounts:
            invoices: list[Invoice] = []
            if account == owing:
                invoices = [invoice for _, invoice in theirs]
                owing, theirs = next(rows, (None, ()))
            yield Decided(account, before, decide(invoices, before, today, steps), invoices)


def decide(invoices: Sequence[Invoice], before: Position | None, today: date, steps: Sequence[Step]) -> Position:
    """The rule: the oldest overdue invoice drives, and the first step that is not done is due on its day."""
    driver: Invoice | None = None
    for invoice in invoices:
        if invoice.due_on < today and invoice.balance > 0 and (driver is None or _earlier(invoice, driver)):
            driver = invoice
    if driver is None:
        return Position("clear", before.cycle if before else 0, 0, 0)
    due_on = driver.due_on
    if before is None or before.anchor is None:
        cycle, done, anchor = (before.cycle if before else 0) + 1, 0, due_on
    else:
        cycle, done, anchor = before.cycle, before.done, before.anchor
        if done == 0:
            anchor = due_on
        elif due_on > before.driver_due_on:
            anchor = max(anchor, due_on)
            done = min(done, fitting(steps, (today - anchor).days))
    if done == len(steps):
        return Position("idle", cycle, done, done, anchor, driver.id, due_on)
    on = anchor + steps[done].after
    state, assigned = ("due", done + 1) if on <= today else ("waiting", done)
    if (
        before is not None
        and before.anchor is not None
        and assigned < before.assigned
        and due_on > before.driver_due_on
    ):
        cycle += 1  # moved back: the same step may have to be sent again, under another key
    return Position(state, cycle, done, assigned, anchor, driver.id, due_on, on)


def fitting(steps: Sequence[Step], age: int) -> int:
    """How many steps an account of this age should have behind it."""
    return sum(step.day <= age for step in steps)


def _earlier(one: Invoice, other: Invoice) -> bool:
    return (one.due_on, -one.balance, one.id) < (other.due_on, -other.balance, other.id)
