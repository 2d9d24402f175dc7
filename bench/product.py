"""The product's own recalculation, as the daemon runs it: what is measured, and how it is reached.

When the product's door changes, this is the only file here that has to know.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import configure_mappers

from bench import ledger
from engine.receivables import Invoice, InvoiceStatus, Payment
from jobs.office import Office
from jobs.recalculate import recalculate, recalculate_in
from jobs.uncollected import keep_for_good
from store import Database, read_or_make_keys
from store.ledger_copy import TakenIn, take_in_invoices
from store.tables import OrganisationRow

ORGANISATION = 1


def product_pass(office: Office) -> None:
    """Looks at every account of the organisation."""
    recalculate(office, ORGANISATION)


def new_day(office: Office) -> None:
    """Begins a day as the daemon does: the product says itself whom it has to look at."""
    recalculate(office, ORGANISATION, ())


def one_payment(office: Office, invoice: Invoice) -> None:
    """Takes in one invoice that has been paid, and looks at its account, in one unit of work."""
    with office.database.unit_of_work() as unit:
        taken = TakenIn()
        take_in_invoices(unit, ORGANISATION, [invoice], taken, now=office.clock())
        recalculate_in(unit, office, ORGANISATION, taken.touched)


def looks(url: str, now: str) -> Iterator[Callable[[], None]]:
    """One look at everything, ready to be timed: nobody is left out, as after a change of the rules."""
    with closing(_office(url, now)) as office:
        with office.database.unit_of_work() as unit:
            unit.get_one(OrganisationRow, ORGANISATION).recalculated_ground = None
        yield lambda: product_pass(office)


def wholes(url: str, now: str) -> Iterator[Callable[[], None]]:
    """The whole organisation, ready to be timed: whoever provably stands where the position says is left out."""
    with closing(_office(url, now)) as office:
        yield lambda: product_pass(office)


def new_days(url: str, now: str) -> Iterator[Callable[[], None]]:
    """The beginning of one day, ready to be timed."""
    with closing(_office(url, now)) as office:
        yield lambda: new_day(office)


def payments(url: str, now: str, paid: Sequence[Sequence[Any]]) -> Iterator[Callable[[], None]]:
    """A payment after another, each ready to be timed."""
    with closing(_office(url, now)) as office:
        for row in paid:
            invoice = _paid(ledger.invoice_of(row), office.clock())
            yield lambda invoice=invoice: one_payment(office, invoice)


def _office(url: str, now: str) -> Office:
    """An office without ledgers and channels, warm as it is in a daemon that has been running for a while."""
    moment = datetime.fromisoformat(now)
    with tempfile.TemporaryDirectory() as folder:
        vault = read_or_make_keys(Path(folder) / "secrets.key")
    office = Office(database=Database(url), vault=vault, clock=lambda: moment)
    configure_mappers()
    with office.database.reading() as session:
        session.execute(text("SELECT 1"))
    keep_for_good()
    return office


def _paid(owed: ledger.Invoice, now: datetime) -> Invoice:
    """The invoice as the ledger would now show it: paid in full, with its payment."""
    amount = Decimal(owed.cents) / 100
    return Invoice(
        ledger_id=owed.ledger_id,
        account_ledger_id=owed.account_ledger_id,
        account_name=f"Account {owed.account:06d}",
        number=owed.name,
        issued_on=owed.issued_on,
        due_on=owed.due_on,
        total=amount,
        balance=Decimal(0),
        currency="GBP",
        status=InvoiceStatus.PAID,
        paid=amount,
        settled_on=now.date(),
        payments=(Payment(f"payment-{owed.number}", now.date(), amount),),
        changed_at=now,
    )
