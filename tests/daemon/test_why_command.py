"""Mirrors daemon/why_command.py: where an account stands and why, at the terminal."""

from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from daemon.why_command import find, tell_why
from engine.workflow import Step
from jobs.account_acts import ask_question, mute_account, pause_account
from jobs.first_contacts import spread
from jobs.recalculate import recalculate
from store.tables import OrganisationRow
from unplugged import Unplugged


@pytest.fixture
def firm(sqlite_url: str) -> Unplugged:
    firm = Unplugged(sqlite_url)
    firm.workflow("Mixed", Step("r1", "First", 5))
    return firm


def told(firm: Unplugged, named: str) -> str:
    out = StringIO()
    tell_why(firm.office, named, Console(file=out, width=200))
    return out.getvalue()


def test_a_step_whose_day_is_to_come_is_not_foretold_without_what_would_hold_it(firm: Unplugged) -> None:
    number = firm.account("Fern", f"{firm.now.date() - timedelta(days=2)}")
    recalculate(firm.office, firm.id)
    assert "1 of 1 open invoice is overdue" in told(firm, "Fern")
    assert "If it came today" not in told(firm, "Fern")

    pause_account(firm.office, number, by="Olive", why="a special agreement")
    recalculate(firm.office, firm.id)
    assert "  Besides     If it came today it would be held: the account is paused" in told(firm, "Fern")
    assert "a special agreement" in told(firm, "Fern")


def test_more_accounts_of_a_name_than_can_be_listed_are_not_passed_over_in_silence(firm: Unplugged) -> None:
    for number in range(11):
        firm.account(f"Fern {number}", "2026-05-10")

    with pytest.raises(LookupError, match=r"Fern 9 \(\d+\) and others\. Give one name in full"):
        find(firm.office, "fern")


def test_an_account_is_named_with_its_organisation_where_two_have_one_of_that_name(firm: Unplugged) -> None:
    first = firm.account("Fern", "2026-05-10")
    quiet, firm.id = firm.id, firm._add(OrganisationRow(name="Loud Joinery", created_at=firm.now))
    second = firm.account("Fern", "2026-05-10")

    with pytest.raises(LookupError) as several:
        find(firm.office, "fern")
    assert f"Fern of Quiet Joinery ({first}), Fern of Loud Joinery ({second})." in str(several.value)
    assert find(firm.office, "fern", quiet).id == first
    assert find(firm.office, str(second)).id == second


@pytest.mark.parametrize("named", ["", "  ", "9" * 40, "²", "-1", "Fern'; --", "%", "_"])
def test_a_name_that_is_none_is_answered_with_a_sentence(firm: Unplugged, named: str) -> None:
    firm.account("Fern", "2026-05-10")

    with pytest.raises(LookupError, match=r"^No account is (called|named)"):
        find(firm.office, named)


def test_a_question_that_holds_ends_with_its_own_mark(firm: Unplugged) -> None:
    number = firm.account("Fern", f"{firm.now.date() - timedelta(days=5)}")
    ask_question(firm.office, number, text="Is this theirs?", by="Olive")
    recalculate(firm.office, firm.id)

    assert "Because     A note needs a response first: Is this theirs?\n" in told(firm, "Fern")


def test_a_muted_account_is_not_said_to_owe_nothing(firm: Unplugged) -> None:
    number = firm.account("Fern", f"{firm.now.date() - timedelta(days=5)}")
    mute_account(firm.office, number, by="Olive")
    recalculate(firm.office, firm.id)

    said = told(firm, "Fern")
    assert "Now         clear: nothing will be sent" in said
    assert "Because     The account is muted." in said
    assert "nothing is overdue" not in said


def test_a_courtesy_step_that_goes_today_is_told(firm: Unplugged) -> None:
    firm.workflow("Kind", Step("c", "Soon due", -3), Step("r1", "First", 5))
    firm.account("Fern", f"{firm.now.date() + timedelta(days=2)}")
    recalculate(firm.office, firm.id)

    said = told(firm, "Fern")
    assert "Now         clear: nothing is overdue; Soon due is due for INV-1" in said
    assert "nothing will be sent" not in said


def test_a_past_day_is_told_as_it_was_known(firm: Unplugged) -> None:
    number = firm.account("Fern", f"{firm.now.date() - timedelta(days=2)}")
    pause_account(firm.office, number, by="Olive")
    recalculate(firm.office, firm.id)
    then = firm.now.date()
    firm.now += timedelta(days=9)

    out = StringIO()
    tell_why(firm.office, "Fern", Console(file=out, width=200), then)
    assert "As it was known on 1 June 2026; decision 1, made at 06:00 UTC on 1 June 2026." in out.getvalue()
    assert "If it came today" not in out.getvalue()


def test_a_past_day_never_denies_a_reading_that_a_decision_rests_on(firm: Unplugged) -> None:
    firm.account("Fern", f"{firm.now.date() - timedelta(days=2)}")
    recalculate(firm.office, firm.id)
    quiet = firm.now.date() + timedelta(days=1)
    firm.now += timedelta(days=900)  # the sync log of those days is long gone

    out = StringIO()
    tell_why(firm.office, "Fern", Console(file=out, width=200), quiet)
    assert "last read: 1 June 2026" in out.getvalue()


def test_what_waits_at_the_door_is_not_promised_for_the_next_sending_time(firm: Unplugged) -> None:
    for name in ("Ash", "Birch"):
        firm.account(name, f"{firm.now.date() - timedelta(days=7)}")
    firm.settle(first_contacts_a_day=1)
    recalculate(firm.office, firm.id)
    spread(firm.office)

    assert "Now         due: it goes at the next sending time" in told(firm, "Ash")
    later = told(firm, "Birch")
    assert "Now         due: First waits: it is a first contact, of which only so many are made on one day" in later
    assert "its turn comes on 2 June 2026" in later


def test_whoever_asks_while_sending_is_only_tried_out_is_told_so(firm: Unplugged) -> None:
    firm.account("Fern", f"{firm.now.date() - timedelta(days=7)}")
    recalculate(firm.office, firm.id)
    assert "Besides" not in told(firm, "Fern")
    firm.settle(sending_mode="shadow")

    assert "  Besides     Shadow mode: everything is done but the sending." in told(firm, "Fern")


def test_a_number_of_any_length_is_looked_for_on_both_databases(database_url: str) -> None:
    firm = Unplugged(database_url)
    number = firm.account("Fern", "2026-05-10")

    assert find(firm.office, f" {number} ").name == "Fern"
    for unknown in ("9" * 10, "9" * 18, "9" * 19, "9" * 40):
        with pytest.raises(LookupError, match="No account is called"):
            find(firm.office, unknown)
