"""Every decision is kept with what it was made from: made again, it comes out the same, and any past day is explained.

An organisation of ten thousand accounts goes through two weeks of payments, reminders and second thoughts. The ledger
is paper; the store and the jobs are the product.
"""

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlmodel import Session, col

from daemon.clock import MovableClock
from engine.decide import decide
from engine.facts import FirstContact, Rules
from engine.holds import HoldKind
from engine.receivables import CreditKind, Invoice, InvoiceStatus
from engine.reminders import ReminderState
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind
from fresh_books import open_books
from jobs.explain import explain
from jobs.office import Office
from jobs.recalculate import recalculate
from jobs.reminder_settings import save_reminder_settings, settings_of
from jobs.sync import sync
from paper import PaperBooks, paper_office
from paper_founding import add_workflows, found
from store import read_or_make_keys
from store.facts import facts_in_chunks, ground_of
from store.kept_decisions import all_kept, outcome
from store.positions import position_row
from store.rows import days
from store.tables import (
    AccountRow,
    AssignmentRow,
    ConnectionRow,
    CreditRow,
    HoldRow,
    InvoiceRow,
    OrganisationRow,
    PositionRow,
    ReminderRow,
    WorkflowRow,
)

ACCOUNTS = 10_000
FIRST = date(2026, 3, 2)
WORKFLOWS = {
    workflow.id: workflow
    for workflow in (
        Workflow(
            "House",
            "House",
            (
                Step("heads-up", "Heads-up", -3),
                Step("first", "First", 3),
                Step("text", "Text", 10, Channel.SMS),
                Step("last", "Last", 24),
            ),
            link=Link("Stern", 7),
        ),
        Workflow("Stern", "Stern", (Step("call", "Call", 30, Channel.CALL), Step("final", "Final", 40, manual=True))),
        Workflow("Each", "Each", (Step("note", "Note", 4), Step("more", "More", 15)), WorkflowKind.INVOICE),
        Workflow("Again", "Again", (Step("once", "Once", 2), Step("weekly", "Weekly", 9)), repeat_every=7),
    )
}


@dataclass
class Firm:
    """The organisation, its ledger and its clock, and where everybody stood on each evening so far."""

    office: Office
    books: PaperBooks
    clock: MovableClock
    organisation: int
    dice: random.Random
    evenings: dict[date, dict[int, tuple[Any, ...]]]


