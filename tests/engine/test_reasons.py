"""Mirrors engine/reasons.py and engine/gate_reasons.py: the one reason that decided, and what would change it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.decide import decide, left_behind
from engine.facts import Facts, Rules
from engine.holds import Hold, HoldKind
from engine.limits import Cap, Contacted, ContactRules
from engine.position import Leaving, Waiting
from engine.reasons import Explanation, explain
from engine.reminders import Outcome
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind

TODAY = date(2026, 3, 2)  # a Monday
HOUSE = Workflow("house", "House", (Step("r1", "First", 7), Step("r2", "Second", 21)))
STERN = Workflow("stern", "Stern", (Step("s1", "Stern", 40),))
LINKED = Workflow("linked", "Linked", (Step("l1", "Only", 3),), link=Link("stern", 10))
EMPTY = Workflow("empty", "Empty", ())
REGULAR = Workflow("regular", "Regular", (Step("g1", "G1", 4), Step("g2", "G2", 11)), WorkflowKind.INVOICE)
MIXED = Workflow(
    "mixed",
    "Mixed",
    (Step("c", "Soon due", -3), Step("t", "Text", 5, Channel.SMS), Step("m", "Looked over", 9, manual=True)),
)
POLITE = Workflow("polite", "Polite regular", (Step("c", "Soon due", -3), *REGULAR.steps), WorkflowKind.INVOICE)
FLOWS = {flow.id: flow for flow in (HOUSE, STERN, LINKED, EMPTY, REGULAR, MIXED, POLITE)}
PAUSED = Hold(HoldKind.PAUSED, TODAY - timedelta(days=2), "talks")


def invoice(number: str, age: int, balance: str = "100") -> OpenInvoice:
    return OpenInvoice(number, number, TODAY - timedelta(days=age), Decimal(balance), "GBP")


def facts(flow: Workflow, *invoices: OpenInvoice, **more: Any) -> Facts:
    return Facts(Rules(), FLOWS, flow.id, invoices, TODAY, **more)


def performed(known: Facts, *ages: int, on: date = TODAY) -> Facts:
    """The same account after what was due on each of these days, counted back from today, was performed."""
    for age in ages:
        day = on - timedelta(days=age)
        decision = decide(known, day)
        outcomes = tuple(Outcome(order.key, day) for order in decision.orders)
        assert outcomes
        known = left_behind(known, decision)._replace(outcomes=outcomes)
        known = left_behind(known, decide(known, day))
    return known


def asked(known: Facts, as_of: date = TODAY) -> Explanation:
    return explain(known, as_of)


def test_where_nothing_is_in_the_way_the_reason_is_that_the_step_has_come_due() -> None:
    told = asked(facts(HOUSE, invoice("A", 7)))

    assert told.primary.rule == "step"
    assert told.primary.text == "First has been due since 2 March 2026"
    assert told.besides == ()


def test_an_account_that_was_never_reminded_has_no_last_reminder_that_was_long_ago() -> None:
    gap = next(reason for reason in asked(facts(HOUSE, invoice("A", 7))).reasons if reason.rule == "gap")

    assert (gap.passed, gap.text) == (True, "nothing was sent to it before")


def test_a_text_that_is_due_and_reaches_no_number_is_said_to_be_skipped() -> None:
    known = facts(MIXED, invoice("A", 5), reachable=frozenset({Channel.EMAIL}))

    assert asked(known).primary.text == (
        "Text has been due since 2 March 2026, and is skipped: there is no mobile number that may be texted"
    )
    stopped = known._replace(stopped=((Channel.SMS, "they asked us to stop on 1 March 2026"),))
    assert asked(stopped).primary.text.endswith("is skipped: they asked us to stop on 1 March 2026")


def test_a_courtesy_step_that_goes_today_is_the_reason_and_not_that_nothing_is_overdue() -> None:
    told = asked(facts(MIXED, invoice("A", -3), invoice("B", -2)))

    assert told.decision.orders
    assert told.primary.text == "Soon due is due for B, the first of 2 courtesy steps"
    assert all(reason.passed for reason in told.reasons)


def test_a_courtesy_step_that_waits_for_a_sending_day_is_not_denied() -> None:
    rules = Rules(sending=SendingDays(frozenset({1, 2, 3})))
    told = asked(facts(MIXED, invoice("A", -3))._replace(rules=rules))

    assert not told.decision.orders
    assert told.primary.rule == "sending day"
    assert "Soon due is due for A" in [reason.text for reason in told.reasons]


def test_the_courtesy_step_to_come_is_named_with_its_day() -> None:
    told = asked(facts(MIXED, invoice("A", -10)))

    courtesy = next(reason for reason in told.reasons if reason.rule == "courtesy steps")
    assert courtesy.change == "Soon due for A comes on 9 March 2026."
    assert told.primary.rule == "overdue"


def test_no_gap_lies_between_two_courtesy_steps_of_a_regular_workflow() -> None:
    told = asked(facts(POLITE, invoice("A", -3), last_reminded_on=TODAY))

    assert told.decision.orders[0].held_because == ""
    assert all(reason.passed for reason in told.reasons)


def test_an_overdue_invoice_that_is_left_out_is_named() -> None:
    muted = Hold(HoldKind.MUTED, TODAY, invoice="A")
    known = facts(HOUSE, invoice("A", 7), invoice("B", 9, "2.00"), holds=(muted,))
    told = asked(known._replace(rules=Rules(ignore_below=Decimal(5))))

    assert told.primary.text == "nothing that counts is overdue"
    assert ("left out", "A (muted), B (below 5.00)") in told.primary.inputs
    assert told.primary.change == "Unmute A to remind of it."


def test_a_move_that_a_pause_holds_back_is_not_promised_for_a_day_that_has_passed() -> None:
    known = performed(facts(LINKED, invoice("A", 20)), 17)
    told = asked(known._replace(holds=(PAUSED,)))

    assert isinstance(told.decision.position.state, Leaving)
    assert told.primary.text == "the account is paused: talks"
    assert told.primary.change == "Resume the account."


def test_a_move_that_is_still_to_come_says_what_would_hold_it() -> None:
    known = performed(facts(LINKED, invoice("A", 8)), 5)
    told = asked(known._replace(holds=(PAUSED,)))

    assert told.primary.text == "every step of Linked is done; the account moves on to Stern from 7 March 2026"
    assert told.besides == ("If it came today it would be held: the account is paused: talks.",)


def test_a_move_waits_for_a_sending_day_or_for_the_next_sending_time() -> None:
    known = performed(facts(LINKED, invoice("A", 20)), 17)
    weekdays = known._replace(rules=Rules(sending=SendingDays(frozenset({1}))))
    assert asked(weekdays).primary.rule == "sending day"

    evening = asked(known._replace(sending_ahead=False))
    assert isinstance(evening.decision.position.state, Leaving)
    assert evening.primary.text == "an account moves on before the sending time, which has passed today"


def test_what_waits_for_a_person_says_what_would_hold_it_even_then() -> None:
    told = asked(performed(facts(MIXED, invoice("A", 9)), 4)._replace(holds=(PAUSED,)))

    assert told.primary.text == "Looked over waits for a person's approval"
    assert told.besides == ("Even then it would be held: the account is paused: talks.",)


def test_the_first_reason_is_the_hold_that_the_position_names() -> None:
    limits = ContactRules("one", "One a week", caps=(Cap(1, 7, frozenset(Channel)),))
    rules = Rules(sending=SendingDays(frozenset({1})), limits=limits)
    known = facts(HOUSE, invoice("A", 9), contacted=(Contacted(TODAY - timedelta(days=1), Channel.EMAIL),))
    capped = asked(known._replace(rules=rules))
    assert capped.primary.rule == "contact limits"
    assert capped.decision.position.because.endswith(capped.primary.text)

    stale = facts(HOUSE, invoice("A", 9), reachable=frozenset())._replace(ledger_as_of=date(2026, 1, 1))
    assert asked(stale).primary.rule == "fresh data"
    assert asked(stale).decision.position.because.endswith(asked(stale).primary.text)


def test_a_workflow_without_steps_has_done_none() -> None:
    told = asked(facts(EMPTY, invoice("A", 9)))

    assert told.primary.text == "Empty has no steps, so nothing is sent"
    assert told.decision.position.because.endswith("the workflow has no steps")


def test_paying_the_oldest_is_no_remedy_where_smart_workflows_are_off() -> None:
    known = performed(facts(HOUSE, invoice("A", 40)), 33, 19)

    assert "paying the oldest" in asked(known).primary.change
    legacy = known._replace(rules=replace(Rules(), reassess_on_payment=False))
    assert "paying the oldest" not in asked(legacy).primary.change


def test_each_invoice_of_a_regular_workflow_is_explained_by_its_own_walk() -> None:
    known = performed(facts(REGULAR, invoice("A", 30), invoice("B", 11)), 19, 7)
    told = asked(known)

    driver = next(reason for reason in told.reasons if reason.rule == "driver")
    step = next(reason for reason in told.reasons if reason.rule == "step")
    assert ("driver", told.decision.position.driver.number if told.decision.position.driver else "") in driver.inputs
    assert driver.text == "2 overdue invoices are reminded one by one; B comes next"
    assert ("age", "11 days") in driver.inputs
    assert ("schedule counts from", "19 February 2026") in step.inputs
    assert ("last step done", "G1") in step.inputs

    alone = asked(facts(REGULAR, invoice("A", 5)))
    assert alone.reasons[1].text == "A is the oldest overdue invoice at 5 days"


def test_the_gap_between_two_reminders_of_one_invoice_is_asked_as_well() -> None:
    known = facts(REGULAR, invoice("A", 11))._replace(rules=Rules(min_days_between_reminders=10))
    known = performed(known, 7)
    told = asked(known)

    assert isinstance(told.decision.position.state, Waiting)
    assert told.primary.rule == "gap"
    assert told.primary.text == "the last reminder of A went on 23 February 2026, and 10 days must lie between two"


def test_a_disputed_invoice_does_not_hide_what_the_others_wait_for() -> None:
    known = performed(facts(REGULAR, invoice("A", 20), invoice("B", 9)), 16, 5)
    disputed = asked(known._replace(holds=(Hold(HoldKind.DISPUTE, TODAY, invoice="A"),)))

    position = disputed.decision.position
    assert position.driver is not None
    assert (position.driver.number, position.next_due_on) == ("B", TODAY + timedelta(days=2))
    assert disputed.reasons[1].text == "B is the oldest overdue invoice at 9 days"
    assert not disputed.primary.passed


def test_where_every_invoice_is_disputed_nothing_is_said_to_be_done() -> None:
    known = facts(REGULAR, invoice("A", 5), holds=(Hold(HoldKind.DISPUTE, TODAY, invoice="A"),))
    told = asked(known)

    assert told.primary.text == "everything overdue is disputed, so nothing drives the account"
    assert told.nothing_follows == "everything overdue is disputed"
    assert asked(performed(facts(HOUSE, invoice("B", 40)), 33, 19)).nothing_follows == "every step is done"
    assert asked(facts(EMPTY, invoice("B", 40))).nothing_follows == "the workflow has no steps"


def test_a_stopped_address_may_be_mended_in_the_ledger_or_the_stop_be_lifted() -> None:
    known = facts(HOUSE, invoice("A", 7), reachable=frozenset({Channel.SMS}))
    assert asked(known).primary.change == "Add or correct the address in the ledger; the next sync brings it."

    stopped = known._replace(stopped=((Channel.EMAIL, "it came back on 1 March 2026"),))
    assert asked(stopped).primary.change == (
        "Correct the address in the ledger, or lift the stop on the account page if they may be written to again."
    )
