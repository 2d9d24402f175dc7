"""Mirrors web.rooms.settings: every setting is a field with its sentence, and what cannot be is refused in one."""

from decimal import Decimal
from typing import Any

import pytest

from engine.limit_presets import PRESETS
from jobs.reminder_settings import settings_of
from store.tables import OrganisationRow
from tests.web.books import Books
from tests.web.visitor import Visitor

TYPED: dict[str, Any] = {
    "smart": "on",
    "after_move_back": "resend",
    "return_over_link": "on",
    "first_contact": "by_age",
    "sending_time": "10:30",
    "weekdays": ["0", "2"],
    "country": "AU",
    "part": "nsw",
    "gap": "3",
    "contact_rules": "au",
    "disputed": "on",
    "in_credit": "on",
    "ignore_below": "2.50",
    "stale": "2",
    "sender_name": "Accounts",
    "time_zone": "Australia/Sydney",
    "locale": "en_AU",
}


def organisation(books: Books) -> OrganisationRow:
    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
        assert row is not None
        return row


def test_every_setting_of_the_engine_is_saved_and_shown_again(anna: Visitor, books: Books) -> None:
    assert anna.post("/settings/reminders", **TYPED).headers["location"] == "/settings/reminders?said=saved"

    row = organisation(books)
    assert (row.after_move_back, row.first_contact, row.return_over_link) == ("resend", "by_age", True)
    assert (row.holiday_calendar, row.contact_rules) == ("AU-NSW", "au")
    assert (row.disputed_invoices_drive, row.pause_when_in_credit, row.reply_holds) == (True, True, False)
    assert (row.link_invoices, row.write_expected_dates) == (False, False), "their boxes were not ticked"
    assert (row.ignore_below, row.stale_after_days) == (Decimal("2.50"), 2)
    page = anna.get("/settings/reminders")
    for shown in ('value="resend" selected', 'value="by_age" selected', 'value="AU" selected', 'value="au" selected'):
        assert shown in page.text
    assert 'id="part" name="part" value="NSW"' in page.text
    assert "Parts with holidays of their own: ACT, NSW, NT" in page.words
    assert "Monday to Friday from 07:30 to 21:00, for text messages and calls." in page.words
    assert "10 contacts in 31 days are the most." in page.words


def test_the_limits_that_fit_the_country_are_named_until_some_are_chosen(anna: Visitor, books: Books) -> None:
    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        row.country = "NZ"
    named = "For the country of your ledger that would be “Anywhere else”."
    assert named in anna.get("/settings/reminders").words

    anna.post("/settings/reminders", **TYPED)
    assert named not in anna.get("/settings/reminders").words


def test_boxes_that_are_not_ticked_are_off_and_fields_that_were_not_sent_stay(anna: Visitor, books: Books) -> None:
    anna.post("/settings/reminders", **TYPED)
    anna.post("/settings/reminders", weekdays=["0", "2"])

    row = organisation(books)
    assert (row.return_over_link, row.disputed_invoices_drive, row.pause_when_in_credit) == (False, False, False)
    assert (row.after_move_back, row.holiday_calendar, row.stale_after_days) == ("resend", "AU-NSW", 2)


def test_holidays_and_limits_can_be_none(anna: Visitor, books: Books) -> None:
    anna.post("/settings/reminders", **TYPED)
    anna.post("/settings/reminders", **TYPED | {"country": "", "part": "", "contact_rules": ""})

    assert (organisation(books).holiday_calendar, organisation(books).contact_rules) == ("", "")
    assert "contacts in" not in anna.get("/settings/reminders").words


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"after_move_back": "shout"}, "not one of the choices"),
        ({"first_contact": ""}, "not one of the choices"),
        ({"sending_time": "25:99"}, "like 09:00"),
        ({"gap": "many"}, "The gap between two reminders is a whole number of days."),
        ({"gap": "91"}, "1 to 90 days"),
        ({"stale": "1.5"}, "The age of the ledger data is a whole number of days."),
        ({"ignore_below": "a little"}, "like 5.00"),
        ({"ignore_below": "Infinity"}, "from 0 to 100,000"),
        ({"country": "ZZ", "part": ""}, "no public holidays for 'ZZ'"),
        ({"part": "XX"}, "no public holidays for 'AU-XX'"),
        ({"contact_rules": "mars"}, "no contact limits called 'mars'"),
        ({"locale": "xx_XX"}, "Choose one from the list"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_nothing_is_half_saved(
    anna: Visitor, books: Books, wrong: dict[str, str], said: str
) -> None:
    before = settings_of(organisation(books))
    answer = anna.post("/settings/reminders", **TYPED | wrong)

    assert answer.status == 409
    assert said in answer.words
    assert settings_of(organisation(books)) == before


def test_a_migrated_organisation_may_choose_and_is_told_that_nobody_moves_at_once(anna: Visitor, books: Books) -> None:
    assert "there is nothing to choose" in anna.get("/settings/reminders").words
    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        row.reassess_locked = False

    assert "Switching it on moves nobody at once; the next payment does." in anna.get("/settings/reminders").words
    anna.post("/settings/reminders", **{name: value for name, value in TYPED.items() if name != "smart"})
    assert organisation(books).reassess_on_payment is False


@pytest.mark.parametrize("rules", PRESETS.values(), ids=lambda rules: rules.key)
def test_each_set_of_limits_can_be_chosen_and_is_told_in_words(anna: Visitor, books: Books, rules: Any) -> None:
    page = anna.get("/settings/reminders").text
    assert f'<option value="{rules.key}" >{rules.title}</option>' in page
    anna.post("/settings/reminders", **TYPED | {"contact_rules": rules.key})

    page = anna.get("/settings/reminders").words
    assert all(f"{cap.sentence}." in page for cap in rules.caps)


def test_the_front_page_promises_nothing_for_a_holiday(anna: Visitor, books: Books) -> None:
    anna.post("/sending/pause", why="stocktaking")
    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        row.holiday_calendar = "FR"  # where the fourteenth of July is a holiday

    assert "would go out at Wednesday, 15 July 2026, 09:00" in anna.get("/").words


def test_whoever_may_not_decide_sees_the_settings_and_no_button(sam: Visitor, books: Books) -> None:
    page = sam.get("/settings/reminders").text

    assert page.count("<fieldset disabled>") == page.count("<fieldset d") == 5
    assert '<button class="main">Save</button>' not in page
