"""Mirrors engine/: the sentences with "always" and "never" in them, tried on stories that nobody thought of."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.story import Event, When, tell
from telling import W1, ToldStory, a_story, invoice

START = date(2025, 1, 1)
DAYS = st.integers(min_value=-60, max_value=120)


@st.composite
def stories(draw: st.DrawFn, *, smart: bool = True) -> ToldStory:
    """A handful of invoices, some of them paid, in any order."""
    names = [f"I{number}" for number in range(draw(st.integers(1, 5)))]
    invoices = [invoice(name, due=START + timedelta(days=draw(DAYS)), amount="100") for name in names]
    story = a_story(W1, *invoices, start=START, until=START + timedelta(days=140), smart=smart)
    for name in draw(st.lists(st.sampled_from(names), unique=True)):
        paid_on = START + timedelta(days=draw(st.integers(0, 135)))
        story = story.happens("pay", [name], on=paid_on, when=draw(st.sampled_from(list(When))))
    return story


def paid_by(story: ToldStory, on: date, *, evening: bool = False) -> set[str]:
    """What was paid before that day's sending time, or by its evening."""
    return {
        name
        for event in story.story.events
        if event.on < on or (event.on == on and (evening or event.when is When.BEFORE_SEND))
        for name in event.value  # type: ignore[attr-defined]
    }


@settings(max_examples=40, deadline=None)
@given(stories())
def test_a_paid_invoice_is_in_no_reminder(story: ToldStory) -> None:
    for send in story.told.sends:
        assert not paid_by(story, send.on) & set(map(str, send.invoices))


@settings(max_examples=40, deadline=None)
@given(stories())
def test_nobody_is_ever_reminded_twice_on_one_day(story: ToldStory) -> None:
    days = [send.on for send in story.told.sends]
    assert len(days) == len(set(days))


@settings(max_examples=40, deadline=None)
@given(stories())
def test_no_reminder_leaves_before_the_oldest_overdue_invoice_has_reached_its_day(story: ToldStory) -> None:
    due = {str(one.id): one.due_on for one in story.story.invoices}
    for send in story.told.sends:
        overdue = [due[str(name)] for name in send.invoices if due[str(name)] < send.on]
        step = next(step for step in W1.steps if step.name == send.step)
        assert (send.on - min(overdue)).days >= step.day


@settings(max_examples=40, deadline=None)
@given(stories())
def test_an_account_with_nothing_overdue_always_stands_at_the_start(story: ToldStory) -> None:
    due = {str(one.id): one.due_on for one in story.story.invoices}
    for on, position in story.told.positions.items():
        gone = paid_by(story, on, evening=True)
        overdue = [name for name, due_on in due.items() if due_on < on and name not in gone]
        assert (position.run is None) == (not overdue)


@settings(max_examples=40, deadline=None)
@given(stories())
def test_a_payment_never_moves_an_account_forward(story: ToldStory) -> None:
    """Compared with the same story without its last payment: that day's step is the same or an earlier one."""
    payments = sorted(story.story.events, key=lambda event: (event.on, event.when is When.AFTER_SEND))
    if not payments:
        return
    last = payments[-1]
    without = [event for event in story.story.events if event is not last]
    told = tell(_with(story, without))
    with_it, without_it = story.told.positions[last.on], told.positions[last.on]
    assert _place(with_it) <= _place(without_it)


@settings(max_examples=40, deadline=None)
@given(stories(smart=True))
def test_both_modes_are_alike_while_the_driver_never_leaves_before_the_others(story: ToldStory) -> None:
    newest_first = sorted(story.story.invoices, key=lambda one: one.due_on, reverse=True)
    events = [
        Event(START + timedelta(days=130 + place), "pay", [str(one.id)], When.AFTER_SEND)
        for place, one in enumerate(newest_first[:-1])
    ]
    smart = tell(_with(story, events))
    legacy_story = ToldStory(story.story)
    legacy = tell(_with(legacy_story, events, smart=False))
    assert smart.sends == legacy.sends


def _with(story: ToldStory, events: list[Event], *, smart: bool = True):  # type: ignore[no-untyped-def]
    rules = replace(story.story.rules, reassess_on_payment=smart)
    return replace(story.story, events=tuple(events), rules=rules)


def _place(position: object) -> int:
    assigned = position.assigned  # type: ignore[attr-defined]
    return W1.sequence.index(assigned) + 1 if assigned else 0
