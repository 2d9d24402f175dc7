"""Mirrors engine/: the sentences with "always" and "never" in them, tried on stories that nobody thought of.

What a sentence forbids is looked for among the bare facts, not with the engine's own words for them: a rule that is
wrong there must not prove itself.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.again import look_again_on
from engine.ageing import OpenInvoice
from engine.decide import decide, kind_of, left_behind, with_outcomes
from engine.facts import Decision, Facts, FirstContact
from engine.holds import Hold, HoldKind, sentence
from engine.moves import reassessed
from engine.notes import NoteKind
from engine.position import Clear, Due, Held, Run, place_done
from engine.reasons import Explanation, explain
from engine.receivables import Ref
from engine.reminders import COURTESY_CYCLE, ReminderKey, ReminderState, Standing
from engine.story import Event, Story, Telling, When, tell
from engine.workflow import Channel, Workflow, WorkflowKind
from inventing import EDIT, LEDGER_EVENTS, NAMES, OTHER_EVENTS, START, Sending, gone_by, regular_stories, stories, told
from telling import W1, ToldStory, a_story, invoice

MANY = settings(max_examples=120, deadline=None)
MORE = settings(parent=MANY, max_examples=400)
ALL = LEDGER_EVENTS + OTHER_EVENTS
EDITED = (*ALL, EDIT, EDIT)
DISPUTED = (*["dispute"] * 6, "settle_dispute", "pay", "add", "assign", "pause", "approve", EDIT)


def holding(facts: Facts, as_of: date) -> list[Hold]:
    return [hold for hold in facts.holds if hold.since <= as_of and (hold.until is None or as_of <= hold.until)]


def spoken_of(facts: Facts, as_of: date) -> list[OpenInvoice]:
    """What a reminder may speak of: whatever is open, is no trifle, and is not muted."""
    muted = {hold.invoice for hold in holding(facts, as_of) if hold.kind is HoldKind.MUTED}
    return [one for one in facts.invoices if one.id not in muted and not one.balance < facts.rules.ignore_below]


def set_aside(facts: Facts, as_of: date) -> set[Ref | None]:
    """The disputed invoices, where those do not drive."""
    disputed = {hold.invoice for hold in holding(facts, as_of) if hold.kind is HoldKind.DISPUTE}
    return set() if facts.rules.disputed_invoices_drive else disputed


def chased_for(facts: Facts, as_of: date) -> list[OpenInvoice]:
    """The overdue invoices that somebody may be reminded for."""
    aside = set_aside(facts, as_of)
    return [one for one in spoken_of(facts, as_of) if (as_of - one.due_on).days >= 1 and one.id not in aside]


def in_credit(facts: Facts) -> bool:
    """More money lies there than is owed in that currency, and nothing is owed in any other."""
    nets: Counter[str] = Counter()
    for one in facts.invoices:
        nets[one.currency] += one.balance  # type: ignore[assignment]
    owing = {currency for currency, owed in nets.items() if owed}
    return any(credit.amount > nets[credit.currency] and owing <= {credit.currency} for credit in facts.credits)


@MANY
@given(stories(events=tuple(event for event in EDITED if event != "ledger")))
def test_a_paid_invoice_is_never_in_a_reminder(story: Story) -> None:
    for sending in told(story).sendings:
        assert not gone_by(story, sending.as_of) & set(map(str, sending.order.invoices))


@MANY
@given(stories(events=EDITED))
def test_a_reminder_always_lists_exactly_what_it_may_speak_of(story: Story) -> None:
    for facts, as_of, _, order in told(story).sendings:
        listed = {one.id for one in spoken_of(facts, as_of)}
        if order.key.invoice is None:
            assert set(order.invoices) == listed
        else:
            assert order.invoices == (order.key.invoice,) and order.key.invoice in listed


@MANY
@given(stories(events=EDITED))
def test_nobody_is_ever_reminded_twice_on_one_day(story: Story) -> None:
    """Where each invoice walks alone, nobody is reminded twice of the same one."""
    whole, single = Counter[date](), Counter[tuple[date, Ref | None]]()
    for sending in told(story).sendings:
        if sending.alone:
            single[sending.as_of, sending.order.key.invoice] += 1
        else:
            whole[sending.as_of] += 1
    assert not [on for on, count in (*whole.items(), *single.items()) if count > 1]


@MANY
@given(stories(events=EDITED))
def test_a_reminder_never_leaves_twice_under_one_key(story: Story) -> None:
    """It could be queued only once: the second one would be lost without a word."""
    keys = Counter(sending.order.key for sending in told(story).sendings)
    assert not [key for key, count in keys.items() if count > 1]


@MORE
@given(stories(events=ALL, alone=False, held=True))
def test_at_least_the_chosen_gap_always_lies_between_two_reminders(story: Story) -> None:
    tale = told(story)
    heard = [send.on for send in tale.telling.sends if not send.skipped]
    gap = story.rules.min_days_between_reminders
    assert all((later - earlier).days >= gap for earlier, later in pairwise(heard))
    for sending in tale.sendings:
        assert all((sending.as_of - one.on).days >= gap or one.on > sending.as_of for one in sending.facts.tried_out)


@MANY
@given(stories(events=EDITED))
def test_a_reminder_never_leaves_where_the_contact_limits_are_reached(story: Story) -> None:
    heard = [send for send in told(story).telling.sends if not send.skipped]
    for cap in story.rules.limits.caps if story.rules.limits is not None else ():
        days = [send.on for send in heard if send.channel in cap.channels]
        for later, earlier in zip(days[cap.most :], days, strict=False):
            assert (later - earlier).days >= cap.days


@MANY
@given(stories(smart=True, events=EDITED))
def test_with_smart_workflows_no_reminder_ever_leaves_before_the_driver_has_reached_its_day(story: Story) -> None:
    """Where each invoice walks alone, before that invoice has."""
    for sending in told(story).sendings:
        facts, as_of, _, order = sending
        owed = chased_for(facts, as_of) if order.key.invoice is None else facts.invoices
        ages = [(as_of - one.due_on).days for one in owed if order.key.invoice in (None, one.id)]
        assert max(ages) >= order.step.day


@MANY
@given(stories(events=EDITED))
def test_a_step_that_waits_for_a_person_never_goes_by_itself(story: Story) -> None:
    for facts, _, _, order in told(story).sendings:
        if order.step.manual or order.step.channel is Channel.CALL:
            assert any(one.key == order.key and one.approved for one in facts.standing)


@MANY
@given(stories(events=EDITED))
def test_reassessment_never_moves_an_account_forward(story: Story) -> None:
    """Whatever drives now, the steps done are as many as before or fewer; over a link it only ever goes back."""
    for facts, as_of, _ in told(story).decisions:
        facts = with_outcomes(facts)
        chased = chased_for(facts, as_of)
        if facts.run is None or not chased or not facts.run.performed:
            continue
        moved = reassessed(facts.run, min(chased, key=lambda one: one.due_on), facts, as_of)
        if moved.run.workflow != facts.run.workflow:
            assert moved.run.workflow in {passed.workflow for passed in facts.run.path}
            assert len(moved.run.path) < len(facts.run.path)
        else:
            workflow = facts.workflows[facts.run.workflow]
            assert place_done(moved.run, workflow) <= place_done(facts.run, workflow)
            assert moved.run.anchor >= facts.run.anchor
        if not facts.rules.reassess_on_payment:
            assert (moved.run.workflow, moved.run.done, moved.run.anchor) == (
                *(facts.run.workflow, facts.run.done, facts.run.anchor),
            )


@MANY
@given(stories(events=(*[EDIT] * 6, "pay", "due", "pause"), alone=False))
def test_after_an_edit_no_step_ever_goes_that_stands_where_the_account_has_been(story: Story) -> None:
    for sending in told(story).sendings:
        run, step = with_outcomes(sending.facts).run, sending.order.step
        if run is None or run != sending.decision.position.run or run.done is None:
            continue
        if run.done not in {one.id for one in sending.workflow.steps}:
            assert step.day > run.done_day


@MANY
@given(stories(events=LEDGER_EVENTS, alone=False, known=False), st.integers(0, 145))
def test_a_payment_never_brings_a_later_step(story: Story, day: int) -> None:
    """Compared with the same story without the payment: that day's step is the same or an earlier one."""
    on = START + timedelta(days=day)
    before = [event for event in story.events if event.on < on]
    payment = Event(on, "pay", [NAMES[0]], When.AFTER_SEND)
    link = {name: replace(flow, link=None) for name, flow in story.workflows.items()}
    first_contact = replace(story.rules, first_contact=FirstContact.BEGINNING)
    plain = replace(story, workflows=link, rules=first_contact, until=on)
    with_it, without_it = tell(replace(plain, events=(*before, payment))), tell(replace(plain, events=tuple(before)))
    workflow = link[story.default_workflow]
    assert _place(with_it, on, workflow) <= _place(without_it, on, workflow)


