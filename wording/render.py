"""One reminder put into words: a subject, a plain-text part and an HTML part that always say the same.

The template is filled in once. The text part is the result itself; the HTML part is made from it. The statement table
stands where its author wrote `{{ statement }}`, or at the end when that was forgotten.
"""

import re
from dataclasses import dataclass
from typing import Literal

from babel import UnknownLocaleError

from wording import _page, _table
from wording._facts import STATEMENT_HERE, facts_of, tongue
from wording._liquid import Placeholders, TemplateProblem, fill_in, placeholders
from wording.statement import Statement

__all__ = ["Layout", "Placeholders", "Rendered", "TemplateProblem", "placeholders", "render"]

Layout = Literal["email", "plain"]

_LONGEST_SUBJECT = 250
_LARGEST_HTML = 102_000
"""Gmail hides what comes after this many bytes."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in words. `html` is empty for the layout `plain`."""

    subject: str
    text: str
    html: str


def render(subject_template: str, body_template: str, statement: Statement, *, layout: Layout = "email") -> Rendered:
    """Fills in both templates. Raises TemplateProblem with a sentence for the template's author."""
    try:
        facts = facts_of(statement)
        table = _table.table(statement)
    except (LookupError, ValueError, UnknownLocaleError) as problem:
        raise TemplateProblem(
            f"The facts cannot be written for the locale `{statement.locale}`: {problem}"
        ) from problem
    subject = _subject(
        fill_in("subject", subject_template, {name: fact for name, fact in facts.items() if name != "statement"})
    )
    filled_in = fill_in("body", body_template, facts)
    if not filled_in.strip():
        raise TemplateProblem("The body is empty.")
    before, after = _around_the_statement(filled_in)
    text = "\n\n".join(filter(None, [before, _table.as_text(table), after])) + "\n"
    if layout == "plain":
        return Rendered(subject, text, "")
    accent = _page.accent(statement.colours)
    html = _page.page(
        title=subject,
        language=tongue(statement.locale).tag,
        inside=_page.paragraphs(before, accent) + _table.as_html(table, accent) + _page.paragraphs(after, accent),
    )
    if len(html.encode()) > _LARGEST_HTML:
        raise TemplateProblem("The body is too long: a mail of this size is cut off by the reader's mail programme.")
    return Rendered(subject, text, html)


def _subject(filled_in: str) -> str:
    subject = " ".join(_without_marks(filled_in).split())
    if not subject:
        raise TemplateProblem("The subject is empty.")
    return subject if len(subject) <= _LONGEST_SUBJECT else subject[: _LONGEST_SUBJECT - 1] + "…"


def _around_the_statement(filled_in: str) -> tuple[str, str]:
    """What stands before the table and what stands after it. A second `{{ statement }}` adds nothing."""
    before, _, after = filled_in.partition(STATEMENT_HERE)
    return _tidy(before), _tidy(after)


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in _without_marks(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def _without_marks(text: str) -> str:
    """A filter may have cut the statement's mark to pieces; none of them is shown."""
    return re.sub(r"[\x02\x03]", "", text.replace(STATEMENT_HERE, ""))
