"""The statement table: which invoices are open, how late each one is, and what that comes to, one section a currency.

It is worked out once, in words, and then laid out twice: as aligned plain text and as a real HTML table that reads well
on a phone, in the dark, and aloud.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from typing import NamedTuple

from babel.numbers import get_currency_name

from engine.ageing import BUCKETS, bucket_of
from wording._facts import Tongue, asked_for, currencies, oldest_first, one_line, safe_link, tongue
from wording._labels import Labels, labels
from wording.statement import Line, Statement

MOST_ROWS = 20
"""More than these would make a mail that nobody reads; the rest is in the statement that goes with it."""

_WIDEST = 24


@dataclass(frozen=True, slots=True)
class Row:
    number: str
    reference: str
    due: str
    status: str
    chased: bool
    balance: str
    of_total: str
    link: str


class Total(NamedTuple):
    """A line below the rows. `weight` is `strong` for the one that matters, `small` for a part of it, or "plain"."""

    label: str
    amount: str
    weight: str


@dataclass(frozen=True, slots=True)
class Section:
    """The open invoices in one currency. `more` says how many are in the totals but have no row, if any.

    `ages` is how the overdue amount is spread over its ages, when there is more than one.
    """

    caption: str
    rows: tuple[Row, ...]
    more: str
    ages: tuple[Total, ...]
    totals: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The whole statement; its sections are empty when nothing is open."""

    sections: tuple[Section, ...]
    words: Labels


def has_more(statement: Statement) -> bool:
    """Whether a letter has no room for every row. Then the statement has to go with it as a PDF: the letter says so."""
    return len(statement.lines) > MOST_ROWS


def table(statement: Statement, most_rows: int | None = MOST_ROWS) -> Table:
    """The statement in words, with so many rows over all currencies; None: all of them."""
    tongue_ = tongue(statement.locale)
    words = labels(tongue_.locale.language)
    shown = oldest_first(statement.lines)[:most_rows]
    sections = []
    for caption, code in zip(_captions(statement, tongue_, words), currencies(statement), strict=True):
        lines = [line for line in statement.lines if line.currency == code]
        rows = tuple(_row(line, statement.as_of, tongue_, words) for line in shown if line.currency == code)
        hidden = len(lines) - len(rows)
        more = (words.more if rows else words.all_elsewhere).format(count=hidden) if hidden else ""
        ages, totals = _ages(lines, code, tongue_, words), _totals(lines, code, tongue_, words)
        sections.append(Section(caption, rows, more, ages, totals))
    return Table(tuple(sections), words)


def _captions(statement: Statement, tongue_: Tongue, words: Labels) -> list[str]:
    """The first section carries the statement's title; with several currencies each says which one it is."""
    account = one_line(statement.account)
    title = f"{words.title} – {account}, {words.as_at.format(date=tongue_.day(statement.as_of, 'long'))}"
    codes = currencies(statement)
    if len(codes) < 2:
        return [title for _ in codes]
    first, *others = (currency_name(code, tongue_) for code in codes)
    return [f"{title} – {first}", *others]


def currency_name(code: str, tongue_: Tongue) -> str:
    """`Euro (EUR)`."""
    return f"{get_currency_name(code, locale=tongue_.locale)} ({code})"


def _row(line: Line, as_of: date, tongue_: Tongue, words: Labels) -> Row:
    whole = line.total == line.balance or line.balance < 0
    lateness = words.lateness(line.age if line.age > 0 else (as_of - line.due_on).days)
    if line.balance < 0:
        lateness = words.credit
    return Row(
        number=one_line(line.number),
        reference=one_line(line.reference),
        due=tongue_.day(line.due_on),
        status=f"{lateness} {words.disputed}" if line.disputed else lateness,
        chased=asked_for(line),
        balance=tongue_.amount(line.balance, line.currency),
        of_total="" if whole else words.of_total.format(amount=tongue_.amount(line.total, line.currency)),
        link=safe_link(line.link),
    )


def _ages(lines: Iterable[Line], code: str, tongue_: Tongue, words: Labels) -> tuple[Total, ...]:
    """How late the overdue amount is, youngest first. One age alone would only say the total again."""
    filled = [(label, amount) for label, amount in list(by_age(lines, words))[1:] if amount]
    return tuple(Total(label, tongue_.amount(amount, code), "small") for label, amount in filled if len(filled) > 1)


