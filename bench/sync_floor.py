"""The least that a sync could take: fetch, decode, write. Not a line of the product is used.

A plain connection of the standard library, msgspec into structs that hold nothing but what is kept, and plain batches
of the standard library's SQLite driver. It writes what the product writes, upserted by the ledger's ids, into tables
made like the product's, with their keys, indexes and references; notes which accounts were touched; and moves the
cursor with the last rows, in one commit. It reads by page number, which loses rows in a ledger that changes meanwhile,
asks for nothing twice, trusts each answer, and writes no log.
"""

import gzip
import http.client
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

ORGANISATION = 1
PAGE = 1000
Row = tuple[Any, ...]


def prepare(path: str, like: str) -> None:
    """Makes the tables of the copy as they are in the product's database, and one organisation."""
    names = ("organisations", "accounts", "contacts", "invoices", "payments", "allocations", "credits")
    with closing(sqlite3.connect(like)) as theirs, closing(sqlite3.connect(path)) as ours:
        ours.execute("PRAGMA journal_mode = WAL")
        made = theirs.execute("SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC")
        for table, sql in made:
            if table in names or table == "workflows":
                ours.execute(sql)
        columns = [row[1] for row in theirs.execute("PRAGMA table_info(organisations)")]
        one = theirs.execute("SELECT * FROM organisations").fetchone()
        ours.execute(f"INSERT INTO organisations ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", one)
        ours.execute("UPDATE organisations SET default_workflow_id = NULL")
        ours.execute("CREATE TABLE cursors (organisation_id INTEGER PRIMARY KEY, cursor TEXT)")
        ours.commit()


def fetches(addresses: dict[str, Any], grant: dict[str, str]) -> Iterator[Callable[[], None]]:
    """All the open invoices over the line and nothing else, ready to be timed: how fast the sandbox serves."""
    with closing(XeroLine(addresses, grant)) as line:
        yield lambda: line.fetch("Invoices", OPEN_SALES)


def syncs(path: str, addresses: dict[str, Any], grant: dict[str, str]) -> Iterator[Callable[[], None]]:
    """One whole reading of what is open, ready to be timed."""
    with closing(XeroLine(addresses, grant)) as line, closing(opened(path)) as connection:
        yield lambda: _sync(connection, line)


