"""Mirrors jobs/samples.py: a step in one's own inbox, and in nobody else's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.workflow import Channel
from jobs.acting import NotAllowed
from jobs.drafts import DraftStep
from jobs.samples import Sent, Without, send_sample
from store.tables import ConnectionRow
from tests.jobs.sending_house import debts
from town import Town

STEP = DraftStep("Reminder 1", 7, subject="Your account", body="{{ statement }}")
WITH_INVOICES = replace(STEP, attach_invoices=True)
OURS = "owner@firm.example"


def sampled(town: Town, step: DraftStep = STEP, account: str = "", *, one_by_one: bool = False) -> Sent:
    chosen = town.account(account).id if account else None
    return send_sample(
        *(town.office, town.organisation, step), user_id=town.owner, account_id=chosen, one_by_one=one_by_one
    )


def the_mail(town: Town) -> dict[str, Any]:
    (mail,) = town.control.mails()
    return mail


def owing(a_town: Callable[..., Town], *due: str, kind: str = "xero", url: str | None = None) -> Town:
    """Monday 12 January: Fern owes an invoice for each of these days, INV-0 first; Moss owes one more."""
    town = a_town(url, at=datetime(2026, 1, 12, 9, tzinfo=UTC), company=False)
    town.control.add_contact("Fern", email="fern@debtor.example")
    for number, day in enumerate(due):
        town.control.add_invoice("Fern", due=day, amount="100.00", number=f"INV-{number}")
    town.control.add_contact("Moss", email="moss@debtor.example")
    town.control.add_invoice("Moss", due="2026-01-01", amount="1.00", number="INV-MOSS")
    town.connect(kind)
    return town


def test_a_sample_goes_to_the_person_alone_and_leaves_no_trace(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    before = len(town.notes("Fern"))

    assert sampled(town) == Sent(OURS)
    mail = the_mail(town)
    assert mail["to"] == [OURS]
    assert mail["subject"] == "[Sample: Fern] Your account"
    assert "INV-000" in mail["text"] and "fern@debtor.example" in mail["text"]
    assert len(town.notes("Fern")) == before and town.reminders("Fern")[0].state == "queued"


@pytest.mark.parametrize("kind", ["xero", "quickbooks"])
def test_the_invoices_that_the_debtor_would_get_go_along_as_the_ledger_prints_them(
    a_town: Callable[..., Town], database_url: str, kind: str
) -> None:
    town = owing(a_town, "2026-01-05", "2026-01-06", "2026-02-01", kind=kind, url=database_url)
    notes = len(town.notes("Fern"))

    assert sampled(town, WITH_INVOICES, "Fern") == Sent(OURS)
    mail = the_mail(town)
    assert mail["attachments"] == ["INV-0.pdf", "INV-1.pdf"]
    assert mail["text"].splitlines()[0] == "Only you got this. It was for Fern <fern@debtor.example>."
    assert len(town.notes("Fern")) == notes


def test_a_workflow_that_reminds_invoices_one_by_one_speaks_of_the_oldest_and_sends_it_along(
    a_town: Callable[..., Town],
) -> None:
    town = owing(a_town, "2026-01-06", "2026-01-05")
    sampled(town, replace(WITH_INVOICES, body="{{ invoice.number }}\n\n{{ statement }}"), "Fern", one_by_one=True)

    mail = the_mail(town)
    assert mail["attachments"] == ["INV-1.pdf"]
    assert "INV-1" in mail["text"] and "INV-0" not in mail["text"]


def test_no_more_than_the_five_oldest_are_with_a_sample(a_town: Callable[..., Town]) -> None:
    town = owing(a_town, *(f"2026-01-0{day}" for day in range(1, 8)))
    sampled(town, WITH_INVOICES, "Fern")

    assert the_mail(town)["attachments"] == [f"INV-{number}.pdf" for number in range(5)]


@pytest.mark.parametrize("step", [STEP, replace(WITH_INVOICES, channel=Channel.SMS, body="Please pay.")])
def test_a_step_that_sends_no_invoices_asks_the_ledger_for_none(a_town: Callable[..., Town], step: DraftStep) -> None:
    town = owing(a_town, "2026-01-05")
    town.control.calls(reset=True)

    assert sampled(town, step, "Fern") == Sent(OURS)
    assert the_mail(town)["attachments"] == []
    assert town.control.calls() == []


def test_the_statement_and_the_invoices_go_together(a_town: Callable[..., Town]) -> None:
    town = owing(a_town, "2026-01-05")
    sampled(town, replace(WITH_INVOICES, attach_statement=True), "Fern")

    statement, paper = the_mail(town)["attachments"]
    assert statement.startswith("statement") and paper == "INV-0.pdf"


@pytest.mark.parametrize("fault", ["503", "429min", "html", "drop_before"])
def test_while_the_ledger_does_not_answer_the_sample_goes_without_and_says_so(
    a_town: Callable[..., Town], fault: str
) -> None:
    town = owing(a_town, "2026-01-05")
    town.control.faults(next=[{"fault": fault, "path": "/Invoices/"}] * 20)

    assert sampled(town, WITH_INVOICES, "Fern") == Sent(OURS, Without.NO_ANSWER)
    mail = the_mail(town)
    assert mail["attachments"] == [] and "INV-0" in mail["text"]
    assert "the ledger did not hand them out just now: " in mail["text"]
    assert "A reminder would wait for them." in mail["text"]


def test_without_a_connection_the_sample_goes_without_and_says_so(a_town: Callable[..., Town]) -> None:
    town = owing(a_town, "2026-01-05")
    with town.office.database.unit_of_work() as unit:
        connection = unit.get(ConnectionRow, 1)
        assert connection is not None
        connection.state = "disconnected"

    assert sampled(town, WITH_INVOICES, "Fern") == Sent(OURS, Without.NO_ANSWER)
    assert "it is not connected" in the_mail(town)["text"]


def test_an_invoice_of_which_the_ledger_has_no_paper_is_named(a_town: Callable[..., Town]) -> None:
    town = owing(a_town, "2026-01-05")
    town.office.ledgers = {"xero": replace(town.office.ledgers["xero"], largest_pdf_megabytes=0)}

    assert sampled(town, WITH_INVOICES, "Fern") == Sent(OURS, Without.NO_PAPER)
    mail = the_mail(town)
    assert mail["attachments"] == []
    assert "The ledger has no PDF of INV-0 that could go along." in mail["text"]


def test_an_account_with_nothing_overdue_has_no_invoices_to_go_along_and_the_sample_says_so(
    a_town: Callable[..., Town],
) -> None:
    town = owing(a_town, "2026-02-01")

    assert sampled(town, WITH_INVOICES, "Fern") == Sent(OURS, Without.NONE_OVERDUE)
    assert "because none is overdue" in the_mail(town)["text"]


def test_a_sample_in_the_words_of_a_text_message_comes_as_a_mail(a_town: Callable[..., Town]) -> None:
    town = owing(a_town, "2026-01-05")
    sampled(town, replace(STEP, channel=Channel.SMS, body="Please pay {{ account.total_overdue }}."), "Fern")

    assert "Please pay £100.00." in the_mail(town)["text"]


def test_words_that_cannot_be_filled_in_are_told_and_nothing_goes(a_town: Callable[..., Town]) -> None:
    town = owing(a_town, "2026-01-05")
    with pytest.raises(NotAllowed, match="Reminder 1 cannot be put into words"):
        sampled(town, replace(STEP, body="{{ account.name"), "Fern")
    assert town.control.mails() == []
