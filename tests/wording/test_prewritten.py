"""Mirrors wording/prewritten.py: workflows that a small firm can send as they are."""

import re
from datetime import date
from decimal import Decimal

import pytest

from wording import Line, Statement, placeholders, prewritten, render
from wording.prewritten import prewritten_names

DAY = date(2025, 6, 30)
LINE = Line("INV-1", "", DAY, date(2025, 5, 19), Decimal(1200), Decimal(1200), "GBP", 42)
FULL = Statement(
    *("Brightwater Joinery", "Harbour Café", DAY, (LINE,), "en_GB", "HC-17", "Mia", "O'Neill", "mia@cafe.example"),
    sender_name="Tom Ashby",
    organisation_phone="0117 496 0000",
)
BARE = Statement("Brightwater Joinery", "Harbour Café", DAY, (LINE,))
STEPS = [(name, step) for name, language in prewritten_names() for step in prewritten(name, language).steps]


def test_the_standard_workflow_has_five_emails_in_eight_weeks():
    steps = prewritten().steps

    assert [(step.id, step.name, step.day) for step in steps] == [
        ("r1", "Reminder 1", 7),
        ("r2", "Reminder 2", 21),
        ("r3", "Reminder 3", 35),
        ("r4", "Reminder 4", 42),
        ("r5", "Reminder 5", 56),
    ]
    assert {(step.channel, step.manual) for step in steps} == {("email", False)}


@pytest.mark.parametrize(("name", "language"), prewritten_names())
def test_steps_come_in_the_order_of_their_days_with_ids_of_their_own(name, language):
    workflow = prewritten(name, language)
    days = [step.day for step in workflow.steps]

    assert days == sorted(set(days)) and len({step.id for step in workflow.steps}) == len(days)
    assert workflow.name and workflow.description.endswith(".")


@pytest.mark.parametrize(("name", "step"), STEPS)
@pytest.mark.parametrize("statement", [FULL, BARE])
def test_every_reminder_reads_well_with_all_facts_and_with_the_fewest(name, step, statement):
    letter = render(step.subject, step.body, statement)

    assert "£1,200.00" in letter.text and "Brightwater Joinery" in letter.text
    assert not re.search(r"[{}]| ,|\(\)|  \w", letter.text.split("Statement of")[0]), letter.text
    assert "\n\n\n" not in letter.text and not re.search(r" \.|^,", letter.text, re.MULTILINE)
    assert len(letter.subject) < 90


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_every_reminder_places_the_table_itself_and_names_known_facts_only(name, step):
    assert "statement" in placeholders(step.body).used
    assert placeholders(step.subject + step.body).unknown == ()


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_no_reminder_threatens(name, step):
    threats = r"legal|court|solicitor|lawyer|collection agenc|credit rating|interest|penalt|consequence|immediately|!"
    letter = render(step.subject, step.body, FULL)

    assert not re.search(threats, letter.subject + letter.text, re.IGNORECASE)


def test_a_workflow_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(LookupError, match=r"no pre-written workflow 'harsh'.*standard \(en\)"):
        prewritten("harsh")
    with pytest.raises(LookupError):
        prewritten("standard", "tlh")
    with pytest.raises(LookupError):
        prewritten("../workflows/standard", "en")
