"""Mirrors engine/decide.py: what follows from the facts of one account on one day."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from engine.calendars import SendingDays
from engine.decide import decide, left_behind
from engine.facts import Begin, Facts, Rules
from engine.holds import Hold, HoldKind
from engine.limits import Cap, Contacted, ContactRules
from engine.position import Clear, Due, Held, Idle, Run, Waiting
from engine.reminders import Outcome, ReminderKey, ReminderState, Standing
from engine.story import When
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind
from telling import W1, a_story, invoice

TWO_INVOICES = (invoice("A", due="2025-05-19", amount="1000"), invoice("B", due="2025-06-06", amount="400"))


def facts(**given: object) -> Facts:
    known: dict[str, object] = {
        "rules": Rules(),
        "workflows": {"W1": W1},
        "default_workflow": "W1",
        "invoices": (invoice("A", due="2025-05-19"),),
        "ledger_as_of": date(2025, 5, 30),
    }
    return Facts(**{**known, **given})  # type: ignore[arg-type]


def test_the_worked_example_42_days_at_reminder_4_paid_then_24_days_back_at_reminder_2_at_once() -> None:
    story = a_story(W1, *TWO_INVOICES).pay("A", on="2025-06-30")

    assert story.position_on("2025-06-29").step == "R3"
    paid = story.position_on("2025-06-30")
    assert paid.step == "R2"
    assert paid.driver == "B"
    assert paid.because == "A, 42 days overdue, was paid; B is now the oldest at 24 days, where R2 applies"
    assert (paid.next_step, paid.next_due_on) == ("R3", "2025-07-11")
    assert ("2025-07-11", "R3") in story.sends, "Reminder 3 goes when B is 35 days overdue"


def test_reminder_2_is_not_repeated_after_the_move_back_because_the_debtor_has_just_been_reminded() -> None:
    story = a_story(W1, *TWO_INVOICES).pay("A", on="2025-06-30")

    assert story.sends == [
        ("2025-05-26", "R1"),
        ("2025-06-09", "R2"),
        ("2025-06-23", "R3"),
        ("2025-06-30", "R4"),
        ("2025-07-11", "R3"),
        ("2025-07-18", "R4"),
        ("2025-08-01", "R5"),
    ]


def test_history_says_why_the_account_moved_back() -> None:
    story = a_story(W1, *TWO_INVOICES).pay("A", on="2025-06-30")

    assert story.notes_of("2025-06-30") == [
        "Moved back from R4 to R2: A, 42 days overdue, was paid; B is now the oldest at 24 days, where R2 applies."
    ]


def test_legacy_mode_goes_on_climbing_whatever_is_paid() -> None:
    story = a_story(W1, *TWO_INVOICES, smart=False).pay("A", on="2025-06-30")

    assert story.position_on("2025-06-30").step == "R4"
    assert story.sends[-1] == ("2025-07-14", "R5")


@pytest.mark.parametrize("smart", [True, False])
def test_an_account_with_nothing_overdue_is_clear_and_begins_again_with_the_next_late_invoice(smart: bool) -> None:
    story = (
        a_story(W1, *TWO_INVOICES, smart=smart, until="2025-08-05")
        .pay("A", "B", on="2025-06-30")
        .happens("add", [invoice("C", due="2025-07-10")], on="2025-07-05", when=When.BEFORE_SEND)
    )

    assert story.position_on("2025-06-30").state == "clear"
    assert story.position_on("2025-07-10").state == "clear", "due today is not overdue"
    assert story.position_on("2025-07-11").next_due_on == "2025-07-17"
    assert story.sends[-2:] == [("2025-07-17", "R1"), ("2025-07-31", "R2")]


@pytest.mark.parametrize("smart", [True, False])
def test_an_invoice_never_paid_walks_the_whole_workflow_and_then_rests(smart: bool) -> None:
    story = a_story(W1, TWO_INVOICES[0], smart=smart)

    assert [step for _, step in story.sends] == ["R1", "R2", "R3", "R4", "R5"]
    assert story.position_on("2025-07-14").state == "idle"
    assert story.position_on("2025-08-31").state == "idle"


def test_a_part_payment_of_the_driver_changes_nothing() -> None:
    story = a_story(W1, *TWO_INVOICES).happens("balance", {"A": "1.00"}, on="2025-06-30")

    assert story.position_on("2025-06-30").step == "R4"
    assert story.position_on("2025-06-30").driver == "A"


def test_an_old_debt_seen_for_the_first_time_begins_at_the_first_step_and_keeps_the_gaps() -> None:
    story = a_story(W1, invoice("A", due="2025-05-01"), start="2025-06-30")

    assert story.sends[:3] == [("2025-06-30", "R1"), ("2025-07-14", "R2"), ("2025-07-28", "R3")]


def test_an_idle_account_moves_back_to_a_step_that_still_has_to_be_sent() -> None:
    story = a_story(W1, invoice("A", due="2025-04-01"), invoice("B", due="2025-06-06"), start="2025-04-01").pay(
        "A", on="2025-06-30"
    )

    assert story.position_on("2025-06-30").step == "R2"
    assert ("2025-07-01", "R2") in story.sends


def test_a_step_that_must_be_sent_once_more_gets_a_new_key_so_that_it_can_be_queued() -> None:
    one_step = Workflow("one", "One", (Step("R1", "R1", 7), Step("R2", "R2", 60)))
    story = a_story(one_step, invoice("A", due="2025-05-01"), invoice("B", due="2025-05-20")).pay("A", on="2025-05-28")

    assert story.sends[:2] == [("2025-05-08", "R1"), ("2025-05-29", "R1")]
    assert story.notes_of("2025-05-28") == [
        "R1 is sent once more: A, 27 days overdue, was paid; B is now the oldest at 8 days, where R1 applies."
    ]


@pytest.mark.parametrize(("due", "again"), [("2025-05-07", False), ("2025-05-08", True)])
def test_a_reminder_sent_on_the_very_due_date_of_an_invoice_did_not_speak_of_it_as_overdue(
    due: str, again: bool
) -> None:
    two_steps = Workflow("two", "Two", (Step("R1", "R1", 7), Step("R2", "R2", 60)))
    story = a_story(two_steps, invoice("A", due="2025-05-01"), invoice("B", due=due)).pay("A", on="2025-05-20")

    assert story.sends[0] == ("2025-05-08", "R1")
    assert (("2025-05-21", "R1") in story.sends) is again


def test_a_voided_driver_counts_as_gone_and_history_names_the_cause() -> None:
    story = a_story(W1, *TWO_INVOICES).happens("void", ["A"], on="2025-06-30")

    assert story.position_on("2025-06-30").step == "R2"
    assert "A, 42 days overdue, was voided" in story.position_on("2025-06-30").because


def test_a_later_due_date_of_the_driver_is_as_good_as_a_payment() -> None:
    story = a_story(W1, *TWO_INVOICES).happens("due", {"A": date(2025, 6, 16)}, on="2025-06-30")

    assert story.position_on("2025-06-30").step == "R2"
    assert story.position_on("2025-06-30").because.startswith("A is now due on 16 June 2025; B is now the oldest")


def test_an_older_invoice_that_turns_up_never_pushes_the_account_forward() -> None:
    story = a_story(W1, TWO_INVOICES[1]).happens("add", [TWO_INVOICES[0]], on="2025-07-01", when=When.BEFORE_SEND)

    assert story.position_on("2025-07-01").step == "R2"
    assert story.position_on("2025-07-01").driver == "A"
    assert story.sends[2] == ("2025-07-11", "R3")


def test_waiting_for_a_weekday_does_not_shift_the_steps_after_it() -> None:
    weekdays = SendingDays(frozenset(range(5)))
    story = a_story(W1, invoice("A", due="2025-05-17"), sending=weekdays)

    assert story.sends[:2] == [("2025-05-26", "R1"), ("2025-06-09", "R2")]
    assert story.position_on("2025-05-26").next_due_on == "2025-06-07"


def test_a_holiday_is_no_sending_day() -> None:
    closed = SendingDays(holidays=frozenset({date(2025, 5, 26)}))
    story = a_story(W1, invoice("A", due="2025-05-19"), sending=closed)

    assert story.sends[0] == ("2025-05-27", "R1")


def test_between_two_reminders_lie_as_many_days_as_the_organisation_wants() -> None:
    story = a_story(W1, invoice("A", due="2025-05-19"), min_days_between_reminders=10)

    assert story.sends[3] == ("2025-07-03", "R4"), "seven days after Reminder 3 would be too soon"
    assert story.sends[4] == ("2025-07-17", "R5"), "the gap after it is kept"


def test_a_pause_stops_sending_but_not_bookkeeping() -> None:
    story = (
        a_story(W1, *TWO_INVOICES)
        .happens("pause", True, on="2025-06-10", when=When.BEFORE_SEND)
        .pay("A", on="2025-06-30", when=When.BEFORE_SEND)
        .happens("pause", False, on="2025-07-08", when=When.BEFORE_SEND)
    )

    assert story.position_on("2025-06-30").step == "R2"
    assert story.sends[2] == ("2025-07-11", "R3")


def test_a_promise_delays_the_next_reminder_to_the_day_after_it() -> None:
    story = a_story(W1, invoice("A", due="2025-05-19")).happens(
        "promise", date(2025, 7, 4), on="2025-06-20", when=When.BEFORE_SEND
    )

    assert story.sends[2] == ("2025-07-05", "R3")
    assert story.sends[3] == ("2025-07-12", "R4")


def test_nothing_goes_on_data_that_is_too_old() -> None:
    story = (
        a_story(W1, invoice("A", due="2025-05-19"))
        .happens("ledger", "down", on="2025-06-29", when=When.BEFORE_SEND)
        .happens("ledger", "up", on="2025-07-01")
    )

    assert story.sends[3] == ("2025-07-02", "R4")


def test_a_muted_invoice_is_left_out_and_does_not_drive() -> None:
    story = a_story(W1, *TWO_INVOICES).happens("mute_invoice", ["A"], on="2025-06-30")

    assert story.position_on("2025-06-30").step == "R2"
    assert story.told.sends[-1].invoices == ("B",)


def test_a_disputed_invoice_is_listed_but_does_not_drive() -> None:
    story = a_story(W1, *TWO_INVOICES).happens("dispute", ["A"], on="2025-06-30")

    assert story.position_on("2025-06-30").driver == "B"
    assert story.told.sends[-1].invoices == ("A", "B")


def test_when_everything_overdue_is_disputed_the_account_keeps_its_place_and_hears_nothing() -> None:
    story = a_story(W1, *TWO_INVOICES).happens("dispute", ["A", "B"], on="2025-06-24")

    assert story.position_on("2025-08-31").step == "R4"
    assert story.position_on("2025-08-31").driver == ""
    assert len(story.sends) == 3


def test_a_manual_step_waits_for_a_person_and_goes_when_approved() -> None:
    manual = Workflow("M", "M", (Step("R1", "R1", 7), Step("R2", "R2", 21, manual=True), Step("R3", "R3", 35)))
    story = a_story(manual, invoice("A", due="2025-05-19")).happens("approve", "R2", on="2025-06-12")

    assert story.position_on("2025-06-11").state == "pending"
    assert story.sends == [("2025-05-26", "R1"), ("2025-06-13", "R2"), ("2025-06-27", "R3")]


def test_a_final_notice_that_waits_for_approval_is_withdrawn_when_the_driver_is_paid() -> None:
    steps = tuple(Step(f"R{n}", f"R{n}", d, manual=n == 4) for n, d in enumerate((7, 21, 35, 42), start=1))
    story = (
        a_story(Workflow("M", "M", steps), *TWO_INVOICES)
        .pay("A", on="2025-07-02")
        .happens("approve", "R4", on="2025-07-04", when=When.BEFORE_SEND)
    )

    assert story.position_on("2025-07-02").step == "R2"
    assert [step for _, step in story.sends] == ["R1", "R2", "R3", "R3"]


def test_a_text_message_without_a_number_is_skipped_and_the_sequence_goes_on() -> None:
    steps = (Step("R1", "R1", 7), Step("R2", "R2", 21, Channel.SMS), Step("R3", "R3", 35))
    story = a_story(Workflow("S", "S", steps), invoice("A", due="2025-05-19")).happens(
        "sms_number", False, on="2025-05-01", when=When.BEFORE_SEND
    )

    assert [step for _, step in story.sends] == ["R1", "R2", "R3"]
    assert story.position_on("2025-06-09").step == "R2"


def test_an_account_without_an_address_is_held_and_says_what_to_do() -> None:
    decision = decide(facts(reachable=frozenset()), date(2025, 5, 30))

    assert isinstance(decision.position.state, Held)
    assert decision.orders[0].held_because == "there is no address to send it to: add an email address in the ledger"
    assert decision.notes[-1].text.startswith("R1 was not sent: there is no address")


def test_a_doubt_about_the_last_reminder_holds_the_account_until_it_is_settled() -> None:
    first = decide(facts(), date(2025, 5, 30))
    assert isinstance(first.position.state, Due)
    doubt = Standing(first.orders[0].key, ReminderState.UNSURE, why="the process ended while sending")

    decision = decide(facts(run=first.position.run, cycle=1, standing=(doubt,)), date(2025, 5, 30))

    assert isinstance(decision.position.state, Held)
    assert decision.orders[0].held_because.startswith("it is not known whether the last one went out")


def test_deciding_twice_is_deciding_once() -> None:
    first = decide(facts(), date(2025, 5, 30))
    queued = Standing(first.orders[0].key, ReminderState.QUEUED)
    again = decide(facts(run=first.position.run, cycle=first.cycle, standing=(queued,)), date(2025, 5, 30))

    assert again.position == first.position
    assert again.orders == first.orders
    assert (again.notes, again.withdrawals) == ((), ())


def test_a_reminder_that_was_sent_moves_the_account_on() -> None:
    first = decide(facts(), date(2025, 5, 30))
    sent = Outcome(ReminderKey(1, "R1"), date(2025, 5, 30))

    after = decide(facts(run=first.position.run, cycle=1, outcomes=(sent,)), date(2025, 5, 30))

    assert isinstance(after.position.state, Waiting)
    assert after.position.assigned == W1.steps[0]
    assert after.last_reminded_on == date(2025, 5, 30)


def test_a_queued_reminder_is_withdrawn_when_everything_was_paid() -> None:
    first = decide(facts(), date(2025, 5, 30))
    queued = Standing(first.orders[0].key, ReminderState.QUEUED)

    after = decide(facts(invoices=(), run=first.position.run, cycle=1, standing=(queued,)), date(2025, 5, 30))

    assert isinstance(after.position.state, Clear)
    assert [withdrawal.key for withdrawal in after.withdrawals] == [first.orders[0].key]


def test_a_hold_that_has_run_out_holds_nothing() -> None:
    promise = Hold(HoldKind.PROMISE, date(2025, 5, 20), until=date(2025, 5, 29))

    assert isinstance(decide(facts(holds=(promise,)), date(2025, 5, 29)).position.state, Held)
    assert isinstance(decide(facts(holds=(promise,)), date(2025, 5, 30)).position.state, Due)


def test_invoices_below_the_limit_are_as_good_as_gone() -> None:
    small = facts(invoices=(invoice("A", due="2025-05-19", amount="4.99"),), rules=Rules(ignore_below=Decimal(5)))

    assert isinstance(decide(small, date(2025, 5, 30)).position.state, Clear)


def test_an_approval_given_on_a_weekend_is_not_forgotten_by_monday() -> None:
    by_hand = Workflow("M", "M", (Step("R1", "R1", 7, manual=True), Step("R2", "R2", 21)))
    weekdays = SendingDays(frozenset(range(5)))
    story = a_story(by_hand, invoice("A", due="2025-05-17"), sending=weekdays, until="2025-06-10")
    story = story.happens("approve", "R1", on="2025-05-24", when=When.BEFORE_SEND)  # a Saturday

    assert story.sends == [("2025-05-26", "R1"), ("2025-06-09", "R2")]


def test_the_last_step_is_repeated_every_so_many_days_under_a_key_of_its_own_each_time() -> None:
    repeating = Workflow("R", "R", (Step("R1", "R1", 7), Step("R2", "R2", 14)), repeat_every=10)
    story = a_story(repeating, invoice("A", due="2025-05-01"), until="2025-06-20")

    assert story.sends == [
        ("2025-05-08", "R1"),
        ("2025-05-15", "R2"),
        ("2025-05-25", "R2"),
        ("2025-06-04", "R2"),
        ("2025-06-14", "R2"),
    ]


def test_after_a_move_back_the_repetitions_begin_again_when_the_new_driver_is_old_enough() -> None:
    repeating = Workflow("R", "R", (Step("R1", "R1", 7), Step("R2", "R2", 14)), repeat_every=10)
    story = a_story(repeating, invoice("A", due="2025-05-01"), invoice("B", due="2025-05-30"), until="2025-06-30")
    story = story.pay("A", on="2025-06-05")

    assert story.position_on("2025-06-05").step == ""
    assert story.sends[4:] == [("2025-06-06", "R1"), ("2025-06-13", "R2"), ("2025-06-23", "R2")]


def test_a_step_chosen_by_hand_is_the_next_to_go_and_the_gaps_count_from_there() -> None:
    decision = decide(facts(begin=Begin("W1", "R3", by="Dana"), ledger_as_of=date(2025, 6, 30)), date(2025, 6, 30))

    assert (decision.position.assigned.name, decision.orders[0].step.name) == ("R3", "R3")  # type: ignore[union-attr]
    assert [note.text for note in decision.notes] == ["Moved to W1 by Dana: it begins at R3."]


@pytest.mark.parametrize(
    ("younger", "smart", "assigned", "following"),
    [
        (date(2025, 6, 6), True, "R2", "R2"),
        (date(2025, 6, 25), True, None, "R1"),
        (date(2025, 6, 6), False, "R4", "R4"),
    ],
)
def test_an_account_put_at_a_step_by_hand_moves_back_from_there_when_its_driver_is_paid(
    younger: date, smart: bool, assigned: str | None, following: str
) -> None:
    today = date(2025, 6, 30)
    rules, other = Rules(reassess_on_payment=smart), invoice("B", due=younger)
    owed = (invoice("A", due="2025-05-19"), other)
    chosen = facts(rules=rules, invoices=owed, begin=Begin("W1", "R4", by="Dana"), ledger_as_of=today)
    paid = left_behind(chosen, decide(chosen, today))._replace(invoices=(other,))
    position = decide(paid, today).position

    assert (position.assigned.name if position.assigned else None) == assigned
    assert position.next_step is not None
    assert position.next_step.name == following


def test_an_account_handed_over_is_left_alone_until_it_has_paid() -> None:
    handed_over = (Hold(HoldKind.HANDED_OVER, date(2025, 6, 1)),)
    owing = decide(facts(holds=handed_over, ledger_as_of=date(2025, 6, 30)), date(2025, 6, 30))
    paid = decide(facts(holds=handed_over, invoices=()), date(2025, 6, 30))

    assert isinstance(owing.position.state, Held)
    assert paid.lifts == (HoldKind.HANDED_OVER,)


def test_an_idle_account_stays_idle_when_somebody_adds_a_step_or_a_link_to_its_workflow() -> None:
    at_rest = decide(facts(outcomes=(), run=_done_with(W1, "R5")), date(2025, 8, 1)).position.run
    longer = replace(W1, steps=(*W1.steps, Step("R6", "R6", 90)), version=2)
    onward = replace(W1, link=Link("W1", 3), version=2)

    for edited in (longer, onward):
        decision = decide(facts(run=at_rest, workflows={"W1": edited}), date(2025, 9, 1))
        assert isinstance(decision.position.state, Idle)


def _done_with(workflow: Workflow, step: str) -> Run:
    day = next(one.day for one in workflow.steps if one.id == step)
    due = date(2025, 5, 19)
    return Run(workflow.id, 1, due, "A", due, done=step, done_day=day, last_heard_on=date(2025, 7, 14), performed=True)


def test_a_contact_limit_that_is_reached_holds_the_step_until_the_next_open_day() -> None:
    rules = Rules(limits=ContactRules("t", "Twice a week", caps=(Cap(2, 7),)))
    lately = (Contacted(date(2025, 5, 22), Channel.EMAIL), Contacted(date(2025, 5, 24), Channel.CALL))
    held = decide(facts(rules=rules, contacted=lately, ledger_as_of=date(2025, 5, 28)), date(2025, 5, 28))
    free = decide(facts(rules=rules, contacted=lately, ledger_as_of=date(2025, 5, 29)), date(2025, 5, 29))

    assert isinstance(held.position.state, Held)
    assert held.position.state.holds[0].until == date(2025, 5, 28)
    assert isinstance(free.position.state, Due)


def test_a_workflow_of_the_other_kind_assigned_during_a_pause_changes_nothing() -> None:
    alone = Workflow("E", "E", (Step("E1", "E1", 5), Step("E2", "E2", 15)), WorkflowKind.INVOICE)
    paused = (Hold(HoldKind.PAUSED, date(2025, 6, 1)),)
    before = facts(workflows={"W1": W1, "E": alone}, default_workflow="E", holds=paused, ledger_as_of=date(2025, 6, 2))
    first = decide(before, date(2025, 6, 2))
    again = decide(left_behind(before, first)._replace(begin=Begin("W1")), date(2025, 6, 2))

    assert again.position.workflow.name == "E"
    assert again.invoice_runs == first.invoice_runs
