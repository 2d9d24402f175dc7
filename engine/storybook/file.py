"""A debtor's story as a bookkeeper writes it down: a TOML file, read into the story that the engine can tell.

The file says which workflows there are, which invoices are on the ledger, what happened on which day and, if one
likes, what is expected of each of the two behaviours: `smart` reassesses on payment, `legacy` does not. The guide's
page on story files describes it. Reading is strict, and tells all mistakes at once.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from engine.story import Story
from engine.storybook.entries import Entry, Sheet, StoryProblem, Table
from engine.storybook.events import read_events
from engine.storybook.expectations import Expectation, ExpectedPosition, Mode, read_expectations
from engine.storybook.lines import lines_of
from engine.storybook.shapes import CURRENCY, DAY, NAME, TEN_YEARS, choice, inside, one_of
from engine.storybook.tables import names_of, read_invoices, read_rules, read_workflows

__all__ = ["Expectation", "ExpectedPosition", "Mode", "StoryFile", "StoryProblem", "read_story"]


@dataclass(frozen=True, slots=True)
class StoryFile:
    """One file: for each of its modes a story to tell, and what is expected of it."""

    title: str
    modes: tuple[Mode, ...]
    stories: Mapping[Mode, Story]
    expectations: Mapping[Mode, Expectation]


def read_story(text: str) -> StoryFile | tuple[StoryProblem, ...]:
    """The story of this file; or everything that keeps it from being one, in the order of its lines."""
    try:
        content = tomllib.loads(text, parse_float=Decimal)
        sheet = Sheet(lines_of(text))
    except (ValueError, ArithmeticError, RecursionError) as problem:
        return (_not_toml(text, problem),)
    story = _story_file(Entry(content, (), sheet))
    return tuple(sorted(sheet.problems, key=lambda one: one.line)) if sheet.problems else story


def _not_toml(text: str, problem: Exception) -> StoryProblem:
    said = str(problem) if isinstance(problem, ValueError) else "a value is too large, or nested too deeply"
    where = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", said)
    end = text.rstrip("\n").count("\n") + 1
    line = 1 if where is None else int(where[1] or end)
    found = f"this cannot be read as TOML: {said[: where.start()] if where else said}"
    return StoryProblem(line, "", found, "accepted is a key, an equals sign and a value, with texts in quotation marks")


_KEYS = (
    *("title", "start", "until", "modes", "currency", "default_workflow", "account_default"),
    *("settings", "workflow", "invoice", "event", "expect"),
)


def _story_file(entry: Entry) -> StoryFile:
    given = entry.table("a story", _KEYS)
    names = names_of(entry.value)
    workflow = one_of(names.workflows, none="the name of a workflow of the file, and it has none")
    start, until = _span(given)
    day = inside(start, until) if start > date.min and until < date.max else DAY
    currency = given.may("currency", CURRENCY, "")
    invoices = read_invoices(given, currency)
    story = Story(
        start=start,
        until=until,
        workflows=read_workflows(given, names),
        default_workflow=given.need("default_workflow", workflow, ""),
        invoices=invoices,
        events=read_events(given, names, invoices, currency, day),
        rules=read_rules(given),
        account_default=given.may("account_default", workflow, "") or None,
        currency=currency,
    )
    modes = _modes(given)
    return StoryFile(
        title=given.may("title", NAME, ""),
        modes=modes,
        stories={mode: _in_mode(story, mode) for mode in modes},
        expectations=read_expectations(given, names, modes, day),
    )


def _span(given: Table) -> tuple[date, date]:
    start, until = given.need("start", DAY, date.min), given.need("until", DAY, date.max)
    if start > date.min and until < start:
        given.fields["until"].refuse(f"accepted is {start}, the first day, or a day after it")
        return date.min, date.max
    if start > date.min and until < date.max and (until - start).days > TEN_YEARS:
        given.fields["until"].refuse(f"accepted is a story of {TEN_YEARS} days at the most, and it starts on {start}")
    return start, until


def _modes(given: Table) -> tuple[Mode, ...]:
    if "modes" not in given.fields:
        return tuple(Mode)
    entry = given.fields["modes"]
    if entry.value == []:
        entry.refuse("accepted are legacy, smart, or both")
    return tuple(dict.fromkeys(entry.each(choice(Mode), "modes")))


def _in_mode(story: Story, mode: Mode) -> Story:
    return replace(story, rules=replace(story.rules, reassess_on_payment=mode is Mode.SMART))
