"""Mirrors store/ledger_copy.py: what the ledger said is kept faithfully, and only differences are written."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.receivables import Account, Contact, Invoice, InvoiceStatus, Payment
from fresh_books import open_books
from store import Database
from store.ledger_copy import TakenIn, follow_merges, take_in_accounts, take_in_invoices
from store.tables import AccountRow, ContactRow, InvoiceRow, OrganisationRow, PaymentRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
FERN = Account(ledger_id="C1", name="Fern", email="fern@fig.example", contacts=(Contact("Finn", "finn@fig.example"),))
INVOICE = Invoice(
    ledger_id="I1",
    account_ledger_id="C1",
    account_name="Fern",
    number="INV-1",
    issued_on=date(2026, 4, 1),
    due_on=date(2026, 5, 1),
    total=Decimal("100.00"),
    balance=Decimal("100.00"),
    currency="GBP",
    status=InvoiceStatus.OPEN,
)
PAID = replace(
    INVOICE,
    balance=Decimal(0),
    paid=Decimal("100.00"),
    status=InvoiceStatus.PAID,
    settled_on=date(2026, 5, 3),
    payments=(Payment("P1", date(2026, 5, 3), Decimal("100.00")),),
)


@pytest.fixture
def database(database_url: str):  # type: ignore[no-untyped-def]
    opened = open_books(database_url)
    with opened.unit_of_work() as unit:
        unit.add(OrganisationRow(id=1, name="Firm", created_at=NOW))
    yield opened
    opened.close()


def taken(database: Database, *invoices: Invoice, accounts: tuple[Account, ...] = (FERN,)) -> TakenIn:
    counts = TakenIn()
    with database.unit_of_work() as unit:
        take_in_accounts(unit, 1, accounts, counts)
        follow_merges(unit, 1, counts)
        take_in_invoices(unit, 1, invoices, counts, now=NOW, run=None)
    return counts


def test_the_same_reading_twice_changes_nothing(database: Database) -> None:
    first = taken(database, INVOICE)
    again = taken(database, INVOICE)

    assert (first.new, first.changed, first.reopened) == (2, 0, set())
    assert (again.new, again.changed, again.unchanged, again.touched) == (0, 0, 2, set())


def test_a_payment_settles_the_invoice_and_we_keep_when_we_learnt_of_it(database: Database) -> None:
    taken(database, INVOICE)
    counts = taken(database, PAID)

    with database.reading() as session:
        row = session.scalars(select(InvoiceRow)).one()
        payment = session.scalars(select(PaymentRow)).one()
    assert (row.status, row.balance, row.settled_seen_at) == ("paid", Decimal(0), NOW)
    assert payment.amount == Decimal("100.00")
    assert counts.touched == {row.account_id}


def test_a_deleted_payment_opens_the_invoice_again_and_leaves_no_trace_of_money(database: Database) -> None:
    taken(database, PAID)
    counts = taken(database, INVOICE)

    with database.reading() as session:
        row = session.scalars(select(InvoiceRow)).one()
        assert (row.status, row.balance, row.settled_seen_at) == ("open", Decimal(100), None)
        assert counts.reopened == {(row.account_id, row.number)}
        assert session.scalars(select(PaymentRow)).all() == []


def test_a_reading_that_does_not_carry_payments_leaves_those_we_know(database: Database) -> None:
    taken(database, PAID)
    taken(database, replace(PAID, reference="PO 7", payments=None, allocations=None))

    with database.reading() as session:
        assert session.scalars(select(InvoiceRow)).one().reference == "PO 7"
        assert len(session.scalars(select(PaymentRow)).all()) == 1


def test_an_invoice_of_an_account_not_seen_yet_brings_the_account_along(database: Database) -> None:
    counts = taken(database, INVOICE, accounts=())

    with database.reading() as session:
        account = session.scalars(select(AccountRow)).one()
    assert account.name == "Fern"
    assert counts.touched == {account.id}


def test_an_invoice_that_moves_to_another_account_touches_both(database: Database) -> None:
    taken(database, INVOICE, accounts=(FERN, replace(FERN, ledger_id="C2", name="Ash")))
    counts = taken(database, replace(INVOICE, account_ledger_id="C2", account_name="Ash"))

    assert len(counts.touched) == 2


def test_a_merged_account_hands_its_invoices_over(database: Database) -> None:
    other = replace(FERN, ledger_id="C2", name="Fern Ltd")
    taken(database, INVOICE, accounts=(FERN, other))
    taken(database, accounts=(replace(FERN, archived=True, merged_into="C2"),))

    with database.reading() as session:
        names = {row.id: row.name for row in session.scalars(select(AccountRow))}
        assert names[session.scalars(select(InvoiceRow)).one().account_id] == "Fern Ltd"


def test_a_changed_contact_person_replaces_the_old_one(database: Database) -> None:
    taken(database, INVOICE)
    counts = taken(database, accounts=(replace(FERN, contacts=(Contact("Finn", "new@fig.example"),)),))

    with database.reading() as session:
        assert [row.email for row in session.scalars(select(ContactRow))] == ["new@fig.example"]
    assert len(counts.touched) == 1