def _place(telling: Telling, on: date, workflow: Workflow) -> int:
    assigned = telling.positions[on].assigned
    return workflow.sequence.index(assigned) + 1 if assigned else 0


@MORE
@given(stories(events=EDITED, held=True))
def test_nothing_is_ever_sent_to_an_account_that_is_clear_held_or_known_from_stale_data_only(story: Story) -> None:
    for sending in told(story).sendings:
        facts, as_of, decision, order = sending
        whole = [hold for hold in holding(facts, as_of) if hold.invoice is None]
        in_doubt = {one.state for one in facts.standing} & {ReminderState.UNSURE, ReminderState.SENDING}
        assert not whole and not in_doubt
        assert facts.ledger_as_of is not None
        assert (as_of - facts.ledger_as_of).days <= facts.rules.stale_after_days
        assert not (facts.rules.pause_when_in_credit and in_credit(facts))
        assert order.step.channel is not Channel.EMAIL or Channel.EMAIL in facts.reachable
        if order.key.cycle == COURTESY_CYCLE:
            assert _is_a_friendly_word(sending), "before the due date, and while nothing is overdue"
        else:
            assert chased_for(facts, as_of)
            assert not isinstance(decision.position.state, Clear)
            assert order.step.day > 0


@MORE
@given(stories(events=("pay", "add", "pause"), held=True))
def test_what_was_refused_is_never_ordered_to_leave_again_under_its_key(story: Story) -> None:
    for facts, _, decision in told(story).decisions:
        refused = {one.key for one in facts.standing if one.state is ReminderState.REFUSED}
        assert not refused & {order.key for order in decision.orders if not order.held_because}


