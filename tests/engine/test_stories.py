"""Mirrors engine/storybook/report.py: stories whose outcome was worked out by hand, told by the engine."""

import re
from pathlib import Path

import pytest

from conftest import SHARED, shared_file
from engine.happenings import HAPPENINGS
from engine.storybook.file import Mode, StoryFile, read_story
from engine.storybook.report import Report, as_json, reports
from engine.storybook.tables import SETTINGS

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "story-files.md"
OWN = sorted((Path(__file__).parent / "stories").glob("*.toml"))
OTHERS = sorted(path.name for path in (SHARED / "scenarios").glob("*.toml"))


def told(text: str) -> list[Report]:
    file = read_story(text)
    assert isinstance(file, StoryFile), "\n".join(str(problem) for problem in file)
    return list(reports(file))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_story_comes_out_as_it_was_worked_out_by_hand(path: Path) -> None:
    for report in told(path.read_text()):
        assert report.expected
        assert report.mismatches == (), report.mode


@pytest.mark.parametrize("name", OTHERS or ["01-driver-paid-moves-back.toml"])
def test_a_story_of_the_plan_comes_out_as_the_plan_says(name: str) -> None:
    for report in told(shared_file(f"scenarios/{name}").read_text()):
        assert report.expected
        assert report.mismatches == (), report.mode


def test_the_story_of_the_guide_comes_out_as_the_guide_says() -> None:
    first, expected, *_ = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    legacy, smart = told(first + expected)

    assert not legacy.expected
    assert smart.expected
    assert smart.mismatches == ()


def test_the_guide_speaks_of_every_setting_and_every_event() -> None:
    guide = GUIDE.read_text()

    assert [key for key in (*SETTINGS, *HAPPENINGS, "approve") if f"`{key}" not in guide] == []


STORY = """
title = "Two invoices"
start = 2026-03-01
until = 2026-03-31
modes = ["smart"]
default_workflow = "House"

[[workflow]]
name = "House"
steps = [{ name = "First", day = 5 }, { name = "Text", day = 12, channel = "sms" }, { name = "Last", day = 26 }]

[[invoice]]
id = "A"
due = 2026-03-02

[[invoice]]
id = "B"
due = 2026-03-20

[[event]]
on = 2026-03-04
sms_number = false

[[event]]
on = 2026-03-30
when = "after_send"
pay = ["A"]
"""


def test_the_report_lists_every_step_performed_and_marks_the_one_that_was_skipped() -> None:
    (report,) = told(STORY)

    assert as_json(report, "two.toml")["sends"] == [
        {"on": "2026-03-07", "workflow": "House", "step": "First", "channel": "email", "invoices": ["A", "B"]},
        {
            "on": "2026-03-14",
            "workflow": "House",
            "step": "Text",
            "channel": "sms",
            "invoices": ["A", "B"],
            "skipped": True,
        },
        {"on": "2026-03-28", "workflow": "House", "step": "Last", "channel": "email", "invoices": ["A", "B"]},
    ]


def test_a_position_is_reported_for_every_day_with_an_event_an_expectation_or_a_change() -> None:
    expectation = "[[expect.smart.position]]\non = 2026-03-10\n"
    (report,) = told(STORY + expectation)

    assert [stand.on.isoformat() for stand in report.stands] == [
        "2026-03-03",  # A is overdue: clear no longer
        "2026-03-04",  # an event that changes nothing
        "2026-03-07",
        "2026-03-10",  # named by an expectation
        "2026-03-14",
        "2026-03-28",
        "2026-03-30",  # A is paid, and B is at the step that fits ten days
    ]
    assert as_json(report, "two.toml")["positions"][-1] == {  # type: ignore[index]
        "on": "2026-03-30",
        "workflow": "House",
        "step": "First",
        "state": "waiting",
        "next_step": "Text",
        "next_due_on": "2026-04-01",
        "driver": "B",
        "driver_age": 10,
        "because": "A, 28 days overdue, was paid; B is now the oldest at 10 days, where First applies",
    }


def test_a_clear_account_has_no_driver_no_age_and_no_next_day() -> None:
    (report,) = told(STORY.replace('pay = ["A"]', 'pay = ["A", "B"]'))
    evening = as_json(report, "two.toml")["positions"][-1]  # type: ignore[index]

    assert evening["state"] == "clear"
    assert (evening["step"], evening["next_step"], evening["driver"]) == ("", "", "")
    assert (evening["next_due_on"], evening["driver_age"]) == (None, None)


def test_the_keys_of_the_report_are_those_of_the_plan() -> None:
    (report,) = told(STORY)

    assert list(as_json(report, "two.toml")) == ["file", "mode", "ok", "sends", "positions", "mismatches"]


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (
            'sends = [["2026-03-07", "First"], ["2026-03-14", "Text"]]',
            "Last was sent on 28 March 2026, which was not expected",
        ),
        (
            'sends = [["2026-03-07", "First"], ["2026-03-14", "Text"], ["2026-03-29", "Last"]]',
            "Last was expected on 29 March 2026, but was sent on 28 March 2026",
        ),
        (
            'sends = [["2026-03-07", "First"], ["2026-03-14", "Text"], ["2026-03-28", "Last"], ["2026-03-31", "Text"]]',
            "Text was expected on 31 March 2026, but was not sent",
        ),
        (
            '[[expect.smart.position]]\non = 2026-03-30\nstep = "Last"',
            "on 30 March 2026 the assigned step was expected to be Last, but it is First",
        ),
        (
            "[[expect.smart.position]]\non = 2026-03-30\nnext_due_on = 2026-04-02",
            "on 30 March 2026 the next step's day was expected to be 2 April 2026, but it is 1 April 2026",
        ),
        (
            '[[expect.smart.position]]\non = 2026-03-30\ndriver = ""',
            "on 30 March 2026 the driver was expected to be none, but it is B",
        ),
    ],
)
def test_what_is_not_as_expected_is_told_in_a_sentence_with_the_day(expected: str, sentence: str) -> None:
    (report,) = told(f"{STORY}\n[expect.smart]\n{expected}\n")

    assert report.mismatches == (sentence,)
    assert not report.ok


def test_only_what_an_expectation_gives_is_held_against_the_story() -> None:
    (report,) = told(f'{STORY}\n[[expect.smart.position]]\non = 2026-03-30\nstate = "waiting"\n')

    assert report.ok
    assert report.expected


def test_a_story_without_expectations_is_told_and_nothing_is_judged() -> None:
    (report,) = told(STORY)

    assert report.ok
    assert not report.expected


def test_both_modes_are_told_where_the_file_names_none() -> None:
    legacy, smart = told(STORY.replace('modes = ["smart"]\n', ""))

    assert (legacy.mode, smart.mode) == (Mode.LEGACY, Mode.SMART)
    assert legacy.stands[-1].step == "Last"
    assert smart.stands[-1].step == "First"
