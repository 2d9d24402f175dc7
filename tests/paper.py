"""The two doors to the outside, made of paper: a ledger in a dictionary, and carriers that keep what they are given.

Everything between the doors is the product itself. Whole paths over real HTTP, SMTP and IMAP are walked in `town.py`;
here a year of an organisation passes in seconds.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from channels import Collected, Message, Receipt
from connector import Budget, Call, Cursor, Gone, LedgerInfo, LedgerNote, Records, Unreachable
from engine.receivables import Account, Credit, CreditKind, Invoice, InvoiceStatus
from engine.replies import Reply
from jobs.office import Office

Clock = Callable[[], datetime]


@dataclass
class PaperBooks:
    """What one organisation's ledger holds, and which change touched what last."""

    clock: Clock
    accounts: dict[str, Account] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    credits: dict[str, Credit] = field(default_factory=dict)
    closed: bool = False
    last_read: dict[str, Invoice] = field(default_factory=dict)
    """The invoices as the last reading showed them."""

    notes: dict[str, list[str]] = field(default_factory=dict)
    changes: int = 0
    changed: dict[tuple[str, str], int] = field(default_factory=dict)

    def keep(self, *records: Account | Invoice | Credit) -> None:
        """Adds these, or puts them in the place of what they were."""
        for record in records:
            shelf: dict[str, Any] = {Account: self.accounts, Invoice: self.invoices, Credit: self.credits}[type(record)]
            shelf[record.ledger_id] = replace(record, changed_at=self.clock())
            self.changes += 1
            self.changed[type(record).__name__, record.ledger_id] = self.changes

    def settle(self, invoice_id: str, status: InvoiceStatus) -> None:
        """Nothing is owed on it any more, for that cause. One that is settled already stays as it is."""
        invoice = self.invoices[invoice_id]
        if invoice.status is InvoiceStatus.OPEN:
            self.keep(replace(invoice, status=status, balance=Decimal(0), settled_on=self.clock().date()))

    def owe(self, invoice_id: str, balance: Decimal) -> None:
        """A part payment, or a payment that was reversed."""
        status = InvoiceStatus.OPEN if balance > 0 else InvoiceStatus.PAID
        self.keep(replace(self.invoices[invoice_id], status=status, balance=balance, settled_on=None))

    def since(self, change: int, shelf: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(one for one in shelf.values() if self.changed[type(one).__name__, one.ledger_id] > change)


class PaperLedger:
    """The connector's `Ledger`, answered from paper books."""

    def __init__(self, books: PaperBooks) -> None:
        self.books = books
        self.calls: list[Call] = []
        self.looks_at_once = 100

    def check(self) -> LedgerInfo:
        self._call("/organisation")
        return LedgerInfo("Paper & Sons", "GBP", "UTC", "GB")

    def pull(self, since: Cursor | None, *, also: Collection[str] = ()) -> Iterator[Records]:
        """Nothing changes in paper books without being stamped, so what a doorbell named comes by itself."""
        self._call("/changes")
        if self.books.closed:
            raise Unreachable("the paper ledger is closed")
        books, change = self.books, int(since["change"]) if since is not None else 0
        invoices = books.since(change, books.invoices)
        if since is None:
            invoices = tuple(invoice for invoice in invoices if invoice.status is InvoiceStatus.OPEN)
        books.last_read = dict(books.invoices)
        accounts, credits_ = books.since(change, books.accounts), books.since(change, books.credits)
        yield Records(accounts, invoices, credits_, cursor={"change": str(books.changes)})

    def whole_check(self, open_ids: Collection[str], open_credits: Collection[str] | None = None) -> Iterator[Records]:
        """Paper books forget no deletion, so the credits are looked at only when they are asked for."""
        self._call("/open")
        if self.books.closed:
            raise Unreachable("the paper ledger is closed")
        shelf = self.books.invoices
        wanted = {one for one, invoice in shelf.items() if invoice.status is InvoiceStatus.OPEN} | set(open_ids)
        yield Records(
            invoices=tuple(shelf[one] for one in sorted(wanted) if one in shelf),
            credits=tuple(self.books.credits[one] for one in open_credits or () if one in self.books.credits),
            gone=(
                *(Gone("invoices", one) for one in sorted(wanted) if one not in shelf),
                *(Gone("credits", one) for one in open_credits or () if one not in self.books.credits),
            ),
        )

    def look_again(self, invoice_ids: Sequence[str]) -> Records:
        """While the books are closed it answers what was read last.

        The real adapters say that the ledger is unreachable, and the reminder waits: the product is stricter than a
        story, in which a reminder still goes on data that is not too old.
        """
        self._call("/invoices")
        shelf = self.books.last_read if self.books.closed else self.books.invoices
        return Records(invoices=tuple(shelf[one] for one in invoice_ids if one in shelf))

    def fetch_accounts(self, account_ids: Sequence[str]) -> Records:
        self._call("/accounts")
        return Records(tuple(self.books.accounts[one] for one in account_ids if one in self.books.accounts))

    def write_notes(self, account_id: str, notes: Sequence[LedgerNote], *, key: str) -> None:
        self._call("/notes")
        self.books.notes.setdefault(account_id, []).extend(note.text for note in notes)

    def find_notes(self, account_id: str) -> frozenset[str]:
        return frozenset(self.books.notes.get(account_id, ()))

    def online_link(self, invoice_id: str) -> str | None:
        return None

    def invoice_pdf(self, invoice_id: str) -> bytes | None:
        return None

    def write_expected(self, invoice_id: str, on: date | None, *, key: str) -> bool:
        return False

    def account_link(self, account_id: str) -> str:
        return f"https://ledger.example/{account_id}"

    def _call(self, path: str) -> None:
        self.calls.append(Call(self.books.clock(), "GET", path, 200, 0, 0.0))


@dataclass
class PaperCarrier:
    """A channel that keeps every message it is given. Nobody ever answers."""

    medium: str
    clock: Clock
    sent: list[Message] = field(default_factory=list)
    sender: str = "accounts@paper.example"
    sender_name: str = ""
    replies_to: str = "replies@paper.example"

    def send(self, message: Message) -> Receipt:
        self.sent.append(message)
        return Receipt(f"{self.medium} {len(self.sent)}", self.clock())

    def find(self, message: Message) -> Receipt | None:
        return None

    def collect(self, bookmark: str | None) -> Iterator[Collected]:
        return iter(())

    def read(self, raw: bytes) -> Reply:
        raise ValueError("nobody writes to a paper carrier")

    def close(self) -> None:
        pass


@dataclass
class PaperOffice(Office):
    """An office whose carriers are made of paper, one for each medium but calls: those are made by people.

    They go by the kinds of real channels, for the jobs ask of a kind which medium it is.
    """

    carriers: dict[str, PaperCarrier] = field(default_factory=dict)

    def channel(self, kind: str) -> PaperCarrier:
        return self.carriers[kind]

    def carrier_of(self, medium: str) -> str | None:
        return next((kind for kind, carrier in self.carriers.items() if carrier.medium == medium), None)


def paper_office(patch: pytest.MonkeyPatch, *, database: Any, vault: Any, books: PaperBooks) -> PaperOffice:
    """An office that finds these books behind every connection of the kind `paper`."""
    patch.setattr("jobs.ledgers.open_ledger", lambda kind, settings, **_: PaperLedger(settings))
    patch.setattr("jobs.governors.budget_of", lambda *_: Budget(at_once=4, a_minute=100_000))
    kinds = {"email_smtp": "email", "sms_twilio": "sms"}
    carriers = {kind: PaperCarrier(medium, books.clock) for kind, medium in kinds.items()}
    return PaperOffice(database, vault, ledgers={"paper": books}, clock=books.clock, carriers=carriers)


def a_credit(account_id: str, remaining: Decimal, currency: str) -> Credit:
    """All that lies unallocated in an account's favour, as one credit note."""
    return Credit(
        ledger_id=f"{account_id}/credit",
        account_ledger_id=account_id,
        kind=CreditKind.CREDIT_NOTE,
        number="CN",
        issued_on=None,
        total=remaining,
        remaining=remaining,
        currency=currency,
        status=InvoiceStatus.OPEN if remaining > 0 else InvoiceStatus.PAID,
    )