def test_every_decision_about_ten_thousand_accounts_can_be_made_again(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = _firm(sqlite_url, tmp_path, monkeypatch)
    for offset in (0, 1, 2, 9, 12):
        _a_day(firm, FIRST + timedelta(days=offset), second_thoughts=offset == 9)
        _everybody_stands_where_a_look_would_put_them(firm, FIRST + timedelta(days=offset))

    made: Counter[int] = Counter()
    with firm.office.database.reading() as session:
        for kept in all_kept(session, firm.organisation):
            assert outcome(decide(kept.facts, kept.as_of)) == kept.outcome, (kept.account, kept.as_of)
            made[kept.account] += 1
        accounts = set(session.scalars(select(AccountRow.id)))
        states = Counter(session.scalars(select(PositionRow.state)))
        sent = Counter(session.scalars(select(ReminderRow.state)))
    assert made.keys() == accounts
    assert sum(made.values()) > 2 * ACCOUNTS
    assert states.keys() >= {"clear", "waiting", "pending", "held", "leaving", "idle"}
    assert sent[ReminderState.SENT] > ACCOUNTS / 2
    _past_days_are_explained(firm)
    firm.office.close()


def _everybody_stands_where_a_look_would_put_them(firm: Firm, day: date) -> None:
    """Also those who were passed over, because nothing was to come of a look at them."""
    with firm.office.database.reading() as session:
        ground = ground_of(session, firm.organisation, now=firm.clock())
        for chunk in facts_in_chunks(session, ground, as_of=day):
            for account, (facts, stored, *_) in chunk.items():
                decision = decide(facts, day)
                row = position_row(firm.organisation, account, facts, decision, as_of=day, day=days(session))
                # But for the last one: the day to look again, seen from today, may be a later one.
                assert stored is not None
                assert row[:-1] == stored[:-1], account


def _past_days_are_explained(firm: Firm) -> None:
    """What is told of a past day is what was known then: an invoice that was paid later still drives."""
    with firm.office.database.reading() as session:
        rows = session.execute(select(InvoiceRow.number, InvoiceRow.status))
        paid = {number for number, status in rows if status == InvoiceStatus.PAID}
    for day, stood in firm.evenings.items():
        left = [account for account, (_, _, driver) in stood.items() if driver in paid]
        for account in [*firm.dice.sample(left, min(15, len(left))), *firm.dice.sample(sorted(stood), 15)]:
            told = explain(firm.office, account, at=day)
            position = told.explanation.decision.position
            driver = position.driver.number if position.driver is not None else None
            assert told.as_of == day
            assert (position.workflow.name, type(position.state).__name__.lower(), driver) == stood[account], account
    assert sum(stood[2] in paid for stood in firm.evenings[FIRST].values()) > 100
    *_, before, last = firm.evenings
    quiet = last - timedelta(days=1)  # nobody looked on that day
    account, driver = next(
        (number, driver)
        for number, (_, state, driver) in firm.evenings[before].items()
        if state == "waiting" and firm.evenings[last][number][2] == driver
    )
    told = explain(firm.office, account, at=quiet)
    position = told.explanation.decision.position
    assert told.kept is not None
    assert told.kept.as_of <= before < quiet == position.as_of
    assert position.driver is not None
    assert position.driver.number == driver
    with pytest.raises(LookupError, match="Nothing had been decided"):
        explain(firm.office, account, at=FIRST - timedelta(days=1))


def _a_day(firm: Firm, day: date, *, second_thoughts: bool) -> None:
    """Payments come in, the ledger is read, what is due leaves, and sometimes the firm changes its mind."""
    firm.clock.move(datetime.combine(day, time(7), UTC))
    _payments(firm, 400)
    run = sync(firm.office, firm.organisation, trigger="schedule")
    assert run is not None
    assert run.state == "done", run.error
    firm.clock.move(datetime.combine(day, time(9), UTC))
    sent = _what_is_due_leaves(firm, day)
    recalculate(firm.office, firm.organisation, sent)
    if second_thoughts:
        firm.clock.move(datetime.combine(day, time(19), UTC))
        with firm.office.database.reading() as session:
            organisation = session.get(OrganisationRow, firm.organisation)
            assert organisation is not None
        settings = replace(settings_of(organisation), reassess_on_payment=False, min_days_between_reminders=3)
        save_reminder_settings(firm.office, firm.organisation, settings, by="Olive Owner")
    with firm.office.database.reading() as session:
        query = (
            select(PositionRow.account_id, WorkflowRow.name, PositionRow.state, InvoiceRow.number)
            .join(WorkflowRow, col(WorkflowRow.id) == PositionRow.workflow_id)
            .outerjoin(InvoiceRow, col(InvoiceRow.id) == PositionRow.driver_id)
        )
        firm.evenings[day] = {account: (*stood,) for account, *stood in session.execute(query)}


def _payments(firm: Firm, count: int) -> None:
    """Some of the open invoices are paid, whole or in part."""
    with firm.office.database.reading() as session:
        open_ones = session.scalars(select(InvoiceRow.id).where(col(InvoiceRow.status) == InvoiceStatus.OPEN)).all()
        some = firm.dice.sample(open_ones, count)
        query = select(InvoiceRow, AccountRow.ledger_id).join(AccountRow, col(AccountRow.id) == InvoiceRow.account_id)
        paying = session.execute(query.where(col(InvoiceRow.id).in_(some))).all()
    for row, account in paying:
        left = Decimal(0) if firm.dice.random() < 0.8 else row.balance / 2
        firm.books.keep(
            Invoice(
                ledger_id=row.ledger_id,
                account_ledger_id=account,
                account_name="",
                number=row.number,
                issued_on=None,
                due_on=row.due_on,
                total=row.total,
                balance=left,
                currency=row.currency,
                status=InvoiceStatus.OPEN if left else InvoiceStatus.PAID,
            )
        )


def _what_is_due_leaves(firm: Firm, day: date) -> list[int]:
    """Thousands of messages in one stroke: settled as `store.outbox` settles each of them. Who was written to?"""
    now = firm.clock()
    with firm.office.database.unit_of_work() as unit:
        free = (
            col(ReminderRow.state) == ReminderState.QUEUED,
            col(ReminderRow.held_because) == "",
            col(ReminderRow.send_after) <= now,
        )
        numbers = list(unit.scalars(select(ReminderRow.account_id).where(*free).distinct()))
        gone = {"state": ReminderState.SENT, "performed_on": day, "settled_at": now, "counted": False}
        unit.execute(update(ReminderRow).where(*free).values(**gone, heard=col(ReminderRow.channel) != Channel.SMS))
    return numbers


def _firm(url: str, folder: Path, patch: pytest.MonkeyPatch) -> Firm:
    clock = MovableClock(datetime.combine(FIRST, time(6), UTC))
    books = PaperBooks(clock)
    database = open_books(url)
    office = paper_office(patch, database=database, vault=read_or_make_keys(folder / "secrets.key"), books=books)
    dice = random.Random(20260302)
    with database.unit_of_work() as unit:
        rules = Rules(first_contact=FirstContact.BY_AGE, pause_when_in_credit=True, ignore_below=Decimal(5))
        organisation = found(unit, rules, clock())
        organisation.contact_rules, organisation.holiday_calendar = "uk", "GB"
        number = int(organisation.id or 0)
        whole = {"change": "0"}  # the ledger was read to its end
        unit.execute(update(ConnectionRow).where(col(ConnectionRow.organisation_id) == number).values(cursor=whole))
        workflows = add_workflows(unit, number, WORKFLOWS)
        organisation.default_workflow_id = workflows["House"]
        _fill(unit, number, workflows, dice, clock())
    return Firm(office, books, clock, number, dice, {})


def _fill(unit: Session, organisation: int, workflows: Any, dice: random.Random, now: datetime) -> None:
    """Accounts with their invoices, credits and holds, and what people have said about them."""
    own = [None, None, None, *workflows.values()]
    accounts = [
        {
            "organisation_id": organisation,
            "ledger_id": f"a{number}",
            "name": f"Debtor {number}",
            "email": f"d{number}@debtor.example" if dice.random() < 0.97 else "",
            "mobile": "+44 7700 900123" if dice.random() < 0.7 else "",
            "default_workflow_id": dice.choice(own),
            "time_zone": dice.choice(["Europe/Berlin", "America/New_York"]) if dice.random() < 0.05 else "",
        }
        for number in range(ACCOUNTS)
    ]
    unit.execute(insert(AccountRow), accounts)
    numbers = list(unit.scalars(select(AccountRow.id).order_by(col(AccountRow.id))))
    invoices = [
        _invoice(organisation, account, place, dice) for account in numbers for place in range(dice.randrange(5))
    ]
    unit.execute(insert(InvoiceRow), invoices)
    known = unit.execute(select(InvoiceRow.id, InvoiceRow.account_id)).all()
    holds = [_hold(organisation, account, None, dice) for account in dice.sample(numbers, ACCOUNTS // 8)]
    holds += [_hold(organisation, account, invoice, dice) for invoice, account in dice.sample(known, ACCOUNTS // 8)]
    unit.execute(insert(HoldRow), holds)
    unit.execute(insert(CreditRow), [_credit(organisation, account, dice) for account in dice.sample(numbers, 500)])
    told = [
        {
            "organisation_id": organisation,
            "account_id": account,
            "workflow_id": dice.choice([*workflows.values(), None]),
            "by_hand": dice.random() < 0.8,
            "by": "Olive Owner",
            "at": now,
        }
        for account in dice.sample(numbers, 500)
    ]
    unit.execute(insert(AssignmentRow), told)


def _invoice(organisation: int, account: int, place: int, dice: random.Random) -> dict[str, Any]:
    amount = Decimal(dice.randrange(100, 500_000)) / 100
    return {
        "organisation_id": organisation,
        "account_id": account,
        "ledger_id": f"i{account}-{place}",
        "number": f"INV-{account}-{place}",
        "due_on": FIRST + timedelta(days=dice.randrange(-60, 20)),
        "total": amount,
        "balance": amount,
        "currency": dice.choice(["GBP", "GBP", "GBP", "EUR"]),
        "status": InvoiceStatus.OPEN.value,
    }


def _hold(organisation: int, account: int, invoice: int | None, dice: random.Random) -> dict[str, Any]:
    of_accounts = (HoldKind.PAUSED, HoldKind.MUTED, HoldKind.PROMISE, HoldKind.QUESTION, HoldKind.HANDED_OVER)
    kind = dice.choice(of_accounts if invoice is None else (HoldKind.MUTED, HoldKind.DISPUTE))
    return {
        "organisation_id": organisation,
        "account_id": account,
        "invoice_id": invoice,
        "kind": kind.value,
        "since": FIRST - timedelta(days=dice.randrange(9)),
        "until": FIRST + timedelta(days=dice.randrange(12)) if kind is HoldKind.PROMISE else None,
        "why": "they said so",
        "by": "Olive Owner",
    }


def _credit(organisation: int, account: int, dice: random.Random) -> dict[str, Any]:
    amount = Decimal(dice.randrange(1_000, 900_000)) / 100
    return {
        "organisation_id": organisation,
        "account_id": account,
        "ledger_id": f"c{account}",
        "kind": CreditKind.CREDIT_NOTE.value,
        "total": amount,
        "remaining": amount,
        "currency": "GBP",
        "status": InvoiceStatus.OPEN.value,
    }
