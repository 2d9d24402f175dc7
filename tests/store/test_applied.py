"""Mirrors store/applied.py: what payments settle is kept to the cent, whatever becomes of the payments."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from engine.receivables import Account, Allocation, Applied, AppliedTo, Invoice, InvoiceStatus, SettledBy
from fresh_books import open_books
from store import Database
from store.applied import take_in_applied
from store.changes import Changes
from store.ledger_copy import TakenIn, take_in_accounts, take_in_invoices
from store.tables import AllocationRow, InvoiceRow, OrganisationRow, PaymentRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SUNDAY = date(2026, 5, 3)
NAMES = ("I1", "I2", "I3")
INVOICE = Invoice(
    ledger_id="I1",
    account_ledger_id="C1",
    account_name="Fern",
    number="INV-1",
    issued_on=date(2026, 4, 1),
    due_on=date(2026, 5, 1),
    total=Decimal("100.00"),
    balance=Decimal("100.00"),
    currency="USD",
    status=InvoiceStatus.OPEN,
    payments=None,
    allocations=None,
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Two firms whose ledgers give the same ids; each invoice is another account's."""
    opened = open_books(database_url)
    with opened.unit_of_work() as unit:
        unit.add(OrganisationRow(id=1, name="Firm", created_at=NOW))
        unit.add(OrganisationRow(id=2, name="Other firm", created_at=NOW))
        unit.flush()
        for firm in (1, 2):
            take_in_accounts(unit, firm, [Account(f"C{name}", name) for name in NAMES], TakenIn())
            invoices = [replace(INVOICE, ledger_id=name, account_ledger_id=f"C{name}") for name in NAMES]
            take_in_invoices(unit, firm, invoices, TakenIn(), now=NOW)
    yield opened
    opened.close()


def taken(database: Database, *applied: Applied, settled_by: tuple[SettledBy, ...] = (), firm: int = 1) -> TakenIn:
    counts = TakenIn(changes=Changes(calls=(1, 1)))
    with database.unit_of_work() as unit:
        take_in_applied(unit, firm, applied, counts, settled_by=settled_by)
    return counts


def payment(name: str, *to: tuple[str, str] | tuple[str, str, str], on: date | None = SUNDAY) -> Applied:
    """Each is an invoice, an amount and, where one was used, a credit."""
    return Applied(name, on, tuple(AppliedTo(one[0], Decimal(one[1]), *one[2:]) for one in to))


def settled(database: Database, firm: int = 1) -> dict[str, dict[tuple[str, ...], Decimal]]:
    """By invoice: each payment, and each used credit after the payment that used it."""
    found: dict[str, dict[tuple[str, ...], Decimal]] = {name: {} for name in NAMES}
    with database.reading() as session:
        names = {row.id: row.ledger_id for row in session.scalars(select(InvoiceRow)) if row.organisation_id == firm}
        for paid in session.scalars(select(PaymentRow)):
            if paid.invoice_id in names:
                found[names[paid.invoice_id]][paid.ledger_id,] = paid.amount
        for used in session.scalars(select(AllocationRow)):
            if used.invoice_id in names:
                found[names[used.invoice_id]][used.document_ledger_id, used.credit_ledger_id] = used.amount
    return found


def accounts_of(database: Database, *names: str) -> set[int]:
    with database.reading() as session:
        rows = session.scalars(select(InvoiceRow)).all()
    return {row.account_id for row in rows if row.organisation_id == 1 and row.ledger_id in names}


def test_a_second_part_payment_stands_beside_the_first_and_only_its_account_is_looked_at(database: Database) -> None:
    first = taken(database, payment("P1", ("I1", "10.50")))
    second = taken(database, payment("P2", ("I1", "20.25")))

    assert settled(database)["I1"] == {("P1",): Decimal("10.50"), ("P2",): Decimal("20.25")}
    assert first.touched == second.touched == accounts_of(database, "I1")


def test_the_same_payment_read_again_changes_nothing(database: Database) -> None:
    one = payment("P1", ("I1", "10.50"), ("I2", "5", "N1"))
    taken(database, one)
    again = taken(database, one)

    assert (again.touched, again.changes.kept) == (set(), [])


def test_a_payment_moved_to_another_invoice_and_taken_back_in_part_leaves_nothing_behind(database: Database) -> None:
    taken(database, payment("P1", ("I1", "60"), ("I2", "40")), payment("P2", ("I1", "1")))
    moved = taken(database, payment("P1", ("I2", "30"), ("I3", "20")))

    assert settled(database) == {
        "I1": {("P2",): Decimal(1)},
        "I2": {("P1",): Decimal(30)},
        "I3": {("P1",): Decimal(20)},
    }
    assert moved.touched == accounts_of(database, *NAMES)


def test_a_deleted_payment_takes_its_money_and_the_credits_that_it_used_away(database: Database) -> None:
    taken(database, payment("P1", ("I1", "60"), ("I2", "40", "N1")))
    gone = taken(database, Applied("P1", None))

    assert settled(database) == {name: {} for name in NAMES}
    assert gone.touched == accounts_of(database, "I1", "I2")


