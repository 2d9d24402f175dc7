"""Adds to the seeded books what a list of calls can show: calls that are ready, put off, held, and written about."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from jobs.calls import CallState
from store.tables import AccountRow, ContactRow, InvoiceRow, PhoneCallRow, ReminderRow, StepRow, WorkflowRow
from tests.web.books import Books, decide_all
from tests.web.filling import NOW, TODAY, Filling

SAY = "Ask for {{ contact.first_name }}; {{ account.total_overdue }} are overdue."
NAMES = ("Rookery Studios", "Saltmarsh Brewing", "Tidewater Boatyard", "Umber Ceramics")


def with_calls(books: Books, *, whose: str = "ours") -> dict[str, int]:
    """Gives the number of each call by the name of its account."""
    organisation = books.ours if whose == "ours" else books.theirs
    with books.office.database.unit_of_work() as unit:
        filling = Filling(unit, organisation)
        filling.number = 500 if whose == "ours" else 700
        workflow = _call_workflow(unit, organisation)
        for place, name in enumerate(NAMES):
            number = filling.account(name, (31 + place, f"{4200 - place * 900}.00"), (6, "318.40"), workflow=workflow)
            _numbers(unit, number, place)
        decide_all(unit, organisation)
        calls = _calls(unit, organisation)
        _before(unit, filling, organisation, calls)
    return calls


def _call_workflow(unit: Session, organisation: int) -> int:
    row = WorkflowRow(organisation_id=organisation, name="By telephone")
    unit.add(row)
    unit.flush()
    assert row.id is not None
    unit.add(StepRow(workflow_id=row.id, step_id="k1", name="Friendly call", day=10, channel="call", body=SAY))
    unit.add(
        StepRow(workflow_id=row.id, step_id="k2", name="Letter", day=40, subject="Overdue", body="{{ statement }}")
    )
    unit.flush()
    return row.id


def _numbers(unit: Session, account: int, place: int) -> None:
    row = unit.get(AccountRow, account)
    assert row is not None
    row.phone, row.mobile = f"020 7946 00{place}8", f"07911 12345{place}"
    unit.add(ContactRow(account_id=account, place=0, name="Pat Quill", mobile=f"07911 22345{place}", role="Accounts"))


def _calls(unit: Session, organisation: int) -> dict[str, int]:
    query = (
        select(AccountRow.name, ReminderRow.id)
        .join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
        .where(col(ReminderRow.organisation_id) == organisation, col(ReminderRow.channel) == "call")
    )
    return {name: number for name, number in unit.execute(query) if number is not None}


def _before(unit: Session, filling: Filling, organisation: int, calls: dict[str, int]) -> None:
    """One was spoken to and has broken a promise, one is put off, one is held by a promise."""
    spoken, put_off, promised, _ = NAMES
    accounts = {name: unit.get(ReminderRow, number).account_id for name, number in calls.items()}  # type: ignore[union-attr]
    said: dict[str, Any] = {
        "result": "payment expected",
        "note": "The cheque is in the post, says Pat. Ring again if it has not come.",
        "conversation": True,
        "seconds": 192,
    }
    at = NOW - timedelta(days=9)
    unit.add(
        PhoneCallRow(
            organisation_id=organisation,
            account_id=accounts[spoken],
            reminder_id=calls[spoken],
            number="+442079460008",
            name="Pat Quill",
            by="Anna Reed",
            begun_at=at,
            reached_at=at,
            settled_at=at,
            counted_on=TODAY - timedelta(days=9),
            state=CallState.NOTED,
            **said,
        )
    )
    filling.hold(accounts[spoken], "promise", "Pat Quill said so on the telephone", until=-2)
    filling.hold(accounts[promised], "promise", "Pat Quill said so on the telephone", until=3)
    until = NOW + timedelta(hours=5)
    values = {"snoozed_until": until, "snoozed_by": "Anna Reed"}
    unit.execute(update(ReminderRow).where(col(ReminderRow.id) == calls[put_off]).values(**values))


def an_invoice_of(books: Books, call: int) -> int:
    """The number of one open invoice of the account that is to be rung."""
    with books.office.database.reading() as session:
        account = select(ReminderRow.account_id).where(col(ReminderRow.id) == call).scalar_subquery()
        query = select(func.min(InvoiceRow.id)).where(col(InvoiceRow.account_id) == account)
        return session.scalars(query).one() or 0
