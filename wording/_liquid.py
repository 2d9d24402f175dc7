"""The template language, locked down: a template can name the facts handed to it, choose and repeat, and nothing else.

It is Liquid, because Liquid sees tables and lists only and never the attributes of a program's objects. On top of that,
only the tags and filters named here exist; those that could grow a text without end, read the clock, load other
templates or switch escaping off do not. What remains is bounded in length at every step, and by the clock: a template
that is not filled in within half a second is stopped, in the thread that it runs in. Every failure becomes a sentence
that an author can act on.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, NamedTuple

from liquid import BoundTemplate, Environment, RenderContext, StrictUndefined
from liquid.ast import Node
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import ForNode
from liquid.exceptions import (
    BlockNestingError,
    LiquidError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
)
from liquid.expression import Expression

from wording._facts import InvoiceFacts, clean, facts_of
from wording.statement import Line, Statement

SECONDS = 0.5
"""A template may work so long while it is filled in. An ordinary one takes a thousandth of it."""

PATIENCE = 5.0
"""Seconds by the clock on the wall after which nobody waits for it any more. A machine that is busy with other things
takes longer over the same work, and must not turn a good letter away.
"""

_LONGEST_TEMPLATE = 20_000
_LONGEST_TEXT = 60_000
_TAGS = ("if", "unless", "case", "for", "break", "continue", "assign", "comment", "#")
_MARKUP = ("content", "output", "illegal")
_FILTERS = (
    *("default", "upcase", "downcase", "capitalize", "strip", "append", "prepend", "truncate", "url_encode"),
    *("plus", "minus", "at_least", "at_most", "size", "first", "last", "join", "map", "where", "reverse"),
)
_LONGEST_MARK = 1_000
_MARKS = re.compile(r"\{\{|\{%|%\}|\}\}")
_CLOSING = {"{{": "}}", "{%": "%}"}
_LONG_GAP = re.compile(r"\s{201}")
_TAG_ON_ITS_OWN_LINE = re.compile(r"(?m)^[ \t]*(\{%-?(?:[^%\n]|%(?!\}))*?)(-?%\})[ \t]*\n")


class TemplateProblem(Exception):
    """A template that cannot be filled in. The message is a sentence for its author."""


class Placeholders(NamedTuple):
    """What a template names. `unknown` are those that nothing will ever fill in."""

    used: tuple[str, ...]
    unknown: tuple[str, ...]


class TakesTooLong(LiquidError):
    """The template was still at work when its time was up, or had grown a text beyond all bounds."""


class _Stopwatch(RenderContext):
    """What a template sees while it is filled in, with a stopwatch that is looked at wherever a template can turn.

    The library asks for `disabled_tags` before each tag and each placeholder, and for each filter by its name. Between
    two such looks nothing can happen but one filter on texts of bounded length, so the time is kept to the millisecond
    without a process to kill.
    """

    __slots__ = ("until", "work")

    def __init__(self, *given: Any, **named: Any) -> None:
        self.until, self.work = time.monotonic() + PATIENCE, time.thread_time() + SECONDS
        super().__init__(*given, **named)

    @property
    def disabled_tags(self) -> list[str]:
        self.look()
        return []

    @disabled_tags.setter
    def disabled_tags(self, _tags: list[str]) -> None:
        pass

    def look(self) -> None:
        if time.thread_time() > self.work or time.monotonic() > self.until:
            raise TakesTooLong(f"it takes longer than {SECONDS:g} seconds to fill in, and was stopped", token=None)

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        self.look()
        act = super().filter(name, token)

        def within_bounds(left: object, *given: Any, **named: Any) -> object:
            if name == "join" and isinstance(left, list | tuple) and given:
                _bounded(len(left) * len(str(given[0])), token)
            made = act(left, *given, **named)
            if isinstance(made, str):
                _bounded(len(made), token)
            return made

        return within_bounds


def _bounded(length: int, token: Any) -> None:
    if length > _LONGEST_TEXT:
        raise TakesTooLong(f"a filter makes a text of more than {_LONGEST_TEXT:,} characters", token=token)


class _Template(BoundTemplate):
    context_class = _Stopwatch


class _Locked(Environment):
    template_class = _Template
    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = 2_000
    local_namespace_limit = 20_000
    output_stream_limit = _LONGEST_TEXT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:  # noqa: ARG002
        super().setup_tags_and_filters(extra=False)
        self.tags = {name: tag for name, tag in self.tags.items() if name in _TAGS or name in _MARKUP}
        self.filters = {name: self.filters[name] for name in _FILTERS}


_ENVIRONMENT = _Locked(undefined=StrictUndefined)


def fill_in(part: str, source: str, facts: Mapping[str, Any]) -> str:
    """The template with its facts. `part` is what its author calls it: "subject" or "body"."""
    template = _checked(part, source, frozenset(facts))
    try:
        return str(template.render(facts))
    except LiquidError as problem:
        raise TemplateProblem(_sentence(part, problem)) from problem
    except Exception as problem:  # a filter may fail in any way on odd values
        raise TemplateProblem(f"In the {part}: a value cannot be used like this ({problem}).") from problem


def placeholders(source: str, *, part: str = "body", per_invoice: bool = True) -> Placeholders:
    """The placeholders that a template names, in the order of their first use. Raises TemplateProblem.

    A subject cannot hold the table of invoices. `per_invoice` is False for a Smart workflow: its reminders speak of the
    whole account, so `invoice` alone would be a riddle there.
    """
    offered = set(_vocabulary()) - ({"statement"} if part == "subject" else set())
    used = _named(part, _parsed(part, source), frozenset(offered - (set() if per_invoice else {"invoice"})))
    return Placeholders(tuple(used), tuple(name for name, problem in used.items() if problem))


@lru_cache(maxsize=512)
def names_invoices(source: str) -> bool:
    """Whether the template goes through the invoices itself. False for one that cannot be read."""
    try:
        variables = _parsed("body", source).analyze(include_partials=False).globals.values()
    except TemplateProblem:
        return False
    return any(variable.segments[0] == "invoices" for found in variables for variable in found)


@lru_cache(maxsize=512)
def _checked(part: str, source: str, offered: frozenset[str]) -> BoundTemplate:
    template = _parsed(part, source)
    for problem in filter(None, _named(part, template, offered).values()):
        raise TemplateProblem(problem)
    return template


def _parsed(part: str, source: str) -> BoundTemplate:
    if len(source) > _LONGEST_TEMPLATE:
        raise TemplateProblem(f"The {part} is longer than {_LONGEST_TEMPLATE:,} characters.")
    if _LONG_GAP.search(source):
        raise TemplateProblem(f"The {part} holds more than 200 blanks or empty lines in a row.")
    _closed(part, source)
    try:
        template = _ENVIRONMENT.from_string(_without_tag_lines(clean(source)))
        expressions = list(_expressions(template))
    except LiquidError as problem:
        raise TemplateProblem(_sentence(part, problem)) from problem
    except Exception as problem:  # the parser may trip over anything that an author types
        raise TemplateProblem(f"In the {part}: this cannot be read as a template ({problem}).") from problem
    if any(isinstance(expression, RangeLiteral) for expression in expressions):
        raise TemplateProblem(f"In the {part}: a range such as (1..10) cannot be used; repeat over `invoices` instead.")
    return template


def _closed(part: str, source: str) -> None:
    """Every `{{` and `{%` is closed before the next one opens, and soon. Else reading the template could take minutes:
    the library looks for each one's end all over again.
    """
    opened: re.Match[str] | None = None
    for mark in _MARKS.finditer(source):
        if opened is not None and (mark[0] in ("{{", "{%") or mark.start() - opened.start() > _LONGEST_MARK):
            break
        if opened is None and mark[0] in ("{{", "{%"):
            opened = mark
        elif opened is not None and mark[0] == _CLOSING[opened[0]]:
            opened = None
    if opened is not None:
        line = source.count("\n", 0, opened.start()) + 1
        closing, most = _CLOSING[opened[0]], f"{_LONGEST_MARK:,}"
        raise TemplateProblem(
            f"In the {part}, line {line}: `{opened[0]}` is not closed by `{closing}` within {most} characters, "
            "before the next one opens."
        )


def _without_tag_lines(source: str) -> str:
    """A line that holds one tag and nothing else leaves no empty line behind. The count of lines stays the same."""
    return _TAG_ON_ITS_OWN_LINE.sub(lambda line: f"{line[1]}\n{line[2]}", source)


def _named(part: str, template: BoundTemplate, offered: frozenset[str]) -> dict[str, str]:
    """Every placeholder the template names, with the sentence about what is wrong with it, empty when all is well."""
    analysis = template.analyze(include_partials=False)
    for name, places in analysis.filters.items():
        if name not in _FILTERS:
            where = _where(part, template, places[0].index)
            raise TemplateProblem(f"{where}: the filter `{name}` is not known{_nearest(name, _FILTERS)}.")
    offer = {name: fact for name, fact in _vocabulary().items() if name in offered}
    found = [(variable, offer) for variables in analysis.globals.values() for variable in variables]
    outside = {variable.span.index for variable, _ in found}
    for loop in _loops_over_invoices(template):
        in_loop = [variable for variable in analysis.variables.get(loop, ()) if variable.span.index not in outside]
        found += [(variable, {loop: _vocabulary()["invoices"][0]}) for variable in in_loop]
    named: dict[str, str] = {}
    for variable, vocabulary in sorted(found, key=lambda pair: pair[0].span.index):
        problem = "" if _is_known(variable.segments, vocabulary) else _unknown(str(variable), vocabulary)
        where = _where(part, template, variable.span.index)
        named.setdefault(str(variable), problem and f"{where}: {problem}")
    return named


@cache
def _vocabulary() -> dict[str, Any]:
    """All there is to name, shown by an example."""
    day = date(2025, 6, 30)
    line = Line("INV-1", "", day, day, Decimal(1), Decimal(1), "GBP", 1)
    return facts_of(Statement("Organisation", "Account", day, (line,)))


def _is_known(path: Iterable[Any], vocabulary: Mapping[str, Any]) -> bool:
    """Whether the path ends at something that can be shown. Looking facts up by other facts is not offered."""
    here: Any = vocabulary
    for segment in path:
        match here:
            case dict() if isinstance(segment, str) and segment in here:
                here = here[segment]
            case [invoice, *_] if isinstance(segment, int) or segment in ("first", "last"):
                here = invoice
            case str() | list() if segment == "size":
                here = 1
            case _:
                return False
    return not isinstance(here, dict) or isinstance(here, InvoiceFacts)


def _unknown(name: str, vocabulary: Mapping[str, Any]) -> str:
    names = [
        f"{root}.{leaf}" if leaf else root
        for root, fact in vocabulary.items()
        for leaf in (fact if isinstance(fact, dict) else [""])
    ]
    return f"the placeholder `{name}` is not known{_nearest(name, names)}."


def _nearest(name: str, names: Iterable[str]) -> str:
    nearest = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; nearest is `{nearest[0]}`" if nearest else ""


def _loops_over_invoices(template: BoundTemplate) -> set[str]:
    """The names that loops give to one invoice."""
    loops = [node.expression for node in _nodes(template) if isinstance(node, ForNode)]
    return {loop.identifier for loop in loops if str(loop.iterable) == "invoices"}


def _nodes(template: BoundTemplate) -> Iterator[Node]:
    context = RenderContext(template)
    waiting = list(template.nodes)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children(context, include_partials=False))


def _expressions(template: BoundTemplate) -> Iterator[Expression]:
    waiting = [expression for node in _nodes(template) for expression in node.expressions()]
    while waiting:
        expression = waiting.pop()
        yield expression
        waiting.extend(expression.children())


def _sentence(part: str, problem: LiquidError) -> str:
    token = problem.token
    where = f"In the {part}"
    if token is not None and token.start_index >= 0:
        where += f", line {token.source.count(chr(10), 0, token.start_index) + 1}"
    said = next((words for kind, words in _LIMITS if isinstance(problem, kind)), problem.message)
    return f"{where}: {str(said or 'this cannot be read').rstrip('.')}."


_LIMITS = (
    (LoopIterationLimitError, "it repeats more than 2,000 times; repeat over `invoices` once, or use {{ statement }}"),
    (LocalNamespaceLimitError, "it keeps more in its own names than a letter needs; make the texts it assigns shorter"),
    (OutputStreamLimitError, f"it becomes a text of more than {_LONGEST_TEXT:,} characters; say less of each invoice"),
    (BlockNestingError, "blocks stand in blocks more than ten deep; take some out"),
)
"""What the library's own words for a limit would leave its author to guess."""


def _where(part: str, template: BoundTemplate, index: int) -> str:
    source = next((node.token.source for node in template.nodes), "")
    return f"In the {part}, line {source.count(chr(10), 0, index) + 1}"
