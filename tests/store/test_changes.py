"""Mirrors store/changes.py: the sync log says field by field what was, what is, and with which call it came."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from engine.receivables import Account, Allocation, Contact, CreditKind, Invoice, InvoiceStatus, Payment
from fresh_books import open_books
from store import Database
from store.changes import Changes, keep_changes
from store.ledger_copy import TakenIn, take_in_accounts, take_in_invoices
from store.tables import ChangeRow, ConnectionRow, OrganisationRow, SyncRunRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
FERN = Account(ledger_id="C1", name="Fern", contacts=(Contact("Finn", "finn@fig.example"),))
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
    payments=(),
    allocations=(),
)
HALF = Payment("P1", date(2026, 5, 3), Decimal("40.00"))
CREDIT = Allocation("N1", Decimal("60.00"), date(2026, 5, 4), CreditKind.CREDIT_NOTE)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_books(database_url)
    with opened.unit_of_work() as unit:
        unit.add(OrganisationRow(id=1, name="Firm", created_at=NOW))
        unit.flush()
        unit.add(ConnectionRow(id=1, organisation_id=1, kind="xero", tenant="t", connected_at=NOW))
        unit.flush()
        unit.add(SyncRunRow(id=1, organisation_id=1, connection_id=1, trigger="test", started_at=NOW))
    yield opened
    opened.close()


def taken(database: Database, *invoices: Invoice, account: Account = FERN, most: int = 100) -> Changes:
    counts = TakenIn(changes=Changes(most=most, calls=(2, 2)))
    with database.unit_of_work() as unit:
        take_in_accounts(unit, 1, (account,), counts)
        take_in_invoices(unit, 1, invoices, counts, now=NOW, run=1)
        keep_changes(unit, 1, counts.changes, run=1, at=NOW)
    return counts.changes


def test_a_payment_is_told_with_the_balance_before_and_after_and_the_call_that_brought_it(database: Database) -> None:
    taken(database, INVOICE, most=0)
    paid = replace(INVOICE, balance=Decimal("60.00"), paid=Decimal("40.00"), payments=(HALF,))
    (change,) = taken(database, paid).kept

    assert (change.list, change.ledger_id, change.what, change.calls) == ("invoices", "I1", "changed", (2, 2))
    assert change.fields == [
        ("balance", "100.00", "60.00"),
        ("paid", "0.00", "40.00"),
        ("payment", None, {"id": "P1", "on": "2026-05-03", "amount": "40.00"}),
    ]
    with database.reading() as session:
        row = session.scalars(select(ChangeRow)).one()
    assert [tuple(field) for field in row.fields] == change.fields
    assert (row.sync_run_id, row.first_call, row.at) == (1, 2, NOW)


def test_a_payment_that_was_taken_back_and_a_credit_used_instead_are_both_told(database: Database) -> None:
    taken(database, replace(INVOICE, balance=Decimal("60.00"), payments=(HALF,)), most=0)
    (change,) = taken(database, replace(INVOICE, balance=Decimal("40.00"), allocations=(CREDIT,))).kept

    assert change.fields[1:] == [
        ("payment", {"id": "P1", "on": "2026-05-03", "amount": "40.00"}, None),
        ("credit", None, {"id": "N1", "on": "2026-05-04", "amount": "60.00", "kind": "credit note"}),
    ]


def test_a_summary_that_carries_no_payments_says_nothing_of_them(database: Database) -> None:
    taken(database, replace(INVOICE, balance=Decimal("60.00"), payments=(HALF,)), most=0)
    (change,) = taken(database, replace(INVOICE, due_on=date(2026, 6, 1), balance=Decimal("60.00"), payments=None)).kept

    assert change.fields == [("due_on", "2026-05-01", "2026-06-01")]


def test_new_documents_and_changed_persons_are_told_too(database: Database) -> None:
    account, invoice = taken(database, INVOICE).kept
    assert (account.what, account.fields) == (
        "new",
        [("name", None, "Fern"), ("contacts", [], ["Finn, finn@fig.example"])],
    )
    assert invoice.what == "new"
    assert ("balance", None, "100.00") in invoice.fields

    other = replace(FERN, phone="01234", contacts=(Contact("Finn", "new@fig.example"),))
    (changed,) = taken(database, account=other).kept
    assert changed.fields == [
        ("phone", "", "01234"),
        ("contacts", ["Finn, finn@fig.example"], ["Finn, new@fig.example"]),
    ]


def test_the_first_reading_keeps_counts_alone(database: Database) -> None:
    changes = taken(database, INVOICE, most=0)

    assert (changes.kept, changes.left_out) == ([], 0)


def test_a_reading_that_says_the_same_changes_nothing(database: Database) -> None:
    taken(database, replace(INVOICE, payments=(HALF,)))

    assert taken(database, replace(INVOICE, payments=(HALF,))).kept == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(most=st.integers(1, 12), many=st.integers(0, 12))
def test_what_is_kept_is_never_more_than_the_most_and_the_rest_is_always_counted(
    sqlite_url: str, most: int, many: int
) -> None:
    changes = Changes(most=most)
    for number in range(many):
        changes.besides("invoices", f"I{number}", 1, [("reference", "", "PO")])

    assert len(changes.kept) == min(most, many)
    assert len(changes.kept) + changes.left_out == many
