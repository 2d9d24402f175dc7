"""Mirrors jobs/letters.py: statements and thanks go once, by the way of every reminder, and move nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st
from rich.console import Console
from sqlmodel import Session

from channels import Refused, Unsure
from daemon.why_command import tell_why
from engine.facts import Facts
from engine.letters import LETTER_CYCLE, LetterKind, pointless
from engine.reminders import ReminderState
from jobs import account_acts, acts, caps, deliver, going_live
from jobs.acting import NotAllowed
from jobs.claiming import claim
from jobs.drafts import DraftStep
from jobs.letter_words import back_to_prewritten, save_letter
from jobs.letters import order_of_letter, queue_letters
from jobs.sending_settings import save_sending_settings, sending_settings_of
from store import screens
from store.facts import facts_of, ground_of
from store.kept_decisions import all_kept
from store.tables import AddressStopRow, CreditRow, HoldRow, LetterRow, ReminderRow
from tests.jobs.sending_house import Answering, debts, organisation_in, plug_in, settle
from town import Town

FERN = "Fern"
THE_14TH = date(2026, 1, 14)


def a_town_with_a_statement_day(a_town: Callable[..., Town], *names: str) -> Town:
    """The first reminder has gone on the 13th; the statement is for the 14th."""
    town = debts(a_town, *(names or (FERN,)))
    town.work()
    change(town, statement_day=14)
    return town


def change(town: Town, **wanted: int | bool) -> None:
    with town.office.database.reading() as session:
        known = sending_settings_of(organisation_in(session, town))
    save_sending_settings(town.office, town.organisation, replace(known, **wanted), by="Olive Owner")  # type: ignore[arg-type]


def letters(town: Town, name: str = FERN) -> list[ReminderRow]:
    return [row for row in town.reminders(name) if row.cycle == LETTER_CYCLE]


def states(town: Town, name: str = FERN) -> list[tuple[str, str]]:
    return [(row.step_name, row.state) for row in letters(town, name)]


def said(town: Town) -> list[str]:
    return [note.text for note in town.notes(FERN)]


def test_a_statement_goes_once_on_its_day_and_moves_nothing(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    before = town.position(FERN)
    town.day(THE_14TH)
    town.work()
    assert states(town) == [("Statement for January 2026", "sent")]
    after = town.position(FERN)
    same = ("state", "cycle", "done", "next_step", "next_due_on", "last_reminded_on", "last_step_on", "anchor")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    (told,) = [text for text in said(town) if text.startswith("Statement for January 2026 sent by email")]
    assert any(told in note["details"] for note in town.control.notes()), "the ledger is told like of a reminder"
    town.day(THE_14TH + timedelta(days=1))
    assert len(letters(town)) == 1


def test_a_statement_comes_again_next_month_and_is_for_the_last_day_of_a_short_one(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, FERN)
    change(town, statement_day=31)
    town.walk(date(2026, 1, 30), date(2026, 2, 3))
    assert [(row.step_name, row.due_on) for row in letters(town)] == [
        ("Statement for January 2026", date(2026, 2, 2))
    ], "the 31st is a Saturday"
    town.day(date(2026, 2, 27))
    town.day(date(2026, 3, 2))
    assert [row.step_name for row in letters(town)] == ["Statement for January 2026", "Statement for February 2026"]


def test_a_day_that_has_passed_when_it_is_chosen_waits_for_next_month(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, FERN)
    change(town, statement_day=12)
    town.walk(date(2026, 1, 13), date(2026, 1, 14))
    assert letters(town) == []


def test_changing_the_day_within_a_month_gives_nobody_a_second_statement(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    town.day(THE_14TH)
    change(town, statement_day=15)
    town.day(THE_14TH + timedelta(days=1))
    assert len(letters(town)) == 1


def test_whoever_owes_nothing_gets_no_statement(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town, FERN, "Ash")
    settle(town, ignore_below=Decimal(50))
    town.day(THE_14TH)
    assert letters(town) == [], "10.00 is below what is worth a word"


def test_what_is_paid_in_the_last_second_gets_no_statement(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    town.move(datetime(2026, 1, 14, 7, 30, tzinfo=UTC))
    town.sync()
    queue_letters(town.office)
    town.control.pay("INV-000")
    town.move(datetime(2026, 1, 14, 9, 30, tzinfo=UTC))
    town.work()
    assert states(town) == [("Statement for January 2026", "withdrawn")]
    assert "Statement for January 2026 is not sent: nothing is open any more." in said(town)


@pytest.mark.parametrize(
    ("kind", "why"), [("paused", "paused"), ("muted", "muted"), ("dispute", "disputed"), ("reply", "reply")]
)
def test_what_holds_reminders_holds_a_statement_and_says_why(a_town: Callable[..., Town], kind: str, why: str) -> None:
    town = a_town_with_a_statement_day(a_town)
    account = town.account(FERN)
    with town.office.database.unit_of_work() as unit:
        (invoice,) = ground_facts(town, unit)[account.id or 0].invoices
        of_invoice = int(invoice.id) if kind == "dispute" else None
        unit.add(
            HoldRow(
                organisation_id=town.organisation,
                account_id=account.id or 0,
                invoice_id=of_invoice,
                kind=kind,
                since=date(2026, 1, 13),
                by="Olive Owner",
            )
        )
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", "queued")]
    held = [text for text in said(town) if text.startswith("Statement for January 2026 was not sent yet")]
    assert len(held) == 1 and why in held[0]
    town.walk(date(2026, 1, 15), date(2026, 1, 22))
    assert states(town) == [("Statement for January 2026", "withdrawn")], "it would speak of yesterday"


def test_a_pause_of_everything_holds_statements_until_it_is_lifted(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    acts.pause_organisation(town.office, town.organisation, by="Olive Owner", why="stocktaking")
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", "queued")]
    acts.resume_organisation(town.office, town.organisation, by="Olive Owner")
    town.day(date(2026, 1, 15))
    assert states(town) == [("Statement for January 2026", "sent")]


@pytest.mark.parametrize("died_after", ["the claim", "the mark", "the send"])
def test_no_death_between_the_steps_sends_a_statement_twice(a_town: Callable[..., Town], died_after: str) -> None:
    town = a_town_with_a_statement_day(a_town)
    post = plug_in(town.office, "email_smtp", Answering())
    town.office.channels = {"email_smtp": None}
    town.move(datetime(2026, 1, 14, 7, 30, tzinfo=UTC))
    town.sync()
    queue_letters(town.office)
    town.move(datetime(2026, 1, 14, 9, 0, tzinfo=UTC))
    (letter,) = letters(town)
    claimed = claim(town.office, letter.id or 0)
    assert claimed is not None
    if died_after != "the claim":
        fresh = deliver.look_again(town.office, claimed)
        assert fresh is not None
        marked = deliver.mark(town.office, claimed, fresh)
        assert marked is not None
        if died_after == "the send":
            deliver.send(town.office, marked)
    for _ in range(3):
        town.move(town.clock() + timedelta(minutes=11))
        deliver.deliver_due(town.office)
    assert len(post.given) == (0 if died_after == "the mark" else 1)
    assert states(town)[0][1] == ("sent" if died_after == "the claim" else "unsure")


@pytest.mark.parametrize(("answer", "state"), [(Refused("no such box"), "refused"), (Unsure("cut off"), "unsure")])
def test_a_statement_that_did_not_arrive_stops_no_reminder(
    a_town: Callable[..., Town], answer: Refused | Unsure, state: str
) -> None:
    town = a_town_with_a_statement_day(a_town)
    post = plug_in(town.office, "email_smtp", Answering([answer]))
    town.office.channels = {"email_smtp": None}
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", state)]
    assert any("Statement for January 2026" in task.text for task in town.tasks())
    town.walk(date(2026, 1, 15), date(2026, 1, 27))
    assert len(post.given) == 2, "the letter, and the second reminder on its day"


def test_in_shadow_mode_nothing_leaves_and_going_live_does_not_take_it_for_a_step(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    settle(town, sending_mode="shadow", tried_out_since=town.clock())
    left = len(town.control.mails())
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", "sent")] and len(town.control.mails()) == left
    with town.office.database.reading() as session:
        assert going_live.tried_out(session, town.organisation) == ()


def test_thanks_are_said_once_when_everything_overdue_is_paid(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, FERN)
    change(town, thanks=True)
    town.control.add_invoice(FERN, due="2026-01-05", amount="20.00", number="INV-B")
    town.sync()
    town.work()
    town.control.pay("INV-000")
    town.day(THE_14TH)
    assert letters(town) == [], "INV-B is overdue still"
    town.control.pay("INV-B")
    town.walk(date(2026, 1, 15), date(2026, 1, 20))
    assert states(town) == [("Thank-you", "sent")]
    assert "Thank you" in town.mails_to("fern@debtor.example")[-1]["subject"]


def test_one_letter_thanks_for_all_that_was_paid_before_it_went(a_town: Callable[..., Town]) -> None:
    """The second invoice was below what is worth a word when the first was paid, so it kept no thanks back."""
    town = debts(a_town, FERN)
    change(town, thanks=True)
    town.control.add_invoice(FERN, due="2026-01-05", amount="20.00", number="INV-B")
    town.sync()
    town.work()
    settle(town, ignore_below=Decimal(15))
    for number, hour in (("INV-B", 11), ("INV-000", 14)):
        town.control.pay(number)
        town.move(datetime(2026, 1, 13, hour, tzinfo=UTC))
        town.sync()
        queue_letters(town.office)
        assert states(town) == [("Thank-you", "queued")]
    town.walk(THE_14TH, date(2026, 1, 20))
    assert states(town) == [("Thank-you", "sent")]


def test_nobody_is_thanked_who_was_not_reminded_or_before_it_was_wanted(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, FERN)
    town.work()
    town.control.add_contact("Ash", email="ash@debtor.example")
    town.control.add_invoice("Ash", due="2026-01-12", amount="20.00", number="INV-B")
    town.control.pay("INV-000")
    town.day(THE_14TH)
    change(town, thanks=True)
    town.control.pay("INV-B")
    town.walk(date(2026, 1, 15), date(2026, 1, 16))
    assert letters(town) == [] and letters(town, "Ash") == []


def test_no_thanks_when_something_else_falls_overdue_before_it_leaves(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, FERN)
    change(town, thanks=True)
    town.work()
    town.control.add_invoice(FERN, due="2026-01-14", amount="20.00", number="INV-B")
    town.control.pay("INV-000")
    town.move(datetime(2026, 1, 14, 12, 0, tzinfo=UTC))
    town.sync()
    town.work()
    assert states(town) == [("Thank-you", "queued")]
    town.day(date(2026, 1, 15))
    assert states(town) == [("Thank-you", "withdrawn")]


def credit(town: Town, amount: str) -> None:
    """Money in the account's favour that no invoice has used up."""
    with town.office.database.unit_of_work() as unit:
        unit.add(
            CreditRow(
                organisation_id=town.organisation,
                account_id=int(town.account(FERN).id or 0),
                ledger_id="C-1",
                kind="credit note",
                total=Decimal(amount),
                remaining=Decimal(amount),
                currency="GBP",
            )
        )


