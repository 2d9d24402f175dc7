"""Mirrors engine/story.py: a story told in leaps, past the days on which nothing can differ, is the same story."""

from dataclasses import replace
from datetime import date, timedelta
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

import engine.story
from engine.decide import decide
from engine.limits import Cap, ContactRules
from engine.position import Position
from engine.story import Event, People, Story, Telling, When, tell
from engine.workflow import WorkflowKind
from inventing import regular_stories, stories
from telling import W1, a_story, invoice
from tests.engine.test_properties import MANY

FEW = ContactRules("few", "Few", caps=(Cap(2, 20),))


def _is_the_same_in_leaps(story: Story) -> None:
    slow, quick = tell(story), tell(story, every_day=False)
    assert quick.sends == slow.sends
    assert _filled(quick, story.until) == slow.positions
    assert quick.notes == slow.notes


def _filled(telling: Telling, until: date) -> dict[date, Position]:
    """On a day that was left out an account stands where it stood."""
    first, *_ = telling.positions
    filled: dict[date, Position] = {}
    for offset in range((until - first).days + 1):
        day = first + timedelta(days=offset)
        filled[day] = telling.positions.get(day) or filled[day - timedelta(days=1)]._replace(as_of=day)
    return filled


@settings(parent=MANY, max_examples=300)
@given(stories(), st.sampled_from(People), st.booleans())
def test_nothing_is_missed_by_not_looking_on_days_on_which_nothing_can_differ(
    story: Story, people: People, limited: bool
) -> None:
    rules = replace(story.rules, limits=FEW if limited else None)
    _is_the_same_in_leaps(replace(story, people=people, rules=rules))


@MANY
@given(regular_stories())
def test_nor_on_a_regular_workflow(story: Story) -> None:
    _is_the_same_in_leaps(story)


@MANY
@given(stories(), st.integers(1, 140))
def test_nor_in_a_story_that_goes_on_from_what_is_known(story: Story, day: int) -> None:
    """The second half of a story, begun with all that its first half left behind."""
    middle = story.start + timedelta(days=day)
    facts = _known_before(replace(story, until=middle - timedelta(days=1)))
    later = tuple(event for event in story.events if event.on >= middle and event.what not in ("balance", "due"))
    _is_the_same_in_leaps(replace(story, start=middle, invoices=facts.invoices, events=later, facts=facts))


def _known_before(story: Story):  # type: ignore[no-untyped-def]
    kept = []

    def watched(facts, as_of):  # type: ignore[no-untyped-def]
        kept.append(facts)
        return decide(facts, as_of)

    with patch.object(engine.story, "decide", watched):
        tell(story)
    return kept[-1]


def test_a_year_of_one_late_invoice_is_looked_at_on_a_handful_of_days() -> None:
    story = a_story(W1, invoice("A", due="2025-05-19"), until="2026-05-01").story
    story = replace(story, events=(Event(story.start + timedelta(days=200), "pay", ["A"], When.AFTER_SEND),))
    with patch.object(engine.story, "decide", side_effect=decide) as looks:
        tell(story, every_day=False)

    assert looks.call_count < 20


def test_what_leaves_first_may_be_what_holds_the_others_of_the_same_day() -> None:
    """Three invoices walk alone and are due on one day; two contacts in twenty days are the most."""
    regular = replace(W1, kind=WorkflowKind.INVOICE)
    owed = [invoice(name, due="2025-05-19") for name in ("A", "B", "C")]
    story = a_story(regular, *owed, until="2025-06-20", limits=FEW)

    assert [(str(send.on), *send.invoices) for send in story.told.sends] == [
        ("2025-05-26", "A"),
        ("2025-05-26", "B"),
        ("2025-06-15", "C"),  # which has waited since May, before the second step of A
        ("2025-06-15", "A"),
    ]
    assert any("2 contacts in 20 days are the most" in note for note in story.notes_of("2025-05-26"))


def test_what_is_closed_all_day_waits_for_the_next_day_that_is_open() -> None:
    story = a_story(W1, invoice("A", due="2025-05-19"), until="2025-06-30").story
    on_sundays = replace(story, may_reach=lambda channel, day, contacted: day.weekday() == 6)

    assert [(str(send.on), send.step) for send in tell(on_sundays).sends] == [
        ("2025-06-01", "R1"),
        ("2025-06-15", "R2"),
        ("2025-06-29", "R3"),
    ]
    _is_the_same_in_leaps(on_sundays)
