"""Mirrors jobs/links.py: a reminder shows where each invoice can be seen and paid, and never waits for that."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from engine.reminders import ReminderState
from store.tables import InvoiceRow, OrganisationRow
from town import Town

FERN = "Fern & Fig Café"
MAIL = "fern@fig.example"


def a_firm(a_town: Callable[..., Town], url: str | None = None, *, invoices: int = 2) -> Town:
    """Reminders leave on the 13th, the 27th, and then weekly or so."""
    town = a_town(url, at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email=MAIL)
    for number in range(invoices):
        town.control.add_invoice(FERN, due="2026-01-06", amount="100.00", number=f"INV-{number}")
    return town


def links(town: Town) -> dict[str, str | None]:
    with town.office.database.reading() as session:
        return {row.number: row.online_link for row in session.scalars(select(InvoiceRow))}


def questions(town: Town, reset: bool = False) -> list[str]:
    return [call["path"] for call in town.control.calls(reset=reset) if "OnlineInvoice" in call["path"]]


def until_the_first_reminder(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 13))


def test_the_first_reminder_links_each_invoice_to_its_page_at_the_ledger_and_later_ones_do_not_ask_again(
    a_town: Callable[..., Town], database_url: str
) -> None:
    town = a_firm(a_town, database_url)
    town.connect()
    assert set(links(town).values()) == {None}

    until_the_first_reminder(town)

    (mail,) = town.mails_to(MAIL)
    known = links(town)
    assert all(link and link.startswith("https://in.xero.com/") for link in known.values())
    assert len(set(known.values())) == 2
    for link in known.values():
        assert f'<a class="link" href="{link}"' in mail["html"]
        assert str(link) in mail["text"]
    assert len(questions(town)) == 2

    town.walk(date(2026, 1, 14), date(2026, 1, 27))
    assert len(town.mails_to(MAIL)) == 2
    assert len(questions(town)) == 2, "asked once for good"
    assert all(str(link) in town.mails_to(MAIL)[1]["text"] for link in known.values())


@pytest.mark.parametrize("fault", ["503", "429min", "429day", "403", "html", "drop_before", "fault_in_200"])
def test_a_ledger_that_does_not_answer_this_question_delays_no_reminder_and_is_asked_another_time(
    a_town: Callable[..., Town], fault: str
) -> None:
    town = a_firm(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.control.faults(next=[{"fault": fault, "path": "OnlineInvoice"}] * 9)
    town.day(date(2026, 1, 13))

    (mail,) = town.mails_to(MAIL)
    assert "INV-0" in mail["text"] and "https://" not in mail["text"].partition("--")[0]
    assert town.reminders(FERN)[0].state == ReminderState.SENT
    assert set(links(town).values()) == {None}
    assert town.tasks() == []

    town.control.faults(next=[])
    town.walk(date(2026, 1, 14), date(2026, 1, 27))
    assert all(links(town).values())


def test_where_the_ledger_has_no_link_it_is_asked_again_only_when_the_invoice_has_changed(
    a_town: Callable[..., Town],
) -> None:
    town = a_firm(a_town, invoices=1)
    town.control.quickbooks.habits(online_payments=False)
    town.connect("quickbooks")
    until_the_first_reminder(town)
    assert links(town) == {"INV-0": ""}

    town.control.quickbooks.habits(online_payments=True)
    town.walk(date(2026, 1, 14), date(2026, 1, 27))
    assert links(town) == {"INV-0": ""}, "asked, and not asked again"

    town.control.pay("INV-0", amount="40.00")
    town.day(date(2026, 1, 28))
    assert links(town) == {"INV-0": None}
    town.walk(date(2026, 1, 29), date(2026, 2, 10))
    assert str(links(town)["INV-0"]).startswith("https://")
    assert str(links(town)["INV-0"]) in town.mails_to(MAIL)[-1]["text"]


def test_one_round_of_deliveries_asks_for_no_more_links_than_the_installation_allows(
    a_town: Callable[..., Town],
) -> None:
    town = a_firm(a_town, invoices=5)
    town.office.links_a_round = 3
    town.connect()
    until_the_first_reminder(town)

    assert len(questions(town)) == 3
    assert [link is not None for _, link in sorted(links(town).items())] == [True, True, True, False, False]
    assert "INV-4" in town.mails_to(MAIL)[0]["text"], "it is listed all the same"


def test_a_firm_that_wants_no_links_sends_none_and_asks_for_none(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    until_the_first_reminder(town)
    with town.office.database.unit_of_work() as unit:
        unit.execute(update(OrganisationRow).values(link_invoices=False))
    town.control.calls(reset=True)
    town.control.add_invoice(FERN, due="2026-01-14", amount="9.00", number="INV-NEW")
    town.walk(date(2026, 1, 14), date(2026, 1, 27))

    assert questions(town) == []
    assert "INV-NEW" in town.mails_to(MAIL)[1]["text"]
    assert "https://in.xero.com/" not in town.mails_to(MAIL)[1]["text"] + town.mails_to(MAIL)[1]["html"]


def test_no_link_is_asked_for_what_was_paid_in_the_last_minute(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.control.pay("INV-0")
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()

    assert len(town.mails_to(MAIL)) == 1
    assert len(questions(town)) == 1