@MORE
@given(stories(events=DISPUTED))
def test_nobody_is_ever_chased_for_what_is_disputed_alone(story: Story) -> None:
    for facts, as_of, _, order in told(story).sendings:
        assert not set_aside(facts, as_of) & {order.key.invoice}
        assert order.key.cycle == COURTESY_CYCLE or chased_for(facts, as_of)


def _is_a_friendly_word(sending: Sending) -> bool:
    facts, as_of, _, order = sending
    (about,) = [one for one in facts.invoices if one.id == order.key.invoice]
    first = (about.id, order.step.id) not in facts.courtesies
    overdue = any(one.due_on < as_of for one in spoken_of(facts, as_of))
    return (
        first
        and about.due_on >= as_of
        and order.step.day <= 0
        and (kind_of(facts) is WorkflowKind.INVOICE or not overdue)
    )


@MANY
@given(stories(events=DISPUTED) | stories(events=EDITED))
def test_what_is_queued_always_stays_ordered_or_is_taken_back(story: Story) -> None:
    """Nothing waits in the queue that nobody wants any more, and nothing is both wanted and taken back."""
    for facts, _, decision in told(story).decisions:
        queued = {one.key for one in facts.standing if one.state is ReminderState.QUEUED}
        performed = {outcome.key for outcome in facts.outcomes}
        ordered, back = {order.key for order in decision.orders}, {one.key for one in decision.withdrawals}
        assert not ordered & back and back <= queued
        assert queued <= ordered | back | performed
        assert len(ordered) == len(decision.orders), "one reminder for one key"


