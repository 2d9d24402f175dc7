"""The statement table: which invoices are open, how late each one is, and what that comes to, one section a currency.

It is worked out once, in words, and then laid out twice: as aligned plain text and as a real HTML table that reads well
on a phone, in the dark, and aloud.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape

from babel.numbers import get_currency_name

from wording._facts import Tongue, asked_for, currencies, oldest_first, safe_link, tongue
from wording._labels import Labels, labels
from wording.statement import Line, Statement

_MOST_ROWS = 20
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


@dataclass(frozen=True, slots=True)
class Section:
    """The open invoices in one currency. `hidden` counts those that are in the totals but have no row."""

    caption: str
    rows: tuple[Row, ...]
    hidden: int
    totals: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The whole statement; its sections are empty when nothing is open."""

    sections: tuple[Section, ...]
    words: Labels


def table(statement: Statement) -> Table:
    tongue_ = tongue(statement.locale)
    words = labels(tongue_.locale.language)
    shown = oldest_first(statement.lines)[:_MOST_ROWS]
    sections = []
    for caption, code in zip(_captions(statement, tongue_, words), currencies(statement), strict=True):
        lines = [line for line in statement.lines if line.currency == code]
        rows = tuple(_row(line, statement.as_of, tongue_, words) for line in shown if line.currency == code)
        sections.append(Section(caption, rows, len(lines) - len(rows), _totals(lines, code, tongue_, words)))
    return Table(tuple(sections), words)


def _captions(statement: Statement, tongue_: Tongue, words: Labels) -> list[str]:
    """The first section carries the statement's title; with several currencies each says which one it is."""
    title = f"{words.title} – {statement.account}, {words.as_at.format(date=tongue_.day(statement.as_of, 'long'))}"
    codes = currencies(statement)
    if len(codes) < 2:
        return [title for _ in codes]
    first, *others = (f"{get_currency_name(code, locale=tongue_.locale)} ({code})" for code in codes)
    return [f"{title} – {first}", *others]


def _row(line: Line, as_of: date, tongue_: Tongue, words: Labels) -> Row:
    part_of = words.of_total.format(amount=tongue_.amount(line.total, line.currency))
    lateness = words.lateness(line.age if line.age > 0 else (as_of - line.due_on).days)
    return Row(
        number=line.number,
        reference=line.reference,
        due=tongue_.day(line.due_on),
        status=f"{lateness} {words.disputed}" if line.disputed else lateness,
        chased=asked_for(line),
        balance=tongue_.amount(line.balance, line.currency),
        of_total="" if line.total == line.balance else part_of,
        link=safe_link(line.link),
    )


def _totals(lines: list[Line], code: str, tongue_: Tongue, words: Labels) -> tuple[tuple[str, str, bool], ...]:
    """Label, amount and whether it is the one that matters. A disputed amount stands apart from the overdue one."""
    overdue = sum((line.balance for line in lines if asked_for(line)), Decimal(0))
    disputed = sum((line.balance for line in lines if line.disputed), Decimal(0))
    owed = sum((line.balance for line in lines), Decimal(0))
    totals = [(words.total_overdue, overdue, True), (words.total_disputed, disputed, False), (words.total, owed, False)]
    return tuple(
        (label, tongue_.amount(amount, code), strong)
        for label, amount, strong in totals
        if amount or label != words.total_disputed
    )


def as_text(table: Table) -> str:
    """Aligned columns for a plain-text mail, no line longer than its amounts and names need."""
    return "\n\n".join(_section_text(section, table.words) for section in table.sections)


def _section_text(section: Section, words: Labels) -> str:
    references = any(row.reference for row in section.rows)
    head = [words.invoice, words.reference, words.due, words.status, words.balance]
    cells = [[_short(row.number), _short(row.reference), row.due, row.status, row.balance] for row in section.rows]
    sums = [["", "", "", label, amount] for label, amount, _ in section.totals]
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
    lines += [words.more.format(count=section.hidden)] if section.hidden else []
    return "\n".join([section.caption, "", *lines, rule, *map(laid_out, sums)])


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


_RULE = "border-bottom:1px solid #d9dee4"
_TABLE = "width:100%;border-collapse:collapse;margin:8px 0 24px;font-size:15px;line-height:1.4;color:#1f2933"
_CELL = f"padding:8px 0 8px 12px;{_RULE};vertical-align:top;text-align:left"
_AMOUNT = (
    f"padding:8px 0 8px 12px;{_RULE};vertical-align:top;text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums"
)
_FIRST = f"padding:8px 0;{_RULE};vertical-align:top;text-align:left;font-weight:normal;word-break:break-word"
_SMALL = "font-size:13px;color:#5b6672"
_CAPTION = f"text-align:left;padding:0 0 8px;{_SMALL}"
_LATE = "font-size:13px;color:#b3261e"


def as_html(table: Table, accent: str) -> str:
    """One table a currency; headers have a scope, amounts stand to the right. `accent` is the colour of links."""
    return "".join(_section_html(section, table.words, accent) for section in table.sections)


def _section_html(section: Section, words: Labels, accent: str) -> str:
    head = _head(words.invoice, f"{_FIRST};width:36%") + _head(words.due, _CELL) + _head(words.balance, _AMOUNT)
    return "".join(
        [
            f'<table class="ink" style="{_TABLE}">',
            f'<caption class="soft" style="{_CAPTION}">{escape(section.caption)}</caption>',
            f"<thead><tr>{head}</tr></thead><tbody>",
            *(_row_html(row, accent) for row in section.rows),
            _more_html(words.more.format(count=section.hidden)) if section.hidden else "",
            "</tbody><tfoot>",
            *(_total_html(label, amount, strong) for label, amount, strong in section.totals),
            "</tfoot></table>",
        ]
    )


def _more_html(text: str) -> str:
    return f'<tr><td class="soft line" colspan="3" style="{_FIRST};{_SMALL}">{escape(text)}</td></tr>'


def _head(label: str, place: str) -> str:
    return f'<th class="soft line" scope="col" style="{place};font-weight:normal;{_SMALL}">{escape(label)}</th>'


def _row_html(row: Row, accent: str) -> str:
    number = escape(row.number)
    if row.link:
        number = f'<a class="link" href="{escape(row.link)}" style="color:{accent}">{number}</a>'
    return (
        f'<tr><th class="line" scope="row" style="{_FIRST}">{number}{_under(row.reference)}</th>'
        f'<td class="line" style="{_CELL}">{escape(row.due)}{_under(row.status, late=row.chased)}</td>'
        f'<td class="line" style="{_AMOUNT}">{escape(row.balance)}{_under(row.of_total)}</td></tr>'
    )


def _under(text: str, *, late: bool = False) -> str:
    look, name = (_LATE, "late") if late else (_SMALL, "soft")
    return f'<br><span class="{name}" style="{look}">{escape(text)}</span>' if text else ""


def _total_html(label: str, amount: str, strong: bool) -> str:
    weight = "bold" if strong else "normal"
    return (
        f'<tr><th class="line" scope="row" colspan="2" style="{_FIRST};font-weight:{weight}">{escape(label)}</th>'
        f'<td class="line" style="{_AMOUNT};font-weight:{weight}">{escape(amount)}</td></tr>'
    )
