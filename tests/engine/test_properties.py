"""Mirrors engine/: the sentences with "always" and "never" in them, tried on stories that nobody thought of."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import assume, given, settings
from hypothesis import strategies as st

import engine.story
from engine.again import look_again_on
from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.decide import decide, left_behind
from engine.facts import AfterMoveBack, Decision, Facts, FirstContact, Rules
from engine.holds import sentence
from engine.looking import look
from engine.moves import reassessed
from engine.position import Clear, Due, Held, Run, place_done
from engine.reasons import explain
from engine.reminders import ReminderState, Standing
from engine.story import Event, Story, Telling, When, tell
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind
from telling import W1, a_story, invoice

START = date(2025, 1, 1)
LAST = START + timedelta(days=150)
NAMES = ("A", "B", "C", "D", "E")


class Told(NamedTuple):
    """A story, what came of it, and every decision made on the way with what it was made from."""

    story: Story
    telling: Telling
    decisions: list[tuple[Facts, date, Decision]]

    @property
    def leaving(self) -> list[tuple[Facts, date, Decision]]:
        """The decisions at a sending time from which something left."""
        return [one for one in self.decisions if one[0].sending_ahead and _leave(one[2])]


def _leave(decision: Decision) -> bool:
    return any(not order.held_because for order in decision.orders)


def told(story: Story) -> Told:
    decisions: list[tuple[Facts, date, Decision]] = []

    def watched(facts: Facts, as_of: date) -> Decision:
        decision = decide(facts, as_of)
        decisions.append((facts, as_of, decision))
        return decision

    with patch.object(engine.story, "decide", watched):
        return Told(story, tell(story), decisions)


@st.composite
def workflows(
    draw: st.DrawFn, name: str, link: str | None = None, kind: WorkflowKind = WorkflowKind.ACCOUNT
) -> Workflow:
    days = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=5)))
    channels = st.sampled_from([Channel.EMAIL, Channel.EMAIL, Channel.SMS, Channel.CALL])
    steps = [
        Step(f"{name}{place}", f"{name}{place}", day, draw(channels), draw(st.integers(0, 4)) == 0)
        for place, day in enumerate(days, start=1)
    ]
    courtesies = [Step(f"{name}c{day}", f"{name}c{day}", day) for day in draw(st.sets(st.integers(-10, 0), max_size=2))]
    onward = Link(link, draw(st.integers(1, 20))) if link and draw(st.booleans()) else None
    repeat = draw(st.sampled_from([0, 0, 7, 14])) if onward is None else 0
    return Workflow(name, name, (*courtesies, *steps), kind, link=onward, repeat_every=repeat)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    weekdays = draw(st.sampled_from([frozenset(range(7)), frozenset(range(5)), frozenset({0, 3})]))
    return Rules(
        reassess_on_payment=draw(st.booleans()),
        sending=SendingDays(weekdays, frozenset(draw(st.lists(st.dates(START, LAST), max_size=3)))),
        min_days_between_reminders=draw(st.sampled_from([1, 1, 3, 10])),
        stale_after_days=draw(st.sampled_from([0, 1, 3])),
        ignore_below=draw(st.sampled_from([Decimal(0), Decimal(5)])),
        disputed_invoices_drive=draw(st.booleans()),
        after_move_back=draw(st.sampled_from(AfterMoveBack)),
        first_contact=draw(st.sampled_from(FirstContact)),
        return_over_link=draw(st.booleans()),
        pause_when_in_credit=draw(st.booleans()),
    )


def _invoices(draw: st.DrawFn) -> tuple[OpenInvoice, ...]:
    count = draw(st.integers(1, len(NAMES)))
    return tuple(
        invoice(
            name,
            due=START + timedelta(days=draw(st.integers(-60, 110))),
            amount=draw(st.sampled_from(["3", "100", "250.50"])),
        )
        for name in NAMES[:count]
    )


def _value(draw: st.DrawFn, what: str, on: date, names: list[str], flows: list[str], steps: list[str]) -> Any:
    some = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)
    match what:
        case "pay" | "void" | "credit" | "write_off" | "mute_invoice" | "unmute_invoice" | "dispute" | "settle_dispute":
            return draw(some)
        case "balance":
            return {draw(st.sampled_from(names)): draw(st.sampled_from([Decimal(4), Decimal(50)]))}
        case "due":
            return {draw(st.sampled_from(names)): START + timedelta(days=draw(st.integers(-60, 110)))}
        case "promise":
            return on + timedelta(days=draw(st.integers(0, 30)))
        case "unallocated_credit":
            return Decimal(draw(st.sampled_from([0, 50, 1000])))
        case "assign" | "organisation_default" | "account_default":
            return draw(st.sampled_from(flows))
        case "approve":
            return draw(st.sampled_from(steps))
        case "ledger":
            return draw(st.sampled_from(["up", "down"]))
        case _:
            return draw(st.booleans())


LEDGER_EVENTS = ("pay", "balance", "void", "credit", "write_off", "due")
OTHER_EVENTS = (
    *("mute_invoice", "unmute_invoice", "mute_account", "dispute", "settle_dispute", "pause", "promise", "question"),
    *("unallocated_credit", "assign", "organisation_default", "account_default", "approve", "sms_number", "ledger"),
)


@st.composite
def stories(
    draw: st.DrawFn, *, smart: bool | None = None, events: tuple[str, ...] = LEDGER_EVENTS + OTHER_EVENTS
) -> Story:
    """Anything that can happen to an account, in any order."""
    flows = [draw(workflows("W", link="V")), draw(workflows("V", link="U")), draw(workflows("U"))]
    given_rules = draw(rules())
    if smart is not None:
        given_rules = replace(given_rules, reassess_on_payment=smart)
    owed = _invoices(draw)
    names, steps = [str(one.id) for one in owed], [step.name for flow in flows for step in flow.steps]
    happened = []
    for _ in range(draw(st.integers(0, 8))):
        what, on = draw(st.sampled_from(events)), START + timedelta(days=draw(st.integers(0, 145)))
        value = _value(draw, what, on, names, [flow.name for flow in flows], steps)
        happened.append(Event(on, what, value, draw(st.sampled_from(When))))
    # A reversal needs an invoice that was there; the ledger of a story refuses nothing else.
    known = set(names)
    assume(all(set(event.value) <= known for event in happened if event.what in ("balance", "due")))  # type: ignore[call-overload]
    return Story(
        START, LAST, {flow.id: flow for flow in flows}, "W", owed, tuple(happened), given_rules, currency="GBP"
    )


def gone_by(story: Story, on: date, *, evening: bool = False) -> set[str]:
    """What was settled before that day's sending time, or by its evening, and not reopened, while the ledger was up."""
    gone: set[str] = set()
    for event in sorted(story.events, key=lambda event: (event.on, event.when is When.AFTER_SEND)):
        if event.on > on or (event.on == on and not evening and event.when is When.AFTER_SEND):
            continue
        if event.what in ("pay", "void", "credit", "write_off"):
            gone |= set(event.value)  # type: ignore[call-overload]
        if event.what == "balance":
            gone -= set(event.value)  # type: ignore[call-overload]
    return gone