@MANY
@given(stories(events=EDITED))
def test_nothing_ever_leaves_on_a_day_that_is_no_sending_day(story: Story) -> None:
    assert all(story.rules.sending.allows(sending.as_of) for sending in told(story).sendings)


@MANY
@given(stories(events=EDITED))
def test_an_account_with_nothing_overdue_always_stands_at_the_start(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions:
        muted = any(hold.kind is HoldKind.MUTED and hold.invoice is None for hold in holding(facts, as_of))
        if muted or not any(one.due_on < as_of for one in spoken_of(facts, as_of)):
            assert isinstance(decision.position.state, Clear)
            assert decision.position.run is None
            assert decision.position.workflow.id == facts.default_workflow


@MANY
@given(stories(events=ALL, alone=False), st.data())
def test_an_account_that_has_come_to_rest_is_never_woken_by_what_falls_overdue(
    story: Story, data: st.DataObject
) -> None:
    """Nothing is paid, lifted or changed by anybody: however much falls overdue, nothing more is sent."""
    tale = told(replace(story, events=()))
    rest = [as_of for facts, as_of, decision in tale.decisions if (run := decision.position.run) and run.ended]
    assume(rest)
    ends = {hold.until for hold in (story.facts.holds if story.facts else ()) if hold.invoice is not None}
    assert ends - {None} or not [sending for sending in tale.sendings if sending.as_of > rest[0]]


@MANY
@given(stories(smart=True, alone=False), st.data())
def test_both_modes_are_alike_while_no_driver_leaves_before_the_others(story: Story, data: st.DataObject) -> None:
    newest_first = sorted(story.invoices, key=lambda one: one.due_on, reverse=True)
    dues = [one.due_on for one in newest_first]
    assume(len(set(dues)) == len(dues))
    days = sorted(data.draw(st.lists(st.integers(0, 150), min_size=len(dues), max_size=len(dues))))
    events = tuple(
        Event(START + timedelta(days=day), "pay", [str(one.id)], When.AFTER_SEND)
        for day, one in zip(days, newest_first, strict=True)
    )
    smart = replace(story, events=events)
    rules = replace(story.rules, reassess_on_payment=False)
    known = smart.facts._replace(rules=rules) if smart.facts is not None else None
    assert tell(smart).sends == tell(replace(smart, rules=rules, facts=known)).sends


@MANY
@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_records_within_one_sync_never_matters(story: Story, chance: Any) -> None:
    shuffled = list(story.invoices)
    chance.shuffle(shuffled)
    one, other = tell(story), tell(replace(story, invoices=tuple(shuffled)))
    assert [(send.on, send.step, set(send.invoices)) for send in one.sends] == [
        (send.on, send.step, set(send.invoices)) for send in other.sends
    ]
    assert {day: position.run for day, position in one.positions.items()} == {
        day: position.run for day, position in other.positions.items()
    }
    assert {day: position.driver for day, position in one.positions.items()} == {
        day: position.driver for day, position in other.positions.items()
    }


@MANY
@given(stories(events=EDITED))
def test_deciding_twice_is_deciding_once(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions:
        again = decide(_kept(facts, decision), as_of)
        assert again.position.run == decision.position.run
        assert again.position.state == decision.position.state
        assert {order.key: order.held_because for order in again.orders} == {
            order.key: order.held_because for order in decision.orders
        }
        assert (again.cycle, again.notes, again.withdrawals) == (decision.cycle, (), ())
        assert again.invoice_runs == decision.invoice_runs


def _kept(facts: Facts, decision: Decision) -> Facts:
    """The facts of the very next look, when nothing has happened since."""
    approved = {one.key for one in facts.standing if one.approved}
    others = tuple(one for one in facts.standing if one.state is not ReminderState.QUEUED)
    queued = tuple(
        Standing(order.key, ReminderState.QUEUED, order.key in approved, order.held_because)
        for order in decision.orders
        if order.key not in {one.key for one in others}
    )
    return left_behind(facts, decision)._replace(standing=queued + others)


@MANY
@given(stories())
def test_before_the_day_on_which_it_must_be_looked_at_again_nothing_about_an_account_changes(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions[::7]:
        after = _kept(facts, decision)
        again = look_again_on(after, decision, as_of)
        fresh = after._replace(sending_ahead=True)
        for offset in range(1, min(40, (again - as_of).days)):
            on = as_of + timedelta(days=offset)
            later = decide(fresh._replace(ledger_as_of=on), on)
            assert later.position.run == decision.position.run
            assert later.position.state == decision.position.state
            assert later.position.assigned == decision.position.assigned
            assert (later.orders, later.notes) == ((), ())


@MANY
@given(stories())
def test_every_explanation_agrees_with_the_decision_that_it_explains(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions[::5]:
        explanation = explain(facts, as_of)
        _agrees(explanation, decision)
        if isinstance(decision.position.state, Held) and decision.position.driver is not None:
            assert explanation.primary.text == sentence(decision.position.state.holds[0]), "both say the same"


@MANY
@given(regular_stories())
def test_every_explanation_of_a_regular_workflow_agrees_as_well(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions[::5]:
        _agrees(explain(facts, as_of), decision)


def _agrees(explanation: Explanation, decision: Decision) -> None:
    """Where every rule says yes something leaves, and where one says no nothing does."""
    assert explanation.decision == decision
    if isinstance(decision.position.state, Due):
        assert all(reason.passed for reason in explanation.reasons)
    elif not isinstance(decision.position.state, Clear):
        assert not explanation.primary.passed
        assert explanation.primary.change


@MANY
@given(regular_stories())
def test_on_a_regular_workflow_each_invoice_walks_as_if_it_were_alone(story: Story) -> None:
    together = {(send.on, send.step, send.invoices) for send in tell(story).sends}
    alone = {
        (send.on, send.step, send.invoices)
        for one in story.invoices
        for send in tell(
            replace(
                story,
                invoices=(one,),
                events=tuple(event for event in story.events if event.value == [str(one.id)]),
            )
        ).sends
    }
    assert together == alone


def test_the_gap_of_a_run_is_counted_from_the_anchor_and_never_shrinks() -> None:
    """A plain example beside the properties: late by two days, every later step is late by two days."""
    story = a_story(W1, invoice("A", due="2025-05-19")).happens("pause", True, on="2025-05-20", when=When.BEFORE_SEND)
    story = story.happens("pause", False, on="2025-05-28", when=When.BEFORE_SEND)

    assert story.sends[:2] == [("2025-05-28", "R1"), ("2025-06-11", "R2")]


def test_a_run_says_where_it_stands_by_place() -> None:
    run = Run("W1", 1, START, "A", START, done="R2", done_day=21)

    assert place_done(run, W1) == 2


@pytest.mark.parametrize("state", [ReminderState.REFUSED, ReminderState.UNSURE])
@pytest.mark.parametrize("workflow", [W1, replace(W1, kind=WorkflowKind.INVOICE)])
def test_history_says_once_that_a_reminder_was_refused_or_is_in_doubt(state: ReminderState, workflow: Workflow) -> None:
    """It was told when it happened. The looks of the days that follow find it so, and add no line each."""
    story = a_story(workflow, invoice("A", due="2025-05-19"), until="2025-06-20").story
    alone = "A" if workflow.kind is WorkflowKind.INVOICE else None
    refused = Standing(ReminderKey(1, "R1", alone), state, why="no such mailbox")
    facts = Facts(story.rules, story.workflows, workflow.id, (), None, standing=(refused,))

    told = ToldStory(replace(story, facts=facts)).told
    assert told.sends == []
    assert [note.kind for _, note in told.notes] == [NoteKind.BEGAN]
