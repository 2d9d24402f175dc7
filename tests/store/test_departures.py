"""Mirrors store/departures.py and store/payers.py: what is gone is owed no longer, and a branch's head office pays."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from engine.receivables import Account, Credit, CreditKind, Invoice, InvoiceStatus
from fresh_books import open_books
from store.departures import take_out
from store.ledger_copy import TakenIn, take_in_accounts, take_in_credits, take_in_invoices
from store.payers import settle_payers
from store.tables import AccountRow, CreditRow, InvoiceRow, OrganisationRow

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def unit(database_url: str) -> Iterator[Session]:
    database = open_books(database_url)
    with database.unit_of_work() as session:
        session.add(OrganisationRow(id=1, name="Brightwater", created_at=NOW))
        session.flush()
        yield session
    database.close()


def account(name: str, billed_with: str | None = None) -> Account:
    return Account(ledger_id=name, name=name.title(), billed_with=billed_with, changed_at=NOW)


def invoice(number: str, whose: str, status: InvoiceStatus = InvoiceStatus.OPEN) -> Invoice:
    owed = Decimal("10.00") if status is InvoiceStatus.OPEN else Decimal(0)
    return Invoice(
        ledger_id=number,
        account_ledger_id=whose,
        account_name=whose.title(),
        number=number,
        issued_on=date(2026, 1, 1),
        due_on=date(2026, 1, 31),
        total=Decimal("10.00"),
        balance=owed,
        currency="GBP",
        status=status,
        changed_at=NOW,
    )


def credit(number: str, whose: str) -> Credit:
    return Credit(
        ledger_id=number,
        account_ledger_id=whose,
        kind=CreditKind.CREDIT_NOTE,
        number=number,
        issued_on=date(2026, 1, 1),
        total=Decimal("4.00"),
        remaining=Decimal("4.00"),
        currency="GBP",
        status=InvoiceStatus.OPEN,
        changed_at=NOW,
    )


def read(
    unit: Session, accounts: Sequence[Account] = (), invoices: Sequence[Invoice] = (), credits_: Sequence[Credit] = ()
) -> TakenIn:
    taken = TakenIn()
    take_in_accounts(unit, 1, accounts, taken)
    taken.touched |= settle_payers(unit, 1)
    take_in_invoices(unit, 1, invoices, taken, now=NOW)
    take_in_credits(unit, 1, credits_, taken)
    unit.expire_all()
    return taken


def where(unit: Session, table: Any, number: str) -> tuple[str, str | None]:
    """Who pays, and the branch that it is for."""
    row = unit.scalars(select(table).where(col(table.ledger_id) == number)).one()
    branch = unit.get(AccountRow, row.billed_for) if row.billed_for is not None else None
    return unit.get(AccountRow, row.account_id).ledger_id, branch.ledger_id if branch is not None else None


def number(unit: Session, name: str) -> int:
    return unit.scalars(select(AccountRow.id).where(col(AccountRow.ledger_id) == name)).one()


def test_a_deleted_invoice_is_owed_no_longer_and_says_from_which_reading_that_was_learnt(unit: Session) -> None:
    read(unit, [account("fern")], [invoice("I-1", "fern"), invoice("I-2", "fern")], [credit("C-1", "fern")])
    taken = TakenIn()
    gone = [("invoices", "I-1"), ("credits", "C-1"), ("accounts", "fern"), ("invoices", "never seen"), ("bills", "B-1")]
    assert take_out(unit, 1, gone, taken, now=NOW, run=7) == 3
    assert take_out(unit, 1, gone, taken, now=NOW, run=8) == 0, "telling it again changes nothing"
    unit.expire_all()
    row = unit.scalars(select(InvoiceRow).where(col(InvoiceRow.ledger_id) == "I-1")).one()
    assert (row.status, row.balance, row.settled_by_run, row.settled_seen_at) == ("deleted", Decimal(0), 7, NOW)
    assert unit.scalars(select(InvoiceRow.status).where(col(InvoiceRow.ledger_id) == "I-2")).one() == "open"
    assert unit.scalars(select(CreditRow.remaining)).one() == Decimal(0)
    assert unit.scalars(select(AccountRow.archived)).one() is True
    assert taken.touched == {number(unit, "fern")}
    assert [change.what for change in taken.changes.kept] == ["gone"] * 3


def test_what_another_organisation_has_stays(unit: Session) -> None:
    unit.add(OrganisationRow(id=2, name="Quayside", created_at=NOW))
    unit.flush()
    read(unit, [account("fern")], [invoice("I-1", "fern")])
    assert take_out(unit, 2, [("invoices", "I-1"), ("accounts", "fern")], TakenIn(), now=NOW) == 0


def test_what_a_branch_owes_is_asked_of_whoever_pays_at_last(unit: Session) -> None:
    firm = [account("office"), account("region", "office"), account("branch", "region")]
    taken = read(unit, firm, [invoice("I-1", "branch"), invoice("I-2", "office")], [credit("C-1", "branch")])
    assert where(unit, InvoiceRow, "I-1") == ("office", "branch")
    assert where(unit, InvoiceRow, "I-2") == ("office", None)
    assert where(unit, CreditRow, "C-1") == ("office", "branch")
    assert number(unit, "office") in taken.touched
    again = read(unit, firm, [invoice("I-1", "branch")], [credit("C-1", "branch")])
    assert (again.new, again.changed) == (0, 0)


def test_invoices_come_back_when_the_ledger_changes_who_pays(unit: Session) -> None:
    read(unit, [account("office"), account("branch", "office")], [invoice("I-1", "branch")], [credit("C-1", "branch")])
    taken = read(unit, [account("branch")])
    assert where(unit, InvoiceRow, "I-1") == ("branch", None)
    assert where(unit, CreditRow, "C-1") == ("branch", None)
    assert {number(unit, "office"), number(unit, "branch")} <= taken.touched
    read(unit, [account("other"), account("branch", "other")])
    assert where(unit, InvoiceRow, "I-1") == ("other", "branch")


def test_a_head_office_that_is_told_of_later_takes_over_what_was_read_before(unit: Session) -> None:
    read(unit, [account("branch", "office")], [invoice("I-1", "branch")])
    assert where(unit, InvoiceRow, "I-1") == ("branch", None)
    read(unit, [account("office")])
    assert where(unit, InvoiceRow, "I-1") == ("office", "branch")


def test_accounts_that_pay_for_one_another_in_a_circle_each_keep_their_own(unit: Session) -> None:
    read(unit, [account("one", "two"), account("two", "one")], [invoice("I-1", "one")])
    assert where(unit, InvoiceRow, "I-1") == ("one", None)
