"""Mirrors web.rooms.account_forms and .accounts: what people say about accounts, and what the page then says."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from engine.holds import HoldKind
from engine.workflow import Channel
from store.tables import (
    AccountRow,
    AssignmentRow,
    ExpectedRow,
    HoldRow,
    InvoiceRow,
    OrganisationRow,
    PositionRow,
    ReminderRow,
    StepRow,
    WorkflowRow,
)
from tests.web.books import Books, decide_all
from tests.web.filling import NOW, TODAY, Filling
from tests.web.visitor import Visitor

BAD = "<script>alert('x')</script>"


def rows(books: Books, table: Any, *where: Any) -> list[Any]:
    with books.office.database.reading() as session:
        return list(session.exec(select(table).where(*where).order_by(table.id)))


def holds(books: Books, account: int) -> list[tuple[str, str, date | None]]:
    found = rows(books, HoldRow, HoldRow.account_id == account, col(HoldRow.lifted_at).is_(None))
    return [(hold.kind, hold.why, hold.until) for hold in found]


def position(books: Books, account: int) -> PositionRow:
    with books.office.database.reading() as session:
        return session.exec(select(PositionRow).where(PositionRow.account_id == account)).one()


def workflow(books: Books, name: str, whose: int | None = None) -> int:
    (row,) = rows(books, WorkflowRow, WorkflowRow.organisation_id == (whose or books.ours), WorkflowRow.name == name)
    return int(row.id or 0)


def invoices(books: Books, account: int) -> list[int]:
    return [row.id for row in rows(books, InvoiceRow, InvoiceRow.account_id == account, InvoiceRow.status == "open")]


def test_an_account_is_muted_and_unmuted(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    anna.post(f"/accounts/{number}/mute", why="they are family")
    page = anna.get(f"/accounts/{number}?said=muted").words
    assert "Ivy Cottage Interiors Muted" in page
    assert "They are family. Anna Reed, since 14 Jul 2026" in page
    assert "It is never reminded, until somebody unmutes it." in page
    assert "Unmute the account; it then begins again." in page, "what would change it"

    assert anna.post(f"/accounts/{number}/unmute").headers["location"] == f"/accounts/{number}?said=unmuted"
    assert "Nothing holds this account." in anna.get(f"/accounts/{number}").words


def test_a_muted_account_stands_under_paused_and_is_called_muted(anna: Visitor, books: Books) -> None:
    anna.post(f"/accounts/{books.accounts['due']}/mute")

    page = anna.get("/accounts?tab=paused").words
    assert "Ivy Cottage Interiors C1015 £684.30 9 days Muted" in page
    assert "Eastgate Dental Practice" in page and "Paused Reminder 2" in page


def test_a_payment_is_expected_and_no_longer_expected(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    until = TODAY + timedelta(days=9)
    anna.post(f"/accounts/{number}/expect", until=until.isoformat(), why=f"Jo said {BAD}")
    page = anna.get(f"/accounts/{number}")
    assert "Payment expected through 23 Jul 2026" in page.words
    assert BAD not in page.text
    assert holds(books, number) == [(HoldKind.PROMISE, f"Jo said {BAD}", until)]

    anna.post(f"/accounts/{number}/expect-no-more")
    assert holds(books, number) == []


def test_a_promise_may_be_about_some_of_the_overdue_invoices(anna: Visitor, books: Books) -> None:
    number, until = books.accounts["reply"], TODAY + timedelta(days=9)
    shown = anna.get(f"/accounts/{number}").text
    offered = [int(one) for one in re.findall(r'name="invoices" value="(\d+)" checked', shown)]
    assert len(offered) > 1
    theirs = rows(books, InvoiceRow, InvoiceRow.organisation_id == books.theirs)[0].id
    assert anna.post(f"/accounts/{number}/expect", until=until.isoformat(), invoices=[theirs]).status == 404

    anna.post(f"/accounts/{number}/expect", until=until.isoformat(), invoices=[offered[0]])

    with books.office.database.reading() as session:
        told = {row.invoice_id: row.on for row in session.exec(select(ExpectedRow))}
    assert told == {offered[0]: until}


@pytest.mark.parametrize(
    ("until", "said"),
    [("soon", "like 2026-05-31"), ("", "like 2026-05-31"), ("2026-07-13", "is in the past"), ("2062-01-01", "a year")],
)
def test_a_date_that_cannot_be_expected_is_refused_in_a_sentence(
    anna: Visitor, books: Books, until: str, said: str
) -> None:
    answer = anna.post(f"/accounts/{books.accounts['due']}/expect", until=until)

    assert answer.status == 409
    assert said in answer.words
    assert holds(books, books.accounts["due"]) == []


def test_a_date_that_has_passed_is_shown_no_more(anna: Visitor, books: Books) -> None:
    with books.office.database.unit_of_work() as unit:
        Filling(unit, books.ours).hold(books.accounts["due"], HoldKind.PROMISE, "long ago", until=-2)

    assert "long ago" not in anna.get(f"/accounts/{books.accounts['due']}").words


def test_a_question_is_asked_and_answered_on_the_page(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    anna.post(f"/accounts/{number}/questions", text="Was it all delivered?")
    page = anna.get(f"/accounts/{number}")
    assert "A question waits for an answer. Was it all delivered?" in page.words
    assert "Ivy Cottage Interiors" in anna.get("/accounts?tab=pending").words
    (address,) = re.findall(r'action="(/holds/\d+/answer)"', page.text)

    assert anna.post(address, text=" ").status == 409
    assert anna.post(address, text="Yes, on Monday.").headers["location"] == f"/accounts/{number}?said=answered"
    assert anna.post(address, text="Yes, on Monday.").status == 409
    page = anna.get(f"/accounts/{number}").words
    assert "Anna Reed answered “Was it all delivered?”: Yes, on Monday." in page
    assert "A question waits" not in page


def test_a_debt_is_handed_over_and_taken_back(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    anna.post(f"/accounts/{number}/hand-over", why="Ledger & Sons")
    page = anna.get(f"/accounts/{number}").words
    assert "Ivy Cottage Interiors Held With collections" in page
    assert "Ledger & Sons. Anna Reed, since 14 Jul 2026 Take it back" in page

    anna.post(f"/accounts/{number}/take-back")
    assert holds(books, number) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("clear", "Nothing is overdue"), ("paused", "The account is paused"), ("dispute", "nobody collects a disputed")],
)
def test_a_debt_that_may_not_be_handed_over_is_refused_in_a_sentence(
    anna: Visitor, books: Books, name: str, said: str
) -> None:
    answer = anna.post(f"/accounts/{books.accounts[name]}/hand-over")

    assert answer.status == 409
    assert said in answer.words


def test_an_invoice_is_disputed_muted_and_let_go_again(anna: Visitor, books: Books) -> None:
    number = books.accounts["reply"]
    older, younger, _ = sorted(invoices(books, number))
    anna.post(f"/accounts/{number}/invoices/dispute", invoice=older, why="wrong colour", ask="on")
    anna.post(f"/accounts/{number}/invoices/mute", invoice=younger, why="the credit note is on its way")
    page = anna.get(f"/accounts/{number}").words
    assert "INV-2001 disputed Wrong colour. Settle the dispute" in page
    assert "INV-2002 muted The credit note is on its way. Unmute" in page
    assert "INV-2001 is disputed: wrong colour. Anna Reed" in page, "the colleague is asked"
    assert "everything overdue is disputed" in page.lower()

    assert anna.post(f"/invoices/{older}/settle-dispute").status == 303
    assert anna.post(f"/invoices/{younger}/unmute").status == 303
    page = anna.get(f"/accounts/{number}").words
    assert "Settle the dispute" not in page and "Unmute" not in page
    assert position(books, number).driver_id == older


@pytest.mark.parametrize("act", ["mute", "dispute"])
def test_an_invoice_needs_a_description_and_has_to_be_of_this_account(anna: Visitor, books: Books, act: str) -> None:
    number, other = books.accounts["reply"], books.accounts["due"]
    address = f"/accounts/{number}/invoices/{act}"

    assert anna.post(address, invoice=invoices(books, number)[0]).status == 409
    assert anna.post(address, invoice=invoices(books, other)[0], why="x").status == 404
    assert anna.post(address, invoice=invoices(books, books.accounts["theirs: reply"])[0], why="x").status == 404
    for invoice in ("", "x", "9" * 30, "-1"):
        assert anna.post(address, invoice=invoice, why="x").status == 404
    assert all(hold.invoice_id is None for hold in rows(books, HoldRow, HoldRow.account_id == number))


def test_a_step_that_waits_for_a_person_is_approved_with_one_button(anna: Visitor, books: Books) -> None:
    number = books.accounts["pending"]
    page = anna.get(f"/accounts/{number}")
    assert "Approval waits for your approval." in page.words
    (address,) = re.findall(r'action="(/reminders/\d+/approve)"', page.text)

    assert anna.post(address).headers["location"] == f"/accounts/{number}?said=approved"
    assert anna.post(address).status == 409
    page = anna.get(f"/accounts/{number}").words
    assert "Kestrel Signs Due" in page
    assert "Next: Approval on 14 Jul 2026, 09:00 ." in page


def test_a_call_that_waits_is_recorded_with_one_button(anna: Visitor, books: Books) -> None:
    number = books.accounts["pending"]
    with books.office.database.unit_of_work() as unit:
        for step in unit.exec(select(StepRow).where(StepRow.step_id == "c1")):
            step.channel = Channel.CALL
        for reminder in unit.exec(select(ReminderRow).where(ReminderRow.account_id == number)):
            reminder.channel = Channel.CALL
    page = anna.get(f"/accounts/{number}")
    assert "Approval: a call waits to be made." in page.words
    (address,) = re.findall(r'action="(/reminders/\d+/approve)"', page.text)

    assert anna.post(address).headers["location"] == f"/accounts/{number}?said=called"
    (reminder,) = rows(books, ReminderRow, ReminderRow.account_id == number)
    assert (reminder.state, reminder.performed_on) == ("sent", TODAY)
    assert "Approval: the call was made by Anna Reed." in anna.get(f"/accounts/{number}").words


def test_the_workflow_of_an_account_is_changed_to_a_step_of_choice(anna: Visitor, books: Books) -> None:
    number, gentle = books.accounts["due"], workflow(books, "Gentle")
    steps = rows_of_steps(books, gentle)
    page = anna.get(f"/accounts/{number}").text
    assert f'<option value="{gentle}:{steps[1].step_id}">Gentle, {steps[1].name} next (day {steps[1].day})' in page

    answer = anna.post(f"/accounts/{number}/workflow", place=f"{gentle}:{steps[1].step_id}")
    assert answer.headers["location"] == f"/accounts/{number}?said=assigned"
    assert (position(books, number).workflow_id, position(books, number).next_step) == (gentle, steps[1].name)
    anna.post(f"/accounts/{number}/workflow", place=gentle)
    assert position(books, number).next_step == steps[0].name
    assert f"Moved to Gentle by Anna Reed: it begins at {steps[0].name}." in anna.get(f"/accounts/{number}").words


def rows_of_steps(books: Books, number: int) -> list[StepRow]:
    with books.office.database.reading() as session:
        return list(session.exec(select(StepRow).where(StepRow.workflow_id == number).order_by(col(StepRow.day))))


@pytest.mark.parametrize("name", ["paused", "clear"])
def test_the_workflow_of_an_account_that_cannot_move_is_not_changed(anna: Visitor, books: Books, name: str) -> None:
    answer = anna.post(f"/accounts/{books.accounts[name]}/workflow", place=workflow(books, "Gentle"))

    assert answer.status == 409
    assert "was not moved: " in answer.words
    assert rows(books, AssignmentRow) == []


def test_an_account_gets_a_default_of_its_own_which_moves_nothing_today(anna: Visitor, books: Books) -> None:
    number, gentle = books.accounts["due"], workflow(books, "Gentle")
    before = position(books, number).workflow_id
    anna.post(f"/accounts/{number}/default-workflow", workflow=gentle)
    assert position(books, number).workflow_id == before
    assert rows(books, AccountRow, AccountRow.id == number)[0].default_workflow_id == gentle
    assert f'<option value="{gentle}" selected>' in anna.get(f"/accounts/{number}").text

    anna.post(f"/accounts/{number}/default-workflow", workflow="")
    assert rows(books, AccountRow, AccountRow.id == number)[0].default_workflow_id is None


def test_another_organisations_workflow_leads_nowhere(anna: Visitor, books: Books) -> None:
    number, theirs = books.accounts["due"], workflow(books, "Gentle", books.theirs)

    for value in (theirs, f"{theirs}:r1", "", "x", "9" * 40):
        assert anna.post(f"/accounts/{number}/workflow", place=value).status == 404
    assert anna.post(f"/accounts/{number}/default-workflow", workflow=theirs).status == 404
    assert anna.post("/accounts/workflow", account=number, workflow=theirs).status == 404
    assert anna.post(f"/accounts/{number}/workflow", place=f"{workflow(books, 'Gentle')}:nope").status == 409
    assert rows(books, AssignmentRow) == []


def test_the_time_zone_of_an_account_is_its_own(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    anna.post(f"/accounts/{number}/time-zone", zone="America/New_York")
    assert "Time zone: America/New York" in anna.get(f"/accounts/{number}").words
    assert anna.post(f"/accounts/{number}/time-zone", zone="Mars/Base").status == 409

    anna.post(f"/accounts/{number}/time-zone", zone="")
    assert "Time zone: Europe/London" in anna.get(f"/accounts/{number}").words


def test_several_accounts_are_ticked_and_moved_and_the_page_names_who_was_not(anna: Visitor, books: Books) -> None:
    due, idle, paused = (books.accounts[name] for name in ("due", "idle", "paused"))
    gentle = workflow(books, "Gentle")
    answer = anna.post("/accounts/workflow", account=[due, paused, idle], workflow=gentle, tab="all", find="")

    location = answer.headers["location"]
    assert location == f"/accounts?said=moved&left={paused}"
    assert [position(books, one).workflow_id == gentle for one in (due, idle, paused)] == [True, True, False]
    page = anna.get(location).words
    assert "1 account was left as it is : it is paused; resume it first. Eastgate Dental Practice" in page


def test_all_that_the_search_finds_are_moved_on_however_many_pages_they_stand(anna: Visitor, books: Books) -> None:
    gentle = workflow(books, "Gentle")
    page = anna.get("/accounts?find=Trading").words
    assert "All 6 accounts with “Trading”, ticked or not" in page
    answer = anna.post("/accounts/workflow", everyone="on", workflow=gentle, find="Trading")
    assert answer.headers["location"] == "/accounts?find=Trading&said=moved"
    moved = rows(books, AssignmentRow)
    assert len(moved) == 6

    anna.post("/accounts/workflow", everyone="on", workflow=gentle, tab="idle")
    assert [row.account_id for row in rows(books, AssignmentRow)[6:]] == [books.accounts["idle"]]
    anna.post("/accounts/workflow", everyone="on", workflow=gentle)
    ours = {row.id for row in rows(books, AccountRow, AccountRow.organisation_id == books.ours)}
    assert {row.account_id for row in rows(books, AssignmentRow)} < ours
    assert len(rows(books, AssignmentRow)) > 30


def test_a_change_of_many_that_moves_nobody_says_why(anna: Visitor, books: Books) -> None:
    gentle = workflow(books, "Gentle")

    answer = anna.post("/accounts/workflow", workflow=gentle)
    assert (answer.status, "No account was chosen. Tick one first." in answer.words) == (409, True)
    answer = anna.post("/accounts/workflow", account=books.accounts["paused"], workflow=gentle)
    assert (answer.status, "Eastgate Dental Practice was not moved: it is paused" in answer.words) == (409, True)


@pytest.mark.parametrize("name", ["theirs: due", ""])
def test_nobody_elses_account_can_be_ticked(anna: Visitor, books: Books, name: str) -> None:
    ticked = [books.accounts["due"], books.accounts[name] if name else "x"]

    assert anna.post("/accounts/workflow", account=ticked, workflow=workflow(books, "Gentle")).status == 404
    assert rows(books, AssignmentRow) == []


def test_an_address_names_nobody_elses_account_and_nobody_who_could_be_moved(anna: Visitor, books: Books) -> None:
    theirs, due = books.accounts["theirs: paused"], books.accounts["due"]
    with books.office.database.unit_of_work() as unit:
        row = unit.get(AccountRow, theirs)
        assert row is not None
        row.name = "Somebody Else Ltd"

    page = anna.get(f"/accounts?said=moved&left={theirs}.{due}.x.{'9' * 30}&others=x").words
    assert "Somebody Else" not in page
    assert "left as" not in page.split("Accounts by state")[0].split("All")[0]


def test_a_past_day_is_explained_from_what_was_known_then(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    books.clock.now = NOW + timedelta(days=2)
    anna.sign_in()
    anna.post(f"/accounts/{number}/pause", why="they rang")
    page = anna.get(f"/accounts/{number}?at={TODAY}")

    assert "Ivy Cottage Interiors on 14 July 2026" in page.words
    assert "Why it stood there INV-2016 is the oldest overdue invoice at 9 days; Reminder 1 is due." in page.words
    assert "decision " in page.words
    assert "they rang" not in page.words, "that came later"
    assert "The account is paused: they rang." in anna.get(f"/accounts/{number}").words


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("yesterday", "Write the day like 2026-05-31."),
        ("2026-02-30", "Write the day like 2026-05-31."),
        ("2020-01-01", "Nothing had been decided about Ivy Cottage Interiors by 1 January 2020."),
        ("2030-01-01", "has not come yet"),
    ],
)
def test_a_day_that_cannot_be_explained_says_so(anna: Visitor, books: Books, at: str, said: str) -> None:
    page = anna.get(f"/accounts/{books.accounts['due']}?at={at}")

    assert page.status == 200
    assert said in page.words


def test_the_rule_that_decides_comes_first_with_its_inputs_and_what_would_change_it(
    anna: Visitor, books: Books
) -> None:
    page = anna.get(f"/accounts/{books.accounts['promise']}").words
    rules = page[page.index("Rule by rule") :]

    first = "In the way: Hold: promise Payment is expected by 20 July 2026: the office said so. this decides"
    assert rules.index(first) < rules.index("In order: Overdue 2 of 2 open invoices are overdue.")
    assert (
        "What changes it: It goes on the day after, if nothing was paid; or remove the expected payment date." in rules
    )
    assert "Since: 11 July 2026; until: 20 July 2026; by: Anna Reed" in rules


def test_what_is_due_says_that_its_day_has_come_and_not_that_the_gap_is_over(anna: Visitor, books: Books) -> None:
    page = anna.get(f"/accounts/{books.accounts['due']}").words
    rules = page[page.index("Rule by rule") :]

    assert rules.startswith("Rule by rule In order: Step Reminder 1 has been due since")
    assert "nothing is planned" not in page.lower()


def test_what_is_due_and_waits_at_the_door_says_what_for(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    with books.office.database.unit_of_work() as unit:
        for row in unit.exec(select(ReminderRow).where(ReminderRow.account_id == number)):
            row.why = "it is night where they live"

    assert "Reminder 1 waits: it is night where they live." in anna.get(f"/accounts/{number}").words


def test_a_friendly_word_before_the_due_date_is_planned_on_the_page_as_it_is_queued(
    anna: Visitor, books: Books
) -> None:
    number = books.accounts["due"]
    with books.office.database.unit_of_work() as unit:
        for row in unit.exec(select(InvoiceRow).where(InvoiceRow.account_id == number)):
            row.due_on = TODAY + timedelta(days=2)
        organisation = unit.get(OrganisationRow, books.ours)
        assert organisation is not None
        first = unit.exec(select(StepRow).where(StepRow.workflow_id == organisation.default_workflow_id)).first()
        assert first is not None
        unit.add(StepRow(**(first.model_dump() | {"id": None, "step_id": "soon", "name": "Soon due", "day": -3})))
        unit.flush()
        decide_all(unit, books.ours)

    page = anna.get(f"/accounts/{number}").words
    assert "Soon due is due for INV-" in page[: page.index("Rule by rule")]
    assert "Nothing is planned" not in page


def test_an_account_that_moves_on_over_a_link_says_so(anna: Visitor, books: Books) -> None:
    number = books.accounts["idle"]
    with books.office.database.unit_of_work() as unit:
        organisation = unit.get(OrganisationRow, books.ours)
        assert organisation is not None
        standard = unit.get(WorkflowRow, organisation.default_workflow_id)
        assert standard is not None
        standard.link_workflow_id, standard.link_after_days = workflow(books, "Gentle"), 90
        for row in unit.exec(select(PositionRow).where(PositionRow.account_id == number)):
            row.ended = False
        unit.flush()
        decide_all(unit, books.ours)

    assert position(books, number).state == "leaving"
    page = anna.get(f"/accounts/{number}").words
    assert "Fenwick Haulage Ltd Moving on" in page
    assert "Every step is done, and the linked workflow follows." in page
    listed = anna.get("/accounts?tab=snoozed&find=fenwick").words
    assert "Moving on" in listed and "the linked workflow" in listed


def test_whoever_may_only_look_is_shown_what_holds_and_no_form(sam: Visitor, anna: Visitor, books: Books) -> None:
    number = books.accounts["reply"]
    anna.post(f"/accounts/{number}/questions", text="Was it all delivered?")
    anna.post(f"/accounts/{number}/invoices/dispute", invoice=invoices(books, number)[0], why="wrong colour")

    for path in (f"/accounts/{number}", f"/accounts/{books.accounts['pending']}", "/accounts"):
        page = sam.get(path).text
        forms = [form.split('"')[0] for form in page.split('<form method="post" action="')[1:]]
        assert set(forms) == {"/sign-out"}, path
    assert "Was it all delivered?" in sam.get(f"/accounts/{number}").words
    assert sam.get(f"/accounts/{number}?at={TODAY}").status == 200


def test_an_agent_does_all_the_work_on_accounts(anna: Visitor, books: Books) -> None:
    anna.post("/organisation", organisation=books.theirs)  # where she is an agent
    number = books.accounts["theirs: due"]
    gentle = workflow(books, "Gentle", books.theirs)

    for act, fields in {
        "questions": {"text": "Was it all delivered?"},
        "expect": {"until": TODAY.isoformat()},
        "workflow": {"place": gentle},
        "default-workflow": {"workflow": gentle},
        "time-zone": {"zone": "Europe/Paris"},
        "hand-over": {},
        "take-back": {},
        "mute": {},
    }.items():
        assert anna.post(f"/accounts/{number}/{act}", **fields).status == 303, act
