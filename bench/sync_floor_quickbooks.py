"""The same floor for QuickBooks: fetch, decode, write, with nothing of the product. See `sync_floor.py`.

It asks for the customers who owe and for the open invoices, by position, and for the home currency once.
"""

import gzip
import http.client
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from bench.sync_floor import ORGANISATION, PAGE, Row, keeping, moved, numbers_of, opened, upsert

CUSTOMERS = "SELECT * FROM Customer WHERE Balance > '0'"
INVOICES = "SELECT * FROM Invoice WHERE Balance > '0'"


def fetches(addresses: dict[str, Any], grant: dict[str, str]) -> Iterator[Callable[[], None]]:
    """All the open invoices over the line and nothing else, ready to be timed: how fast the sandbox serves."""
    with closing(QuickBooksLine(addresses, grant)) as line:
        yield lambda: line.fetch(INVOICES)


def syncs(path: str, addresses: dict[str, Any], grant: dict[str, str]) -> Iterator[Callable[[], None]]:
    """One whole reading of what is open, ready to be timed."""
    with closing(QuickBooksLine(addresses, grant)) as line, closing(opened(path)) as connection:
        yield lambda: _sync(connection, line)


def _sync(connection: sqlite3.Connection, line: "QuickBooksLine") -> None:
    cursor, touched = "", set[int]()
    currency = line.currency()
    with keeping(connection):
        for customers in line.pages("Customer", CUSTOMERS):
            cursor = cursor or customers.time
            _take_in_customers(connection, customers.answer.rows)
        for invoices in line.pages("Invoice", INVOICES):
            touched |= _take_in_invoices(connection, invoices.answer.rows, currency)
        moved(connection, cursor)
    if not touched:
        raise SystemExit("The floor found nothing to read.")


# --- the line


class QuickBooksLine:
    """One connection that is kept open."""

    def __init__(self, addresses: dict[str, Any], grant: dict[str, str]) -> None:
        parts = urlsplit(addresses["quickbooks"]["api_url"])
        self._line = http.client.HTTPConnection(parts.netloc)
        self._path = f"{parts.path}/v3/company/{grant['realmId']}/query"
        self._headers = {
            "Authorization": f"Bearer {grant['access_token']}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }

    def pages(self, name: str, question: str) -> Iterator[Any]:
        """The pages of a list one after another, decoded."""
        start, length = 1, PAGE
        while length == PAGE:
            page = DECODERS[name].decode(gzip.decompress(self._page(question, start)))
            length = len(page.answer.rows)
            yield page
            start += PAGE

    def fetch(self, question: str) -> None:
        """The same pages as they come, compressed, until one is as short as an answer without rows."""
        start = 1
        while len(self._page(question, start)) > 1000:
            start += PAGE

    def currency(self) -> str:
        body = gzip.decompress(self._page("SELECT * FROM Preferences", 1))
        return str(
            msgspec.json.decode(body)["QueryResponse"]["Preferences"][0]["CurrencyPrefs"]["HomeCurrency"]["value"]
        )

    def _page(self, question: str, start: int) -> bytes:
        asked = {"query": f"{question} STARTPOSITION {start} MAXRESULTS {PAGE}", "minorversion": "75"}
        self._line.request("GET", f"{self._path}?{urlencode(asked, quote_via=quote)}", headers=self._headers)
        return self._line.getresponse().read()

    def close(self) -> None:
        self._line.close()


class Paper(msgspec.Struct, rename="pascal"):
    pass


class Times(Paper):
    updated: str = msgspec.field(name="LastUpdatedTime")


class Address(Paper):
    address: str


class Phone(Paper):
    free_form_number: str


class Named(msgspec.Struct):
    value: str


class Customer(Paper):
    id: str
    display_name: str
    active: bool
    times: Times = msgspec.field(name="MetaData")
    given_name: str = ""
    family_name: str = ""
    primary_email_addr: Address | None = None
    primary_phone: Phone | None = None
    mobile: Phone | None = None


class Invoice(Paper):
    id: str
    customer_ref: Named
    txn_date: str
    due_date: str
    total_amt: Decimal
    balance: Decimal
    times: Times = msgspec.field(name="MetaData")
    doc_number: str = ""


def _page(name: str, row: type[Paper]) -> msgspec.json.Decoder[Any]:
    answer = msgspec.defstruct(f"{name}s", [("rows", list[row], msgspec.field(name=name, default_factory=list))])  # type: ignore[valid-type]
    fields = [("answer", answer, msgspec.field(name="QueryResponse")), ("time", str)]
    return msgspec.json.Decoder(msgspec.defstruct(f"{name}Page", fields))  # type: ignore[arg-type]


DECODERS = {"Customer": _page("Customer", Customer), "Invoice": _page("Invoice", Invoice)}


# --- the tables

ACCOUNT = (
    *("organisation_id", "ledger_id", "name", "number", "email", "phone", "mobile", "first_name", "last_name"),
    *("currency", "archived", "changed_at"),
)
INVOICE = (
    *("organisation_id", "ledger_id", "account_id", "number", "reference", "issued_on", "due_on", "total", "balance"),
    *("paid", "credited", "currency", "status", "changed_at"),
)


def _take_in_customers(connection: sqlite3.Connection, customers: Sequence[Customer]) -> None:
    emails = {one.id: _emails(one) for one in customers}
    rows = [
        (
            ORGANISATION,
            one.id,
            one.display_name,
            "",
            emails[one.id][0],
            one.primary_phone.free_form_number if one.primary_phone else "",
            one.mobile.free_form_number if one.mobile else "",
            one.given_name,
            one.family_name,
            "",
            not one.active,
            _instant(one.times.updated),
        )
        for one in customers
    ]
    upsert(connection, "accounts", ACCOUNT, rows)
    numbers = numbers_of(connection, "accounts", [one.id for one in customers])
    connection.executemany("DELETE FROM contacts WHERE account_id = ?", [(number,) for number in numbers.values()])
    contacts = [(numbers[one.id], place, email) for one in customers for place, email in enumerate(emails[one.id][1:])]
    connection.executemany("INSERT INTO contacts VALUES (?, ?, '', ?, '', '', TRUE)", contacts)


def _take_in_invoices(connection: sqlite3.Connection, invoices: Sequence[Invoice], currency: str) -> set[int]:
    accounts = numbers_of(connection, "accounts", {invoice.customer_ref.value for invoice in invoices})
    rows: list[Row] = [
        (
            ORGANISATION,
            invoice.id,
            accounts[invoice.customer_ref.value],
            invoice.doc_number,
            "",
            invoice.txn_date,
            invoice.due_date,
            int(invoice.total_amt * 10_000),
            int(invoice.balance * 10_000),
            int((invoice.total_amt - invoice.balance) * 10_000),
            0,
            currency,
            "open",
            _instant(invoice.times.updated),
        )
        for invoice in invoices
    ]
    upsert(connection, "invoices", INVOICE, rows)
    return set(accounts.values())


def _emails(customer: Customer) -> list[str]:
    text = customer.primary_email_addr.address if customer.primary_email_addr else ""
    return [part.strip() for part in text.split(",")]


def _instant(text: str) -> str:
    """`2026-01-05T01:00:00-08:00` as the product keeps it."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")
