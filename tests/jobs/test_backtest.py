"""Mirrors jobs/backtest.py: what a workflow would have sent over the past that our copy of the ledger knows."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import pytest

from conftest import shared_file
from daemon.backtest_command import headline
from engine.workflow import Channel, Step, WorkflowKind
from jobs.backtest import Backtest, backtest
from store.tables import AccountRow, InvoiceRow
from unplugged import Unplugged, no_network

SHORT = (Step("r1", "First", 5), Step("r2", "Second", 12), Step("r3", "Last", 26))


@pytest.fixture
def firm(sqlite_url: str) -> Unplugged:
    return a_firm(sqlite_url)


def a_firm(url: str) -> Unplugged:
    firm = Unplugged(url, sending_weekdays=list(range(7)))
    firm.now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    return firm


def sent(told: Backtest) -> list[tuple[str, str, str]]:
    return [(str(one.send.on), told.names[int(one.account)], one.send.step) for one in told.messages]


def test_each_account_walks_from_its_first_invoice_to_the_day_it_paid(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    fern, ivy = firm.account("Fern & Fig Café"), firm.account("Ivy Cottage")
    firm.invoice(fern, "2026-02-01", issued_on=date(2026, 1, 5), settled="2026-02-20")
    firm.invoice(fern, "2026-04-01", issued_on=date(2026, 3, 5), settled="2026-04-06")
    firm.invoice(ivy, "2026-06-10", issued_on=date(2026, 6, 1))

    told = backtest(firm.office, firm.id)

    assert sent(told) == [
        ("2026-02-06", "Fern & Fig Café", "First"),
        ("2026-02-13", "Fern & Fig Café", "Second"),
        ("2026-06-15", "Ivy Cottage", "First"),
        ("2026-06-22", "Ivy Cottage", "Second"),
    ]
    assert (told.workflow, told.accounts, told.invoices) == ("Short", 2, 3)
    assert (told.first, told.since, told.until) == (date(2026, 1, 5), date(2026, 1, 5), date(2026, 6, 30))
    assert told.before_payment == 1, "the one of 13 February, paid on the 20th; what is paid on its day is not chased"
    assert [(str(line.month), dict(line.steps), line.accounts) for line in told.months] == [
        ("2026-02-01", {"First": 1, "Second": 1}, 1),
        ("2026-06-01", {"First": 1, "Second": 1}, 1),
    ]
    assert [(told.names[int(line.account)], line.messages) for line in told.most] == [
        ("Fern & Fig Café", 2),
        ("Ivy Cottage", 2),
    ]
    assert told.messages[0].because == "INV-1 is the oldest overdue invoice at 5 days"


def test_another_workflow_and_another_first_day_can_be_asked_for(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    firm.workflow("Gentle", Step("g1", "Nudge", 10), default=False)
    fern = firm.account("Fern & Fig Café")
    firm.invoice(fern, "2026-02-01", issued_on=date(2026, 1, 5), settled="2026-02-20")
    firm.invoice(fern, "2026-05-01", issued_on=date(2026, 4, 5), settled="2026-05-20")

    assert sent(backtest(firm.office, firm.id, workflow="gentle")) == [
        ("2026-02-11", "Fern & Fig Café", "Nudge"),
        ("2026-05-11", "Fern & Fig Café", "Nudge"),
    ]
    assert len(backtest(firm.office, firm.id, workflow="2", since=date(2026, 3, 1)).messages) == 1
    with pytest.raises(LookupError, match=r"No workflow is called 'Stern'\. .* Gentle \(2\), Short \(1\)\."):
        backtest(firm.office, firm.id, workflow="Stern")


def test_paying_the_oldest_moves_back_and_is_counted(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    fern = firm.account("Fern & Fig Café")
    firm.invoice(fern, "2026-04-01", issued_on=date(2026, 3, 1), settled="2026-04-30")
    firm.invoice(fern, "2026-04-20", issued_on=date(2026, 3, 20), settled="2026-06-01")

    told = backtest(firm.office, firm.id)

    assert [(str(move.on), move.note.text[:36]) for move in told.moves] == [
        ("2026-04-30", "Moved back from Last to First: INV-1"),
    ]
    assert [step for *_, step in sent(told)] == ["First", "Second", "Last", "Second", "Last"]


def test_part_payments_credits_and_voids_are_played_back(database_url: str) -> None:
    firm = a_firm(database_url)
    firm.workflow("Short", *SHORT)
    firm.settle(ignore_below=20)
    parts, credited, voided = (firm.account(name) for name in ("Parts", "Credited", "Voided"))
    issued = date(2026, 4, 1)
    firm.invoice(parts, "2026-05-01", issued_on=issued, parts=(("2026-05-08", 90),))  # ten are not worth a letter
    firm.invoice(credited, "2026-05-01", issued_on=issued, status="credited", credited=(("2026-05-15", 100),))
    seen = datetime(2026, 5, 20, 8, tzinfo=UTC)
    firm.invoice(voided, "2026-05-01", issued_on=issued, status="voided", settled_seen_at=seen)

    assert sent(backtest(firm.office, firm.id)) == [
        ("2026-05-06", "Credited", "First"),
        ("2026-05-06", "Parts", "First"),
        ("2026-05-06", "Voided", "First"),
        ("2026-05-13", "Credited", "Second"),
        ("2026-05-13", "Voided", "Second"),
    ]


def test_what_people_said_is_left_out_and_who_cannot_be_reached_still_cannot(firm: Unplugged) -> None:
    firm.workflow("Mixed", Step("r1", "First", 5), Step("t", "Text", 12, Channel.SMS))
    firm.settle(paused_at=firm.now)
    paused = firm.account("Paused", mobile="+447700900001")
    firm.hold(paused, "paused", since=date(2026, 1, 1))
    silent = firm.account("No address", email="")
    for account in (paused, silent):
        firm.invoice(account, "2026-05-01", issued_on=date(2026, 4, 1))

    assert [(name, step) for _, name, step in sent(backtest(firm.office, firm.id))] == [
        ("Paused", "First"),
        ("Paused", "Text"),
    ]


def test_public_holidays_of_long_ago_were_holidays(firm: Unplugged) -> None:
    """In 2021 Christmas fell on a weekend, so in the United Kingdom the 27th and the 28th were days off as well."""
    firm.workflow("Short", *SHORT)
    firm.invoice(firm.account("Fern"), "2021-12-20", issued_on=date(2021, 12, 1), settled="2022-01-01")

    assert [day for day, *_ in sent(backtest(firm.office, firm.id))] == ["2021-12-25"]
    firm.settle(holiday_calendar="GB")
    assert [day for day, *_ in sent(backtest(firm.office, firm.id))] == ["2021-12-29"]


@pytest.mark.parametrize("kind", WorkflowKind)
def test_no_reminder_ever_lists_what_was_settled_before(firm: Unplugged, kind: WorkflowKind) -> None:
    """A made-up past of forty accounts; and nothing is asked, sent or written."""
    firm.workflow("Short", *SHORT, kind=kind)
    chance, settled_on = Random(8), {}
    for number in range(40):
        account = firm.account(f"Account {number}")
        for _ in range(chance.randint(1, 8)):
            issued = date(2025, 7, 1).fromordinal(date(2025, 7, 1).toordinal() + chance.randint(0, 330))
            due = date.fromordinal(issued.toordinal() + 14)
            paid = date.fromordinal(due.toordinal() + chance.randint(-10, 60))
            parts = ((str(date.fromordinal(issued.toordinal() + 3)), 40),) if chance.random() < 0.3 else ()
            gone = str(paid) if paid <= firm.now.date() else None
            invoice = firm.invoice(account, str(due), issued_on=issued, settled=gone, parts=parts)
            settled_on[invoice] = paid if gone else None
    before = firm.everything()

    with no_network():
        told = backtest(firm.office, firm.id)

    listed = [(one.send.on, settled_on[int(name)]) for one in told.messages for name in one.send.invoices]
    assert len(told.messages) > 100
    assert not [(on, gone) for on, gone in listed if gone is not None and on >= gone]
    assert firm.everything() == before


def test_over_two_real_years_nothing_is_listed_that_was_settled(firm: Unplugged) -> None:
    """2,466 invoices of a hundred debtors. The file is not part of the product; the test is skipped without it."""
    path = shared_file("data/late-payment-histories.csv")
    firm.workflow("Short", *SHORT)
    gone: dict[str, date] = {}
    accounts: dict[str, int] = {}
    with firm.office.database.unit_of_work() as unit:
        for row in csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()):
            name, number = row["customerID"], row["invoiceNumber"]
            if name not in accounts:
                unit.add(account := AccountRow(organisation_id=firm.id, ledger_id=name, name=name, email="a@b.example"))
                unit.flush()
                accounts[name] = account.id or 0
            issued, due, settled = (_american(row[of]) for of in ("InvoiceDate", "DueDate", "SettledDate"))
            gone[number] = settled
            unit.add(
                InvoiceRow(
                    organisation_id=firm.id,
                    account_id=accounts[name],
                    ledger_id=number,
                    number=number,
                    issued_on=issued,
                    due_on=due,
                    settled_on=settled,
                    total=Decimal(row["InvoiceAmount"]),
                    balance=Decimal(0),
                    status="paid",
                )
            )

    told = backtest(firm.office, firm.id)

    listed = [(one.send.on, told.numbers[name]) for one in told.messages for name in one.send.invoices]
    assert (told.accounts, told.invoices) == (100, 2466)
    assert len(told.messages) > 400
    assert not [pair for pair in listed if pair[0] >= gone[pair[1]]]
    assert told.moves
    assert 0 < told.before_payment < len(told.messages)


def _american(day: str) -> date:
    month, of_month, year = map(int, day.split("/"))
    return date(year, month, of_month)


def test_a_first_day_that_is_to_come_is_refused(firm: Unplugged) -> None:
    firm.workflow("Short", Step("r1", "First", 5))
    firm.account("Fern", "2026-05-10")

    with pytest.raises(LookupError, match=r"1 July 2026 has not come yet\. To look ahead, use 'arrears simulate'"):
        backtest(firm.office, firm.id, since=date(2026, 7, 1))
    told = backtest(firm.office, firm.id, since=date(2026, 6, 1))
    assert headline(told)[0] == "Nothing: no step came due in these days."


def test_a_ledger_without_a_past_is_told_as_such(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)

    told = backtest(firm.office, firm.id)

    assert (told.first, told.messages, told.accounts, told.months) == (None, (), 0, ())