def opened(path: str) -> sqlite3.Connection:
    """The database, opened as the product opens it."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@contextmanager
def keeping(connection: sqlite3.Connection) -> Iterator[None]:
    """One commit around everything."""
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")


def moved(connection: sqlite3.Connection, cursor: str) -> None:
    connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (ORGANISATION, cursor))


def _sync(connection: sqlite3.Connection, line: "XeroLine") -> None:
    cursor, touched = "", set[int]()
    with keeping(connection):
        for page in line.pages("Contacts", {"includeArchived": "true"}):
            cursor = cursor or page.at
            _take_in_contacts(connection, page.rows)
        for page in line.pages("Invoices", OPEN_SALES):
            touched |= _take_in_invoices(connection, page.rows)
        for name, filters in OPEN_CREDITS.items():
            for page in line.pages(name, filters):
                touched |= _take_in_credits(connection, name, page.rows)
        moved(connection, cursor)
    if not touched:
        raise SystemExit("The floor found nothing to read.")


# --- the line

OPEN_SALES = {"Statuses": "AUTHORISED", "where": 'Type=="ACCREC"'}
OPEN_CREDITS = {
    "CreditNotes": {"where": 'Type=="ACCRECCREDIT" AND Status=="AUTHORISED"'},
    "Overpayments": {"where": 'Status=="AUTHORISED"'},
    "Prepayments": {"where": 'Status=="AUTHORISED"'},
}


class XeroLine:
    """One connection that is kept open."""

    def __init__(self, addresses: dict[str, Any], grant: dict[str, str]) -> None:
        parts = urlsplit(addresses["xero"]["api_url"])
        self._line = http.client.HTTPConnection(parts.netloc)
        self._path = parts.path
        self._headers = {
            "Authorization": f"Bearer {grant['access_token']}",
            "xero-tenant-id": addresses["tenant"],
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }

    def pages(self, name: str, filters: dict[str, str]) -> Iterator[Any]:
        """The pages of a list one after another, decoded."""
        number, last = 1, 1
        while number <= last:
            page = DECODERS[name].decode(gzip.decompress(self._page(name, filters, number)))
            last = page.pagination.page_count
            yield page
            number += 1

    def fetch(self, name: str, filters: dict[str, str]) -> None:
        """The same pages as they come, compressed; only the first is looked into, for their number."""
        first = next(self.pages(name, filters))
        for number in range(2, first.pagination.page_count + 1):
            self._page(name, filters, number)

    def _page(self, name: str, filters: dict[str, str], number: int) -> bytes:
        query = urlencode({**filters, "page": number, "pageSize": PAGE}, quote_via=quote)
        self._line.request("GET", f"{self._path}/{name}?{query}", headers=self._headers)
        return self._line.getresponse().read()

    def close(self) -> None:
        self._line.close()


class Paper(msgspec.Struct, rename="pascal"):
    pass


class Phone(Paper):
    phone_type: str
    phone_number: str = ""
    phone_area_code: str = ""
    phone_country_code: str = ""


class Person(Paper):
    first_name: str = ""
    last_name: str = ""
    email_address: str = ""
    include_in_emails: bool = False


class Contact(Paper):
    id: str = msgspec.field(name="ContactID")
    name: str
    updated: str = msgspec.field(name="UpdatedDateUTC")
    account_number: str = ""
    contact_status: str = ""
    email_address: str = ""
    first_name: str = ""
    last_name: str = ""
    default_currency: str = ""
    phones: list[Phone] = []
    contact_persons: list[Person] = []


class Whose(Paper):
    id: str = msgspec.field(name="ContactID")


class Payment(Paper):
    id: str = msgspec.field(name="PaymentID")
    amount: Decimal
    date: str


class Invoice(Paper):
    id: str = msgspec.field(name="InvoiceID")
    contact: Whose
    updated: str = msgspec.field(name="UpdatedDateUTC")
    date_string: str
    due_date_string: str
    currency_code: str
    total: Decimal
    amount_due: Decimal
    amount_paid: Decimal
    amount_credited: Decimal
    invoice_number: str = ""
    reference: str = ""
    payments: list[Payment] = []


class Credit(Paper):
    contact: Whose
    updated: str = msgspec.field(name="UpdatedDateUTC")
    date_string: str
    currency_code: str
    total: Decimal
    remaining_credit: Decimal
    credit_note: str = msgspec.field(name="CreditNoteID", default="")
    overpayment: str = msgspec.field(name="OverpaymentID", default="")
    prepayment: str = msgspec.field(name="PrepaymentID", default="")
    credit_note_number: str = ""


class Paging(msgspec.Struct, rename="camel"):
    page_count: int


def _page(name: str, row: type[Paper]) -> msgspec.json.Decoder[Any]:
    fields = [
        ("rows", list[row], msgspec.field(name=name)),  # type: ignore[valid-type]
        ("pagination", Paging),
        ("at", str, msgspec.field(name="DateTimeUTC")),
    ]
    return msgspec.json.Decoder(msgspec.defstruct(f"{name}Page", fields))  # type: ignore[arg-type]


DECODERS = {
    "Contacts": _page("Contacts", Contact),
    "Invoices": _page("Invoices", Invoice),
    "CreditNotes": _page("CreditNotes", Credit),
    "Overpayments": _page("Overpayments", Credit),
    "Prepayments": _page("Prepayments", Credit),
}


# --- the tables

ACCOUNT = (
    *("organisation_id", "ledger_id", "name", "number", "email", "phone", "mobile", "first_name", "last_name"),
    *("currency", "archived", "changed_at"),
)
INVOICE = (
    *("organisation_id", "ledger_id", "account_id", "number", "reference", "issued_on", "due_on", "total", "balance"),
    *("paid", "credited", "currency", "status", "changed_at"),
)
CREDIT = (
    *("organisation_id", "ledger_id", "account_id", "kind", "number", "issued_on", "total", "remaining", "currency"),
    *("status", "changed_at"),
)


def _take_in_contacts(connection: sqlite3.Connection, contacts: Sequence[Contact]) -> None:
    upsert(connection, "accounts", ACCOUNT, [_account(contact) for contact in contacts])
    numbers = numbers_of(connection, "accounts", [contact.id for contact in contacts])
    connection.executemany("DELETE FROM contacts WHERE account_id = ?", [(number,) for number in numbers.values()])
    rows = [
        (
            numbers[contact.id],
            place,
            f"{one.first_name} {one.last_name}".strip(),
            one.email_address,
            one.include_in_emails,
        )
        for contact in contacts
        for place, one in enumerate(contact.contact_persons)
    ]
    connection.executemany("INSERT INTO contacts VALUES (?, ?, ?, ?, '', '', ?)", rows)


def _account(contact: Contact) -> Row:
    phones = {phone.phone_type: phone for phone in contact.phones}
    return (
        ORGANISATION,
        contact.id,
        contact.name,
        contact.account_number,
        contact.email_address,
        _phone(phones.get("DEFAULT")),
        _phone(phones.get("MOBILE")),
        contact.first_name,
        contact.last_name,
        contact.default_currency,
        contact.contact_status == "ARCHIVED",
        _instant(contact.updated),
    )


def _phone(phone: Phone | None) -> str:
    if phone is None or not phone.phone_number:
        return ""
    return f"+{phone.phone_country_code}{phone.phone_area_code}{phone.phone_number}"


def _take_in_invoices(connection: sqlite3.Connection, invoices: Sequence[Invoice]) -> set[int]:
    accounts = numbers_of(connection, "accounts", {invoice.contact.id for invoice in invoices})
    rows = [
        (
            ORGANISATION,
            invoice.id,
            accounts[invoice.contact.id],
            invoice.invoice_number,
            invoice.reference,
            invoice.date_string[:10],
            invoice.due_date_string[:10],
            int(invoice.total * 10_000),
            int(invoice.amount_due * 10_000),
            int(invoice.amount_paid * 10_000),
            int(invoice.amount_credited * 10_000),
            invoice.currency_code,
            "open",
            _instant(invoice.updated),
        )
        for invoice in invoices
    ]
    upsert(connection, "invoices", INVOICE, rows)
    if paid := [invoice for invoice in invoices if invoice.payments]:
        numbers = numbers_of(connection, "invoices", [invoice.id for invoice in paid])
        connection.executemany("DELETE FROM payments WHERE invoice_id = ?", [(number,) for number in numbers.values()])
        payments = [
            (numbers[invoice.id], payment.id, _instant(payment.date)[:10], int(payment.amount * 10_000))
            for invoice in paid
            for payment in invoice.payments
        ]
        connection.executemany("INSERT INTO payments VALUES (?, ?, ?, ?)", payments)
    return set(accounts.values())


def _take_in_credits(connection: sqlite3.Connection, name: str, credits_: Sequence[Credit]) -> set[int]:
    accounts = numbers_of(connection, "accounts", {credit.contact.id for credit in credits_})
    kind = {"CreditNotes": "credit_note", "Overpayments": "overpayment", "Prepayments": "prepayment"}[name]
    rows = [
        (
            ORGANISATION,
            credit.credit_note or credit.overpayment or credit.prepayment,
            accounts[credit.contact.id],
            kind,
            credit.credit_note_number,
            credit.date_string[:10],
            int(credit.total * 10_000),
            int(credit.remaining_credit * 10_000),
            credit.currency_code,
            "open",
            _instant(credit.updated),
        )
        for credit in credits_
    ]
    upsert(connection, "credits", CREDIT, rows)
    return set(accounts.values())


def upsert(connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: list[Row]) -> None:
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns[2:])
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT (organisation_id, ledger_id) DO UPDATE SET {changes}",
        rows,
    )


def numbers_of(connection: sqlite3.Connection, table: str, ledger_ids: Any) -> dict[str, int]:
    ids = json.dumps(list(ledger_ids))
    query = (
        f"SELECT ledger_id, id FROM {table} WHERE organisation_id = {ORGANISATION}"
        " AND ledger_id IN (SELECT value FROM json_each(?))"
    )
    return dict(connection.execute(query, (ids,)).fetchall())


def _instant(text: str) -> str:
    """`/Date(1518652800000+0000)/` as the product keeps it."""
    at = datetime.fromtimestamp(int(text[6 : text.index("+")]) / 1000, UTC)
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")