def test_one_credit_used_twice_on_one_invoice_counts_twice_and_each_use_can_be_undone(database: Database) -> None:
    taken(database, payment("P1", ("I1", "5", "N1")), payment("P2", ("I1", "7", "N1")))
    assert settled(database)["I1"] == {("P1", "N1"): Decimal(5), ("P2", "N1"): Decimal(7)}

    taken(database, Applied("P1", None))
    assert settled(database)["I1"] == {("P2", "N1"): Decimal(7)}


def test_two_parts_of_one_payment_for_one_invoice_are_added_up(database: Database) -> None:
    taken(database, payment("P1", ("I1", "5"), ("I1", "7")))

    assert settled(database)["I1"] == {("P1",): Decimal(12)}


def test_money_for_an_invoice_that_is_not_in_our_copy_is_kept_out(database: Database) -> None:
    counts = taken(database, payment("P1", ("unknown", "99"), ("I1", "1")))

    assert settled(database)["I1"] == {("P1",): Decimal(1)}
    assert counts.touched == accounts_of(database, "I1")


def test_another_firm_whose_ledger_gives_the_same_ids_keeps_its_own(database: Database) -> None:
    taken(database, payment("P1", ("I1", "60")), firm=2)
    taken(database, payment("P1", ("I1", "10")))
    taken(database, Applied("P1", None))

    assert settled(database)["I1"] == {}
    assert settled(database, firm=2)["I1"] == {("P1",): Decimal(60)}


def test_what_does_not_stand_on_the_invoice_any_more_goes_though_nobody_told_us_of_its_deletion(
    database: Database,
) -> None:
    taken(
        database, payment("P1", ("I1", "60"), ("I2", "1")), payment("P2", ("I1", "5")), payment("P3", ("I1", "4", "N1"))
    )
    counts = taken(database, settled_by=(SettledBy("I1", frozenset({"P2", "N1"})),))

    assert settled(database)["I1"] == {("P2",): Decimal(5), ("P3", "N1"): Decimal(4)}
    assert settled(database)["I2"] == {("P1",): Decimal(1)}
    assert counts.touched == accounts_of(database, "I1")


def test_what_an_invoice_itself_says_of_its_credits_is_none_of_a_payments_business(database: Database) -> None:
    own = replace(
        INVOICE, account_ledger_id="CI1", balance=Decimal(90), payments=(), allocations=(Allocation("N9", Decimal(10)),)
    )
    with database.unit_of_work() as unit:
        take_in_invoices(unit, 1, [own], TakenIn(), now=NOW)
    taken(database, payment("P1", ("I1", "5")), settled_by=(SettledBy("I1", frozenset({"P1"})),))

    assert settled(database)["I1"] == {("", "N9"): Decimal(10), ("P1",): Decimal(5)}


def test_the_sync_log_says_what_was_and_what_is(database: Database) -> None:
    taken(database, payment("P1", ("I1", "10")))
    (change,) = taken(database, payment("P1", ("I1", "7.50"), ("I1", "2.50", "N1"))).changes.kept

    was, now = {"id": "P1", "on": "2026-05-03", "amount": "10.00"}, {"id": "P1", "on": "2026-05-03", "amount": "7.50"}
    used = {"id": "N1", "on": "2026-05-03", "amount": "2.50", "kind": "credit note"}
    assert (change.list, change.ledger_id, change.calls) == ("invoices", "I1", (1, 1))
    assert change.fields == [("payment", was, now), ("credit", None, used)]


DOCUMENTS = st.builds(
    Applied,
    st.sampled_from(["P1", "P2", "P3", "P4"]),
    st.sampled_from([None, SUNDAY, date(2026, 5, 2)]),
    st.lists(
        st.builds(
            AppliedTo,
            st.sampled_from([*NAMES, "unknown"]),
            st.decimals("0.01", "900", places=2),
            st.sampled_from(["", "N1", "N2"]),
        ),
        max_size=4,
    ).map(tuple),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=st.lists(st.lists(DOCUMENTS, max_size=4), max_size=5))
def test_whatever_payments_say_one_after_another_only_their_last_words_count(
    database: Database, readings: list[list[Applied]]
) -> None:
    with database.unit_of_work() as unit:
        unit.execute(delete(PaymentRow))
        unit.execute(delete(AllocationRow))
    for reading in readings:
        taken(database, *reading)

    expected: dict[str, dict[tuple[str, ...], Decimal]] = {name: {} for name in NAMES}
    for one in {one.ledger_id: one for reading in readings for one in reading}.values():
        for part in one.to:
            if part.invoice_ledger_id in expected:
                key = (one.ledger_id, part.credit_ledger_id) if part.credit_ledger_id else (one.ledger_id,)
                known = expected[part.invoice_ledger_id]
                known[key] = known.get(key, Decimal(0)) + part.amount
    assert settled(database) == expected
