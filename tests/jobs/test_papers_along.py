"""Mirrors jobs/papers_along.py: a step may send the invoices themselves along, as the ledger prints them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.reminders import ReminderState
from store.tables import InvoiceRow, MessageRow, StepRow
from town import Town

FERN = "Fern & Fig Café"
MAIL = "fern@fig.example"


def a_firm(
    a_town: Callable[..., Town], url: str | None = None, *, kind: str = "xero", invoices: int = 2, along: bool = True
) -> Town:
    """Reminders leave on the 13th and the 27th, with the invoices."""
    town = a_town(url, at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email=MAIL)
    for number in range(invoices):
        town.control.add_invoice(FERN, due=f"2026-01-{5 + min(number, 1):02}", amount="100.00", number=f"INV-{number}")
    town.connect(kind)
    with town.office.database.unit_of_work() as unit:
        unit.execute(update(StepRow).values(attach_invoices=along))
    return town


def until_the_day_before(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 11))


def the_day(town: Town) -> None:
    town.walk(date(2026, 1, 12), date(2026, 1, 13))


def printed(town: Town) -> int:
    """How often the ledger was asked for a paper."""
    return sum("pdf" in str(call).lower() for call in town.control.calls())


def attached(town: Town) -> list[dict[str, Any]]:
    with town.office.database.reading() as session:
        return list(session.scalars(select(MessageRow)))[-1].attached


@pytest.mark.parametrize("kind", ["xero", "quickbooks"])
def test_the_overdue_invoices_go_along_as_the_ledger_prints_them_the_oldest_first(
    a_town: Callable[..., Town], database_url: str, kind: str
) -> None:
    town = a_firm(a_town, database_url, kind=kind)
    until_the_day_before(town)
    the_day(town)

    (mail,) = town.mails_to(MAIL)
    assert mail["attachments"] == ["INV-0.pdf", "INV-1.pdf"]
    assert [file["name"] for file in attached(town)][-2:] == ["INV-0.pdf", "INV-1.pdf"]


def test_a_step_that_does_not_say_so_asks_for_none(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town, along=False)
    until_the_day_before(town)
    town.control.calls(reset=True)
    the_day(town)

    assert town.mails_to(MAIL)[0]["attachments"] == []


def test_no_more_than_the_five_oldest_go_along(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town, invoices=7)
    until_the_day_before(town)
    the_day(town)

    assert town.mails_to(MAIL)[0]["attachments"] == [f"INV-{number}.pdf" for number in range(5)]


def test_an_invoice_that_is_paid_at_the_last_moment_is_neither_listed_nor_sent_along(
    a_town: Callable[..., Town],
) -> None:
    town = a_firm(a_town)
    until_the_day_before(town)
    town.move(datetime(2026, 1, 12, 7, 30, tzinfo=UTC))
    town.sync()
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.control.pay("INV-1")
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()

    (mail,) = town.mails_to(MAIL)
    assert "INV-1" not in mail["text"]
    assert mail["attachments"] == ["INV-0.pdf"]


def test_where_the_ledger_has_no_such_paper_the_reminder_leaves_without_it_and_says_so(
    a_town: Callable[..., Town],
) -> None:
    town = a_firm(a_town, invoices=1)
    until_the_day_before(town)
    town.office.ledgers = {"xero": replace(town.office.ledgers["xero"], largest_pdf_megabytes=0)}
    the_day(town)

    (mail,) = town.mails_to(MAIL)
    assert mail["attachments"] == [] and "INV-0" in mail["text"]
    assert attached(town)[-1] == {"name": "INV-0.pdf", "lacking": True}


@pytest.mark.parametrize("fault", ["503", "429min", "html", "drop_before"])
def test_while_the_ledger_does_not_answer_the_reminder_waits_and_says_why(
    a_town: Callable[..., Town], fault: str
) -> None:
    town = a_firm(a_town, invoices=1)
    until_the_day_before(town)
    with town.office.database.reading() as session:
        theirs = session.scalars(select(InvoiceRow.ledger_id)).one()
    town.control.faults(next=[{"fault": fault, "path": f"/Invoices/{theirs}"}] * 20)
    the_day(town)

    assert town.mails_to(MAIL) == []
    (reminder,) = town.reminders(FERN)
    assert reminder.state == ReminderState.QUEUED
    assert "did not hand out the invoices" in reminder.why

    town.control.faults(next=[])
    town.day(date(2026, 1, 14))
    assert town.mails_to(MAIL)[0]["attachments"] == ["INV-0.pdf"]
