"""The statement table: which invoices are open, how late each one is, and what that comes to, one section a currency.

It is worked out once, in words, and then laid out twice: as aligned plain text and as a real HTML table that reads well
on a phone, in the dark, and aloud.
"""

from dataclasses import dataclass
from html import escape

from wording._facts import asked_for, currencies, is_overdue, oldest_first, safe_link, sums, tongue
from wording._labels import Labels, labels
from wording.statement import Statement

_MOST_ROWS = 20
_WIDEST = 24


@dataclass(frozen=True, slots=True)
class Row:
    number: str
    reference: str
    due: str
    status: str
    overdue: bool
    balance: str
    of_total: str
    link: str


@dataclass(frozen=True, slots=True)
class Section:
    """The open invoices in one currency. `hidden` counts those that are in the totals but have no row."""

    rows: tuple[Row, ...]
    hidden: int
    totals: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Table:
    caption: str
    sections: tuple[Section, ...]
    words: Labels


def table(statement: Statement) -> Table:
    tongue_ = tongue(statement.locale)
    words = labels(tongue_.locale.language)
    caption = f"{words.title} – {statement.account}, {words.as_at.format(date=tongue_.day(statement.as_of, 'long'))}"
    shown = oldest_first(statement.lines)[:_MOST_ROWS]

    def section(code: str) -> Section:
        lines = [line for line in statement.lines if line.currency == code]
        rows = tuple(
            Row(
                number=line.number,
                reference=line.reference,
                due=tongue_.day(line.due_on),
                status=f"{words.lateness(line.age)} {words.disputed if line.disputed else ''}".rstrip(),
                overdue=is_overdue(line),
                balance=tongue_.amount(line.balance, code),
                of_total=""
                if line.total == line.balance
                else words.of_total.format(amount=tongue_.amount(line.total, code)),
                link=safe_link(line.link),
            )
            for line in shown
            if line.currency == code
        )
        overdue = sums(filter(asked_for, lines), [code])[code]
        disputed = sums((line for line in lines if line.disputed), [code])[code]
        totals = [(words.total_overdue, tongue_.amount(overdue, code), True)]
        if disputed:
            totals.append((words.total_disputed, tongue_.amount(disputed, code), False))
        totals.append((words.total, tongue_.amount(sums(lines, [code])[code], code), False))
        return Section(rows, len(lines) - len(rows), tuple(totals))

    return Table(caption, tuple(section(code) for code in currencies(statement)), words)


def as_text(table: Table) -> str:
    """Aligned columns for a plain-text mail, no line longer than its amounts and names need."""
    if not table.sections:
        return ""
    return "\n\n".join([table.caption, *(_section_text(section, table.words) for section in table.sections)])


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
    return "\n".join([*lines, rule, *map(laid_out, sums)])


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


_RULE = "border-bottom:1px solid #d9dee4"
_CELL = f"padding:8px 0 8px 12px;{_RULE};vertical-align:top"
_AMOUNT = f"{_CELL};text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"
_FIRST = f"padding:8px 0;{_RULE};vertical-align:top;text-align:left;font-weight:normal;word-break:break-word"
_SMALL = "font-size:13px;color:#5b6672"
_LATE = "font-size:13px;color:#b3261e"


def as_html(table: Table, accent: str) -> str:
    """One table a currency; headers have a scope, amounts stand to the right. `accent` is the colour of links."""
    captions = [table.caption, *("" for _ in table.sections[1:])]
    return "".join(
        _section_html(section, table.words, caption, accent)
        for section, caption in zip(table.sections, captions, strict=False)
    )


def _section_html(section: Section, words: Labels, caption: str, accent: str) -> str:
    more = f'<tr><td class="soft line" colspan="3" style="{_FIRST};{_SMALL}">{escape(words.more.format(count=section.hidden))}</td></tr>'
    return (
        '<table class="ink" style="width:100%;border-collapse:collapse;margin:8px 0 24px;font-size:15px;line-height:1.4;color:#1f2933">'
        + (
            f'<caption class="soft" style="text-align:left;padding:0 0 8px;{_SMALL}">{escape(caption)}</caption>'
            if caption
            else ""
        )
        + "<thead><tr>"
        + f'<th class="soft line" scope="col" style="{_FIRST};{_SMALL}">{escape(words.invoice)}</th>'
        + f'<th class="soft line" scope="col" style="{_CELL};text-align:left;font-weight:normal;{_SMALL}">{escape(words.due)}</th>'
        + f'<th class="soft line" scope="col" style="{_AMOUNT};font-weight:normal;{_SMALL}">{escape(words.balance)}</th>'
        + "</tr></thead><tbody>"
        + "".join(_row_html(row, accent) for row in section.rows)
        + (more if section.hidden else "")
        + "</tbody><tfoot>"
        + "".join(_total_html(label, amount, strong) for label, amount, strong in section.totals)
        + "</tfoot></table>"
    )


def _row_html(row: Row, accent: str) -> str:
    number = escape(row.number)
    if row.link:
        number = f'<a class="link" href="{escape(row.link)}" style="color:{accent}">{number}</a>'
    return (
        f'<tr><th class="line" scope="row" style="{_FIRST}">{number}{_under(row.reference)}</th>'
        f'<td class="line" style="{_CELL}">{escape(row.due)}{_under(row.status, late=row.overdue)}</td>'
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
