"""A file of past invoices and the days they were paid, played back as a ledger.

Each invoice is raised at 08:00 of its day and paid in full at 10:00 of the day it was settled, as the clock moves. The
columns are those of the public late-payment-histories sample: one row an invoice, days written month/day/year.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from sandbox.documents import Contact, NotPossible
from sandbox.organisation import BOOKED_AT, RAISED_AT, Organisation
from sandbox.world import World

NEEDED = ("customerID", "invoiceNumber", "InvoiceDate", "DueDate", "InvoiceAmount", "SettledDate")


class BadRow(NotPossible):
    """A cell cannot be used; the message names file, line, column, value and what would be accepted."""


@dataclass(frozen=True, slots=True)
class Past:
    customer: str
    country: str
    number: str
    raised: date
    due: date
    amount: Decimal
    settled: date | None
    disputed: bool


def load(world: World, text: str, name: str, begin: datetime | None = None) -> dict[str, object]:
    """Put the whole file on the timetable. Empty books begin the day before the first invoice, unless told when."""
    rows = read(text, name)
    firm = world.organisation(None) if world.organisations else found_firm(world)
    eve = firm.at(min(row.raised for row in rows) - timedelta(days=1), time(0))
    if not any(len(shelf) for shelf in firm.books.shelves.values()):
        world.clock.set(begin or eve)
    with world.clock.showing(min(eve, world.clock.now())):
        contacts = _contacts(world, firm, rows)
    for row in sorted(rows, key=lambda row: row.raised):
        _plan(world, firm, contacts[row.customer], row)
    world.catch_up()
    return {"customers": len(contacts), "invoices": len(rows), "now": world.clock.now().isoformat()}


def found_firm(world: World) -> Organisation:
    return world.found(
        "Histories Trading Ltd",
        currency="GBP",
        country="GB",
        timezone="GMTSTANDARDTIME",
        mail_domain="histories.example",
        short_code="!h1St0r",
    )


def read(text: str, name: str) -> list[Past]:
    table = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), skipinitialspace=True)
    missing = [column for column in NEEDED if column not in (table.fieldnames or ())]
    if missing:
        raise BadRow(f"{name}, line 1: the column {missing[0]} is missing; needed are {', '.join(NEEDED)}.")
    rows: list[Past] = []
    lines: dict[str, int] = {}
    for cells in table:
        cell = _Cells(name, table.line_num, cells)
        row = _past(cell)
        if row.number in lines:
            raise cell.bad("invoiceNumber", f"a number that is not already used, as on line {lines[row.number]}")
        lines[row.number] = table.line_num
        rows.append(row)
    if not rows:
        raise BadRow(f"{name}, line 2: there is no invoice; each line below the heading is one.")
    return rows


def _past(cell: "_Cells") -> Past:
    raised = cell.day("InvoiceDate")
    settled = cell.day("SettledDate") if cell.text("SettledDate", "") else None
    if settled is not None and settled < raised:
        raise cell.bad("SettledDate", f"a day not before the InvoiceDate {cell.text('InvoiceDate')}, or nothing")
    due = cell.day("DueDate")
    if due < raised:
        raise cell.bad("DueDate", f"a day not before the InvoiceDate {cell.text('InvoiceDate')}")
    disputed = cell.text("Disputed", "No").lower()
    if disputed not in ("yes", "no"):
        raise cell.bad("Disputed", "Yes or No")
    return Past(
        customer=cell.text("customerID"),
        country=cell.text("countryCode", ""),
        number=cell.text("invoiceNumber"),
        raised=raised,
        due=due,
        amount=cell.amount("InvoiceAmount"),
        settled=settled,
        disputed=disputed == "yes",
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    name: str
    line: int
    cells: dict[str, str | None]

    def text(self, column: str, otherwise: str | None = None) -> str:
        value = (self.cells.get(column) or "").strip()
        if value or otherwise is not None:
            return value or otherwise or ""
        raise self.bad(column, "anything but an empty cell")

    def day(self, column: str) -> date:
        try:
            return datetime.strptime(self.text(column), "%m/%d/%Y").date()
        except ValueError as trouble:
            if isinstance(trouble, BadRow):
                raise
            raise self.bad(column, "a day written month/day/year, for example 1/31/2013") from None

    def amount(self, column: str) -> Decimal:
        try:
            value = Decimal(self.text(column))
            if value.is_finite() and value > 0 and value == value.quantize(Decimal("0.01")):
                return value.quantize(Decimal("0.01"))
        except InvalidOperation:
            pass
        raise self.bad(column, "an amount above 0 with at most two decimals, for example 55.94")

    def bad(self, column: str, accepted: str) -> BadRow:
        value = self.cells.get(column) or ""
        return BadRow(f"{self.name}, line {self.line}, column {column}: “{value}” was found; accepted is {accepted}.")


def _contacts(world: World, firm: Organisation, rows: list[Past]) -> dict[str, Contact]:
    contacts = {}
    for customer in sorted({row.customer for row in rows}):
        contact = Contact(
            id=firm.books.new_id(),
            name=customer,
            updated=world.clock.now(),
            email=f"{customer.lower()}@debtors.example",
            account_number=customer,
            is_customer=True,
        )
        contacts[customer] = firm.books.add_contact(contact)
    return contacts


def _plan(world: World, firm: Organisation, contact: Contact, row: Past) -> None:
    def raise_it() -> None:
        firm.books.add_invoice(
            contact,
            total=row.amount,
            date=row.raised,
            due=row.due,
            number=row.number,
            taxed=False,
            disputed=row.disputed,
        )

    def settle_it() -> None:
        firm.books.pay(firm.books.invoice(row.number), on=row.settled)

    world.timetable.add(firm.at(row.raised, RAISED_AT), f"invoice {row.number} is raised on {contact.name}", raise_it)
    if row.settled is not None:
        at = firm.at(row.settled, BOOKED_AT)
        world.timetable.add(at, f"{contact.name} pays invoice {row.number}", settle_it)