MANY = settings(max_examples=120, deadline=None)


@MANY
@given(stories(events=tuple(event for event in LEDGER_EVENTS + OTHER_EVENTS if event != "ledger")))
def test_a_paid_invoice_is_never_in_a_reminder(story: Story) -> None:
    for send in tell(story).sends:
        assert not gone_by(story, send.on) & set(map(str, send.invoices))


@MANY
@given(stories())
def test_nobody_is_ever_reminded_twice_on_one_day(story: Story) -> None:
    days = [send.on for send in tell(story).sends]
    assert len(days) == len(set(days))


@MANY
@given(stories())
def test_at_least_the_chosen_gap_always_lies_between_two_reminders(story: Story) -> None:
    heard = [send.on for send in tell(story).sends if not send.skipped]
    gap = story.rules.min_days_between_reminders
    assert all((later - earlier).days >= gap for earlier, later in pairwise(heard))


@MANY
@given(stories(smart=True))
def test_with_smart_workflows_no_reminder_ever_leaves_before_the_driver_has_reached_its_day(story: Story) -> None:
    for facts, as_of, decision in told(story).leaving:
        state = decision.position.state
        if isinstance(state, Due):
            driver = look(facts, as_of).driver
            assert driver is not None
            assert driver.age(as_of) >= state.step.day


@MANY
@given(stories())
def test_reassessment_never_moves_an_account_forward(story: Story) -> None:
    """Whatever drives now, the steps done are as many as before or fewer; over a link it only ever goes back."""
    for facts, as_of, _ in told(story).decisions:
        driver = look(facts, as_of).driver
        if facts.run is None or driver is None or facts.outcomes or not facts.run.performed:
            continue
        moved = reassessed(facts.run, driver, facts, as_of)
        if moved.run.workflow != facts.run.workflow:
            assert moved.run.workflow in {passed.workflow for passed in facts.run.path}
            assert len(moved.run.path) < len(facts.run.path)
        else:
            workflow = facts.workflows[facts.run.workflow]
            assert place_done(moved.run, workflow) <= place_done(facts.run, workflow)
            assert moved.run.anchor >= facts.run.anchor