def test_whoever_is_in_credit_all_in_all_gets_no_statement_whatever_the_setting_for_reminders(
    a_town: Callable[..., Town],
) -> None:
    town = a_town_with_a_statement_day(a_town)
    credit(town, "15.00")
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", "withdrawn")]
    assert "Statement for January 2026 is not sent: the account is in credit by 5.00 GBP." in said(town)


def test_a_credit_smaller_than_the_debt_keeps_no_statement_back(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    credit(town, "4.00")
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", "sent")]


def test_an_account_that_is_to_get_no_statements_gets_none_and_its_reminders_go_on(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town, FERN, "Ash")
    account_acts.no_more_statements(
        town.office, int(town.account(FERN).id or 0), by="Olive Owner", why="they have asked"
    )
    town.walk(THE_14TH, date(2026, 1, 27))
    assert letters(town) == [] and states(town, "Ash") == [("Statement for January 2026", "sent")]
    assert "No monthly statements any more, says Olive Owner: they have asked" in said(town)
    assert [row.step_name for row in town.reminders(FERN) if row.state == "sent"] == ["Reminder 1", "Reminder 2"]


def test_a_word_against_statements_takes_back_one_that_is_queued_and_can_be_taken_back(
    a_town: Callable[..., Town],
) -> None:
    town = a_town_with_a_statement_day(a_town)
    number = int(town.account(FERN).id or 0)
    town.move(datetime(2026, 1, 14, 7, 30, tzinfo=UTC))
    town.sync()
    queue_letters(town.office)
    account_acts.no_more_statements(town.office, number, by="Olive Owner")
    town.move(datetime(2026, 1, 14, 9, 30, tzinfo=UTC))
    town.work()
    assert states(town) == [("Statement for January 2026", "withdrawn")]
    account_acts.statements_again(town.office, number, by="Olive Owner")
    town.day(date(2026, 2, 16))
    assert states(town)[-1] == ("Statement for February 2026", "sent")


def test_a_stopped_address_gets_no_letter(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    with town.office.database.unit_of_work() as unit:
        stop = {"medium": "email", "address": "fern@debtor.example", "kind": "opt-out", "source": "a person"}
        unit.add(AddressStopRow(organisation_id=town.organisation, since=town.clock(), **stop))
    left = len(town.control.mails())
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", "queued")] and len(town.control.mails()) == left


def test_contact_limits_count_a_statement_and_hold_what_comes_after_it(a_town: Callable[..., Town]) -> None:
    """At most two contacts in seven days: the reminder of the 13th and the statement of the 14th are two."""
    town = debts(a_town, FERN)
    settle(town, contact_rules="default")
    town.work()
    change(town, statement_day=14, thanks=True)
    town.day(THE_14TH)
    town.control.pay("INV-000")
    town.walk(date(2026, 1, 15), date(2026, 1, 19))
    statement, thanks = sorted(letters(town), key=lambda row: row.id or 0)
    assert (statement.state, thanks.state) == ("sent", "queued") and "contact limits" in thanks.why
    town.day(date(2026, 1, 20))
    assert sorted(states(town)) == [("Statement for January 2026", "sent"), ("Thank-you", "sent")]


def test_what_the_cap_held_back_leaves_once_a_person_has_released_it(a_town: Callable[..., Town]) -> None:
    names = ("Ash", "Birch", "Cedar", "Dill", "Elder")
    town = a_town_with_a_statement_day(a_town, *names)
    settle(town, most_a_run=2)
    before = len(town.control.mails())
    town.day(THE_14TH)
    town.work()
    assert len(town.control.mails()) == before + 2
    assert caps.release(town.office, town.organisation, by="Olive Owner") == 3
    town.work()
    assert len(town.control.mails()) == before + 5
    assert [task for task in town.tasks() if task.kind == "cap"] == []


def test_in_the_mode_to_me_a_statement_goes_to_me_and_the_ledger_is_not_told(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    settle(town, sending_mode="to me", sending_to="owner@firm.example", tried_out_since=town.clock())
    notes = len(town.control.notes())
    town.day(THE_14TH)
    mail = town.control.mails()[-1]
    assert mail["to"] == ["owner@firm.example"] and mail["subject"].startswith("[Test: ")
    assert len(town.control.notes()) == notes


def test_a_statement_goes_in_the_words_of_the_firm_from_the_moment_they_are_saved(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    town.move(datetime(2026, 1, 14, 7, 30, tzinfo=UTC))
    town.sync()
    queue_letters(town.office)
    step = DraftStep("Monthly statement", 1, subject="Your account", body="Dear Fern\n\n{{ statement }}")
    assert save_letter(town.office, town.organisation, LetterKind.STATEMENT, step, by="Olive Owner") == ()
    town.move(datetime(2026, 1, 14, 9, 0, tzinfo=UTC))
    town.work()
    mail = town.mails_to("fern@debtor.example")[-1]
    assert mail["subject"] == "Your account" and "Dear Fern" in mail["text"]
    assert any(name.endswith(".pdf") for name in mail["attachments"])


def test_a_letter_that_cannot_be_worded_is_one_task_and_holds_back_no_reminder(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town, FERN, "Ash")
    broken = LetterRow(
        organisation_id=town.organisation, kind="statement", subject="S", body="{% if %}", saved_at=town.clock()
    )
    with town.office.database.unit_of_work() as unit:
        unit.add(broken)
    town.day(THE_14TH)
    assert states(town) == states(town, "Ash") == [("Statement for January 2026", "queued")]
    (task,) = [task for task in town.tasks() if task.kind == "letter"]
    assert "Settings → Letters" in task.text
    back_to_prewritten(town.office, town.organisation, LetterKind.STATEMENT, by="Olive Owner")
    assert [task for task in town.tasks() if task.kind == "letter"] == []
    town.day(date(2026, 1, 15))
    assert states(town) == states(town, "Ash") == [("Statement for January 2026", "sent")]
    town.walk(date(2026, 1, 16), date(2026, 1, 27))
    assert "Reminder 2" in [row.step_name for row in town.reminders(FERN) if row.state == "sent"]


def test_what_became_of_a_letter_can_be_decided_again_from_what_is_kept(a_town: Callable[..., Town]) -> None:
    """One that went, one that a pause held, one that had lost its point: from the facts kept in that very second."""
    names = (FERN, "Ash", "Birch")
    town = a_town_with_a_statement_day(a_town, *names)
    account_acts.pause_account(town.office, int(town.account("Ash").id or 0), by="Olive Owner", why="a friend")
    town.move(datetime(2026, 1, 14, 7, 30, tzinfo=UTC))
    town.sync()
    queue_letters(town.office)
    town.control.pay("INV-002")
    town.move(datetime(2026, 1, 14, 9, 0, tzinfo=UTC))
    town.work()
    assert [states(town, name)[0][1] for name in names] == ["sent", "queued", "withdrawn"]

    with town.office.database.reading() as session:
        newest = {kept.account: kept for kept in all_kept(session, town.organisation)}
    again = []
    for name in names:
        (letter,) = letters(town, name)
        kept = newest[letter.account_id]
        assert kept.as_of == THE_14TH
        order = order_of_letter(letter, kept.facts, kept.as_of)
        gone = pointless(kept.facts, kept.as_of, LetterKind.STATEMENT, letter.due_on)
        again.append((order.held_because, gone, letter.why))
        if letter.state == "sent":
            listed = {invoice.id for invoice in kept.facts.invoices}
            assert set(order.invoices) == listed and len(listed) == 1
    assert again == [
        ("", "", ""),
        ("the account is paused: a friend", "", "the account is paused: a friend"),
        ("", "nothing is open any more", "nothing is open any more"),
    ]


def test_a_letter_that_waits_is_named_by_why(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    account_acts.pause_account(town.office, int(town.account(FERN).id or 0), by="Olive Owner", why="a friend")
    town.day(THE_14TH)
    console = Console(file=StringIO(), width=200)
    tell_why(town.office, FERN, console)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Besides     Statement for January 2026 waits: the account is paused: a friend." in told


def test_the_plan_promises_no_letter_that_something_holds(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town, FERN, "Ash")
    account_acts.pause_account(town.office, int(town.account(FERN).id or 0), by="Olive Owner", why="a friend")
    town.move(datetime(2026, 1, 14, 7, 30, tzinfo=UTC))
    town.sync()
    queue_letters(town.office)

    def plan() -> tuple[tuple[int, int], dict[str, str]]:
        with town.office.database.reading() as session:
            shown = screens.reminders(session, town.organisation, ReminderState.QUEUED)
            held = {one.account: one.because for one in shown if one.held}
            return screens.queued(session, town.organisation), held

    assert plan() == ((1, 1), {FERN: "something holds the account"})
    town.move(datetime(2026, 1, 14, 9, 0, tzinfo=UTC))
    town.work()
    assert plan() == ((0, 1), {FERN: "the account is paused: a friend"})


def test_half_a_ledger_is_no_ground_for_statements(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    settle(town, ledger_as_of=None)
    town.move(datetime(2026, 1, 14, 7, 30, tzinfo=UTC))
    queue_letters(town.office)
    assert letters(town) == []
    town.day(THE_14TH)
    assert states(town) == [("Statement for January 2026", "sent")]


def test_both_letters_go_on_either_database(a_town: Callable[..., Town], database_url: str) -> None:
    town = debts(a_town, FERN, "Ash", "Birch", url=database_url)
    town.work()
    change(town, statement_day=14, thanks=True)
    step = DraftStep("Monthly statement", 1, subject="Your account", body="{{ statement }}")
    save_letter(town.office, town.organisation, LetterKind.STATEMENT, step, by="Olive Owner")
    account_acts.no_more_statements(town.office, int(town.account("Birch").id or 0), by="Olive Owner")
    settle(town, most_a_day=1)
    town.day(THE_14TH)
    assert caps.release(town.office, town.organisation, by="Olive Owner") == 1
    town.work()
    assert states(town) == states(town, "Ash") == [("Statement for January 2026", "sent")]
    settle(town, most_a_day=0)
    town.control.pay("INV-000")
    town.walk(date(2026, 1, 15), date(2026, 1, 16))
    assert sorted(states(town)) == [("Statement for January 2026", "sent"), ("Thank-you", "sent")]
    assert letters(town, "Birch") == []


def test_a_day_that_not_every_month_has_is_refused(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, FERN)
    with pytest.raises(NotAllowed, match="last of the month"):
        change(town, statement_day=29)


def ground_facts(town: Town, session: Session) -> dict[int, Facts]:
    return facts_of(session, ground_of(session, town.organisation))


def test_the_rule_never_sees_a_letter_whatever_became_of_it(a_town: Callable[..., Town]) -> None:
    town = a_town_with_a_statement_day(a_town)
    account, number = int(town.account(FERN).id or 0), count(1)
    with town.office.database.reading() as session:
        before = ground_facts(town, session)

    @checked(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(list(ReminderState)), st.booleans(), st.dates(date(2026, 1, 1), date(2026, 1, 13)))
    def holds(state: ReminderState, heard: bool, on: date) -> None:
        with town.office.database.unit_of_work() as unit:
            unit.add(
                ReminderRow(
                    organisation_id=town.organisation,
                    account_id=account,
                    cycle=LETTER_CYCLE,
                    step_id=f"statement {next(number)}",
                    step_name="Statement",
                    workflow_id=int(organisation_in(unit, town).default_workflow_id or 0),
                    channel="email",
                    state=state,
                    heard=heard,
                    performed_on=on,
                    due_on=on,
                    send_after=town.clock(),
                    queued_at=town.clock(),
                )
            )
        with town.office.database.reading() as session:
            assert ground_facts(town, session) == before

    holds()
