"""One reminder put into words: a subject, a plain-text part and an HTML part that always say the same.

The template is filled in once. The text part is the result itself; the HTML part is made from it. The statement table
stands where its author wrote `{{ statement }}`, or at the end when that was forgotten. A text message and what is said
on a telephone have words only, made by the same rules.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from babel import UnknownLocaleError

from wording import _page, _table
from wording._facts import STATEMENT_HERE, facts_of, tongue
from wording._liquid import Placeholders, TemplateProblem, fill_in, names_invoices, placeholders
from wording.look import Look, Picture, logo_of
from wording.segments import normalised
from wording.statement import Statement

__all__ = ["Layout", "Placeholders", "Rendered", "TemplateProblem", "placeholders", "render", "said", "texted"]

Layout = Literal["email", "note", "plain"]
"""`email` is the firm's letter, `note` looks as if somebody had typed it, `plain` has no HTML part."""

LAYOUTS: tuple[str, ...] = get_args(Layout)

_FILES = {"email": "letter", "note": "note"}
_LONGEST_SUBJECT = 250
_LARGEST_HTML = 102_000
"""Gmail hides what comes after this many bytes."""

_LONGEST_SMS = 1_600
"""No provider takes a longer one; it would be eleven segments."""

_LONGEST_SPEECH = 4_000


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in words. `html` is empty for the layout `plain`; `pictures` are those that it shows by `cid:`."""

    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()


def render(
    subject_template: str,
    body_template: str,
    statement: Statement,
    *,
    layout: Layout = "email",
    look: Look | None = None,
) -> Rendered:
    """Fills in both templates. Raises TemplateProblem with a sentence for the template's author.

    Without a `look` the letter has our colour, the firm's name for a logo, and nothing at its foot.
    """
    facts = _facts(statement, subject_template, body_template)
    look = look or Look()
    subject = _subject(fill_in("subject", subject_template, _without_table(facts)))
    filled_in = fill_in("body", body_template, facts)
    if not filled_in.strip():
        raise TemplateProblem("The body is empty.")
    before, after = _around_the_statement(filled_in)
    table = _table.table(statement)
    foot = "\n\n".join(part.strip() for part in (look.pay_details, look.address, look.small_print) if part.strip())
    text = "\n\n".join(filter(None, [before, _table.as_text(table), after, foot and f"-- \n{foot}"])) + "\n"
    if layout == "plain":
        return Rendered(subject, text, "")
    logo = logo_of(look) if layout == "email" else None
    html = _page.page(
        _FILES[layout],
        title=subject,
        language=tongue(statement.locale).tag,
        firm=facts["organisation"]["name"],
        inside=_page.paragraphs(before) + _table.as_html(table) + _page.paragraphs(after),
        look=look,
        logo=logo,
    )
    if len(html.encode()) > _LARGEST_HTML:
        raise TemplateProblem("The body is too long: a mail of this size is cut off by the reader's mail programme.")
    return Rendered(subject, text, html, (logo,) if logo else ())


def texted(template: str, statement: Statement) -> str:
    """A text message, in letters that keep it cheap (see `wording.segments`). Raises TemplateProblem."""
    words = normalised(_in_words_only("SMS", template, statement))
    if len(words) > _LONGEST_SMS:
        raise TemplateProblem(f"The SMS is longer than {_LONGEST_SMS:,} characters; no provider takes more.")
    return words


def said(template: str, statement: Statement) -> str:
    """What is said on the telephone: the caller's notes, or the words of a machine. Raises TemplateProblem."""
    words = _in_words_only("call", template, statement)
    if len(words) > _LONGEST_SPEECH:
        raise TemplateProblem(f"The call says more than {_LONGEST_SPEECH:,} characters; nobody listens that long.")
    return words


def _in_words_only(part: str, template: str, statement: Statement) -> str:
    words = _tidy(fill_in(part, template, _without_table(_facts(statement, template)))).strip()
    if not words:
        raise TemplateProblem(f"The {part} is empty.")
    return words


def _facts(statement: Statement, *templates: str) -> dict[str, Any]:
    try:
        return facts_of(statement, each_invoice=any(map(names_invoices, templates)))
    except (LookupError, ValueError, UnknownLocaleError) as problem:
        raise TemplateProblem(
            f"The facts cannot be written for the locale `{statement.locale}`: {problem}"
        ) from problem


def _without_table(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if name != "statement"}


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
