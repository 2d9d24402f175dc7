"""Mirrors web.rooms.sending: whether messages really leave, said plainly and changed by whoever may."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from jobs.samples import Without
from store.tables import MessageRow, OrganisationRow, ReminderRow
from tests.jobs.sending_house import Answering, plug_in
from tests.web.books import Books
from tests.web.visitor import Visitor
from web._said import SAID

TYPED = {
    "sending_mode": "to me",
    "sending_to": "anna@firm.example",
    "sending_to_number": "+44 7700 900123",
    "most_a_run": "300",
    "most_a_day": "900",
    "first_contacts_a_day": "25",
    "statement_day": "31",
    "thanks": "on",
}


def organisation(books: Books) -> OrganisationRow:
    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
        assert row is not None
        return row


def test_every_setting_is_saved_and_the_front_page_says_that_nothing_reaches_a_customer(
    anna: Visitor, books: Books
) -> None:
    assert anna.post("/settings/sending", **TYPED).headers["location"] == "/settings/sending?said=saved"
    row = organisation(books)
    assert (row.sending_mode, row.sending_to, row.sending_to_number) == ("to me", "anna@firm.example", "+447700900123")
    assert (row.most_a_run, row.most_a_day, row.first_contacts_a_day) == (300, 900, 25)
    assert (row.statement_day, row.thanks) == (31, True)
    page = anna.get("/settings/sending").text
    assert '<option value="31" selected>on the last day</option>' in page
    assert '<option value="on" selected>yes</option>' in page
    assert row.tried_out_since is not None
    assert "Every message goes to anna@firm.example instead of the customers." in anna.get("/").words
    assert "When it goes to the customers again" in anna.get("/settings/sending").words


def test_a_form_without_the_fields_of_letters_leaves_them_as_they_are_and_both_can_be_switched_off(
    anna: Visitor, books: Books
) -> None:
    anna.post("/settings/sending", **TYPED)
    older = {name: value for name, value in TYPED.items() if name not in ("statement_day", "thanks")}
    anna.post("/settings/sending", **older)
    assert (organisation(books).statement_day, organisation(books).thanks) == (31, True)
    anna.post("/settings/sending", **(TYPED | {"statement_day": "0", "thanks": "off"}))
    assert (organisation(books).statement_day, organisation(books).thanks) == (0, False)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"most_a_run": "-1"}, "0 means any number"),
        ({"sending_to": ""}, "Say to which address of yours"),
        ({"sending_to": "nobody"}, "is not an email address"),
        ({"sending_to_number": "12"}, "is not a mobile number"),
        ({"sending_mode": "loud"}, "not one of the choices"),
        ({"statement_day": "29"}, "The day of the statement is one from 1 to 28"),
        ({"statement_day": "x"}, "whole number"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_nothing_is_saved(
    anna: Visitor, books: Books, typed: dict[str, str], said: str
) -> None:
    answer = anna.post("/settings/sending", **(TYPED | typed))
    assert said in answer.words
    assert organisation(books).sending_mode == "live"


def test_what_trying_out_has_shown_is_listed_with_what_was_kept_back(anna: Visitor, books: Books) -> None:
    now = books.office.clock()
    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        row.sending_mode, row.tried_out_since = "shadow", now - timedelta(days=3)
        unit.execute(update(MessageRow).values(diverted_to="shadow", sent_at=now))
        theirs = col(ReminderRow.organisation_id) == books.ours
        taken = select(col(ReminderRow.id)).where(theirs, col(ReminderRow.state) == "queued").limit(1)
        kept = {"state": "withdrawn", "claim": "c", "settled_at": now, "why": "everything was paid"}
        unit.execute(update(ReminderRow).where(col(ReminderRow.id).in_(taken.scalar_subquery())).values(**kept))
    page = anna.get("/settings/sending")
    assert page.status == 200
    assert "1 reminder was kept back by the look at the ledger just before" in page.words
    assert "everything was paid" in page.words and "Would have gone" in page.words


def test_what_a_cap_holds_back_is_released_on_the_front_page(anna: Visitor, books: Books) -> None:
    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        row.capped_at = books.office.clock() - timedelta(minutes=5)
        row.capped_why = "200 have left within an hour, and no more may; 743 wait"
    page = anna.get("/")
    assert "No. As many have left as may." in page.words
    assert "200 have left within an hour, and no more may; 743 wait." in page.words
    assert anna.post("/sending/release-cap").headers["location"] == "/?said=cap-released"
    assert organisation(books).capped_at is None


def test_a_sample_of_a_step_needs_a_channel_that_could_carry_it(anna: Visitor, books: Books) -> None:
    typed = {"name": "W", "kind": "account", "preview_account": str(books.accounts["due"])}
    typed |= {"step-1-name": "First", "step-1-day": "3", "step-1-channel": "email", "step-1-subject": "S"}
    answer = anna.post("/settings/workflows/sample?step=1", **typed, **{"step-1-body": "Please pay."})
    assert "No email channel is set up." in answer.words
    assert anna.post("/settings/workflows/sample?step=9", **typed).status == 404


def a_sample(anna: Visitor, books: Books, account: str, **typed: str) -> str:
    """Asks for a sample, and gives what the page says then."""
    plug_in(books.office, "email_smtp", Answering())
    typed |= {"name": "W", "kind": "account", "preview_account": str(books.accounts[account])}
    typed |= {"step-1-name": "First", "step-1-day": "3", "step-1-channel": "email", "step-1-subject": "S"}
    answer = anna.post("/settings/workflows/sample?step=1", **typed, **{"step-1-body": "Please pay."})
    assert answer.status == 303
    return anna.get(answer.headers["location"]).words


def test_the_page_says_when_a_sample_went_without_the_invoices(anna: Visitor, books: Books) -> None:
    said = a_sample(anna, books, "due", **{"step-1-papers": "on"})
    assert "in your own inbox, without the invoices: the ledger did not hand them out just now" in said
    assert "without the invoices" not in a_sample(anna, books, "due")


@pytest.mark.parametrize("without", Without)
def test_there_is_a_sentence_for_everything_that_a_sample_may_lack(without: Without) -> None:
    assert SAID[f"sample-{without}"].startswith("The sample is in your own inbox")