@MANY
@given(stories(events=LEDGER_EVENTS), st.integers(0, 145))
def test_a_payment_never_brings_a_later_step(story: Story, day: int) -> None:
    """Compared with the same story without the payment: that day's step is the same or an earlier one."""
    on = START + timedelta(days=day)
    before = [event for event in story.events if event.on < on]
    payment = Event(on, "pay", [NAMES[0]], When.AFTER_SEND)
    link = {name: replace(flow, link=None) for name, flow in story.workflows.items()}
    first_contact = replace(story.rules, first_contact=FirstContact.BEGINNING)
    plain = replace(story, workflows=link, rules=first_contact, until=on)
    with_it, without_it = tell(replace(plain, events=(*before, payment))), tell(replace(plain, events=tuple(before)))
    assert _place(with_it, on, link["W"]) <= _place(without_it, on, link["W"])


def _place(telling: Telling, on: date, workflow: Workflow) -> int:
    assigned = telling.positions[on].assigned
    return workflow.sequence.index(assigned) + 1 if assigned else 0


@MANY
@given(stories())
def test_nothing_is_ever_sent_to_an_account_that_is_clear_held_or_known_from_stale_data_only(story: Story) -> None:
    for facts, as_of, decision in told(story).leaving:
        seen = look(facts, as_of)
        assert not seen.holds
        assert not seen.muted
        assert facts.ledger_as_of is not None
        assert (as_of - facts.ledger_as_of).days <= facts.rules.stale_after_days
        assert not isinstance(decision.position.state, Held)
        if isinstance(decision.position.state, Clear):
            orders = [order for order in decision.orders if not order.held_because]
            assert all(order.step.courtesy for order in orders), "a clear account gets friendly words at the most"
            assert not seen.overdue


@MANY
@given(stories())
def test_nothing_ever_leaves_on_a_day_that_is_no_sending_day(story: Story) -> None:
    assert all(story.rules.sending.allows(send.on) for send in tell(story).sends)


@MANY
@given(stories())
def test_an_account_with_nothing_overdue_always_stands_at_the_start(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions:
        if not look(facts, as_of).overdue:
            assert isinstance(decision.position.state, Clear)
            assert decision.position.run is None


@MANY
@given(stories(smart=True), st.data())
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
    legacy = replace(smart, rules=replace(story.rules, reassess_on_payment=False))
    assert tell(smart).sends == tell(legacy).sends


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


@MANY
@given(stories())
def test_deciding_twice_is_deciding_once(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions:
        again = decide(_kept(facts, decision), as_of)
        assert again.position.run == decision.position.run
        assert again.position.state == decision.position.state
        assert {order.key: order.held_because for order in again.orders} == {
            order.key: order.held_because for order in decision.orders
        }
        assert (again.cycle, again.notes, again.withdrawals) == (decision.cycle, (), ())


def _kept(facts: Facts, decision: Decision) -> Facts:
    """The facts of the very next look, when nothing has happened since."""
    approved = {one.key for one in facts.standing if one.approved}
    queued = tuple(
        Standing(order.key, ReminderState.QUEUED, order.key in approved, order.held_because)
        for order in decision.orders
    )
    others = tuple(one for one in facts.standing if one.state is not ReminderState.QUEUED)
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
    """Where every rule says yes something leaves, and where one says no nothing does."""
    for facts, as_of, decision in told(story).decisions[::5]:
        explanation = explain(facts, as_of)
        assert explanation.decision == decision
        if isinstance(decision.position.state, Due):
            assert all(reason.passed for reason in explanation.reasons)
        elif not isinstance(decision.position.state, Clear):
            assert not explanation.primary.passed
            assert explanation.primary.change
        if isinstance(decision.position.state, Held) and decision.position.driver is not None:
            assert explanation.primary.text == sentence(decision.position.state.holds[0]), "both say the same"


@st.composite
def regular_stories(draw: st.DrawFn) -> Story:
    flow = draw(workflows("W", kind=WorkflowKind.INVOICE))
    mails = tuple(replace(step, channel=Channel.EMAIL, manual=False) for step in flow.steps)
    owed = _invoices(draw)
    events = tuple(
        Event(START + timedelta(days=draw(st.integers(0, 145))), "pay", [str(one.id)], draw(st.sampled_from(When)))
        for one in owed
        if draw(st.booleans())
    )
    given_rules = replace(draw(rules()), ignore_below=Decimal(0))
    return Story(START, LAST, {"W": replace(flow, steps=mails)}, "W", owed, events, given_rules, currency="GBP")


@MANY
@given(regular_stories())
def test_every_explanation_of_a_regular_workflow_agrees_as_well(story: Story) -> None:
    for facts, as_of, decision in told(story).decisions[::5]:
        explanation = explain(facts, as_of)
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