def by_age(lines: Iterable[Line], words: Labels) -> Iterator[tuple[str, Decimal]]:
    """What is owed in each ageing bucket, from not yet due to the oldest. Disputed amounts and credits stand apart."""
    spread = dict.fromkeys(BUCKETS, Decimal(0))
    for line in lines:
        if line.balance > 0 and not line.disputed:
            spread[bucket_of(line.age)] += line.balance
    return zip(words.ages, spread.values(), strict=True)


def _totals(lines: list[Line], code: str, tongue_: Tongue, words: Labels) -> tuple[Total, ...]:
    """A disputed amount stands apart from the overdue one, and so does a credit that nobody has used yet."""
    overdue = sum((line.balance for line in lines if asked_for(line)), Decimal(0))
    disputed = sum((line.balance for line in lines if line.disputed), Decimal(0))
    unused = sum((line.balance for line in lines if line.balance < 0), Decimal(0))
    owed = sum((line.balance for line in lines), Decimal(0))
    optional = [(words.total_disputed, disputed), (words.total_credit, unused)]
    return (
        Total(words.total_overdue, tongue_.amount(overdue, code), "strong"),
        *(Total(label, tongue_.amount(amount, code), "plain") for label, amount in optional if amount),
        Total(words.total, tongue_.amount(owed, code), "plain"),
    )


def as_text(table: Table) -> str:
    """Aligned columns for a plain-text mail, no line longer than its amounts and names need."""
    return "\n\n".join(_section_text(section, table.words) for section in table.sections)


def _section_text(section: Section, words: Labels) -> str:
    references = any(row.reference for row in section.rows)
    head = [words.invoice, words.reference, words.due, words.status, words.balance]
    cells = [[_short(row.number), _short(row.reference), row.due, row.status, row.balance] for row in section.rows]
    sums = [["", "", "", total.label, total.amount] for total in (*section.ages, *section.totals)]
    columns = [column for column in range(5) if references or column != 1]
    widths = {column: max(len(line[column]) for line in [head, *cells, *sums]) for column in columns}

    def laid_out(line: list[str]) -> str:
        left = [line[column].ljust(widths[column]) for column in columns[:-1]]
        return "  ".join([*left, line[4].rjust(widths[4])]).rstrip()

    rule = "-" * len(laid_out(head))
    lines = [laid_out(head), rule]
    for row, line in zip(section.rows, cells, strict=True):
        lines.append(laid_out(line))
        lines += [f"  {row.link}"] if row.link else []
    lines += [section.more] if section.more else []
    return "\n".join([section.caption, "", *lines, rule, *map(laid_out, sums)])


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def as_html(table: Table) -> str:
    """One table a currency; headers have a scope, amounts stand to the right. How it looks, the layout says."""
    return "".join(_section_html(section, table.words) for section in table.sections)


def _section_html(section: Section, words: Labels) -> str:
    head = _head(words.invoice, "first third") + _head(words.due) + _head(words.balance, "sum")
    return "".join(
        [
            f'<table class="owed"><caption>{escape(section.caption)}</caption>',
            f"<thead><tr>{head}</tr></thead><tbody>",
            *(_row_html(row) for row in section.rows),
            f'<tr><td class="first small" colspan="3">{escape(section.more)}</td></tr>' if section.more else "",
            "</tbody><tfoot>",
            *(_total_html(total) for total in (*section.ages, *section.totals)),
            "</tfoot></table>",
        ]
    )


def _head(label: str, place: str = "") -> str:
    return f'<th scope="col" class="{f"{place} small".strip()}">{escape(label)}</th>'


def _row_html(row: Row) -> str:
    number = escape(row.number)
    if row.link:
        number = f'<a class="link" href="{escape(row.link)}">{number}</a>'
    return (
        f'<tr><th scope="row" class="first">{number}{_under(row.reference)}</th>'
        f"<td>{escape(row.due)}{_under(row.status, late=row.chased)}</td>"
        f'<td class="sum">{escape(row.balance)}{_under(row.of_total)}</td></tr>'
    )


def _under(text: str, *, late: bool = False) -> str:
    return f'<br><span class="{"late" if late else "small"}">{escape(text)}</span>' if text else ""


def _total_html(total: Total) -> str:
    look = {"strong": " strong", "small": " small"}.get(total.weight, "")
    return (
        f'<tr><th scope="row" colspan="2" class="first{look}">{escape(total.label)}</th>'
        f'<td class="sum{look}">{escape(total.amount)}</td></tr>'
    )
