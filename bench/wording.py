"""How long it takes to put a reminder into words, and to make statements as PDFs, beside the least that could be done.

Run `python -m bench.wording`. A reminder has twelve invoices, an HTML and a text part, and is filled in from the
standard workflow; each is another account with other figures. Its peer is a plain Jinja2 template of the same words and
rows, with amounts and dates written by hand: no country's formats, no limits, no style sheet written into the elements,
no text part. A statement has forty rows and two embedded typefaces; its peer draws the same rows with the library's
bare canvas.
"""

import argparse
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

from bench.measuring import Figures, measured
from wording import Line, Look, Statement, prewritten, render, statement_pdf

DAY = date(2026, 11, 26)
LOOK = Look(address="12 Quay Street\nBristol BS1 4AA", pay_details="Severn Bank, 00-00-00, 12345678")

_PEER = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ subject }}</title></head><body>
<p>Hi {{ name }},</p><p>We wrote to you recently about your account and haven't seen a payment yet. The overdue balance
is now {{ total }}, and the oldest invoice was due {{ days }} days ago.</p><table><tr><th>Invoice<th>Due<th>Balance</tr>
{% for row in rows %}<tr><th scope="row"><a href="{{ row.link }}">{{ row.number }}</a><br>{{ row.reference }}</th>
<td>{{ row.due }}<br>{{ row.age }} days overdue</td><td align="right">{{ row.balance }}</td></tr>{% endfor %}
</table><p>Could you please arrange payment this week, or let us know when we can expect it?</p></body></html>"""


def reminders(*, count: int, invoices: int) -> Iterator[Callable[[], object]]:
    """Ours: subject, text and HTML of one reminder each."""
    step = prewritten("standard").steps[1]
    return (lambda it=it: render(step.subject, step.body, it, look=LOOK) for it in _statements(count, invoices))  # type: ignore[misc]


def reminders_by_jinja(*, count: int, invoices: int) -> Iterator[Callable[[], object]]:
    """The peer: the same words and rows as HTML only."""
    from jinja2 import Environment

    template = Environment(autoescape=True).from_string(_PEER)
    return (lambda it=it: template.render(_plain(it)) for it in _statements(count, invoices))  # type: ignore[misc]


def statements(*, count: int, rows: int) -> Iterator[Callable[[], object]]:
    """Ours: one PDF each."""
    return (lambda it=it: statement_pdf(it, LOOK) for it in _statements(count, rows))  # type: ignore[misc]


def statements_on_a_canvas(*, count: int, rows: int) -> Iterator[Callable[[], object]]:
    """The peer: the same rows, in the same two typefaces, by the library's own calls and nothing else."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    import wording._fonts

    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        pdfmetrics.registerFont(TTFont(f"peer {name}", str(wording._fonts._FOLDER / f"{name}.ttf")))
    return (lambda it=it: _canvas(it) for it in _statements(count, rows))  # type: ignore[misc]


def _canvas(statement: Statement) -> bytes:
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setFont("peer DejaVuSans-Bold", 18)
    canvas.drawString(51, 780, f"Statement of account: {statement.account}")
    canvas.setFont("peer DejaVuSans", 8)
    for place, line in enumerate(statement.lines):
        y = 740 - 15 * (place % 45)
        cells = (line.number, line.reference, str(line.issued_on), str(line.due_on), f"{line.age} days overdue")
        for column, text in enumerate(cells):
            canvas.drawString(51 + 70 * column, y, text)
        canvas.drawRightString(475, y, f"£{line.total:,.2f}")
        canvas.drawRightString(544, y, f"£{line.balance:,.2f}")
        canvas.line(51, y - 4, 544, y - 4)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _statements(count: int, invoices: int) -> list[Statement]:
    return [
        Statement(
            "Brightwater Joinery",
            f"Müller & Söhne Łódź {number}",
            DAY,
            tuple(_line(number, place) for place in range(1, invoices + 1)),
            account_number=f"HC-{number}",
            contact_first_name="Mia",
            sender_name="Tom Ashby",
        )
        for number in range(count)
    ]


def _line(account: int, place: int) -> Line:
    due_on = DAY - timedelta(days=place * 5)
    total = Decimal(account * 37 + place * 113) / 8 + 100
    link = f"https://pay.example/{account}/{place}"
    number, reference = f"INV-{account:04}-{place:02}", f"PO {place}"
    return Line(number, reference, due_on - timedelta(30), due_on, total, total, "GBP", place * 5, link=link)


def _plain(statement: Statement) -> dict[str, object]:
    return {
        "subject": "Overdue",
        "name": statement.contact_first_name,
        "total": f"£{sum(line.balance for line in statement.lines):,.2f}",
        "days": max(line.age for line in statement.lines),
        "rows": [
            {
                "number": line.number,
                "reference": line.reference,
                "link": line.link,
                "due": f"{line.due_on:%d %b %Y}",
                "age": line.age,
                "balance": f"£{line.balance:,.2f}",
            }
            for line in statement.lines
        ],
    }


def _say(what: str, figures: Figures, bound: str = "") -> None:
    each = 1000 * figures.total / len(figures.seconds)
    print(
        f"{what:44} {len(figures.seconds):6,} in {figures.total:6.2f} s   each {each:6.2f} ms   "
        f"half within {1000 * figures.at(0.5):5.2f} ms   95 % within {1000 * figures.at(0.95):5.2f} ms   "
        f"processor {figures.processor:5.2f} s   peak {figures.peak:4.0f} MB   {bound}"
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--reminders", type=int, default=2000)
    asked.add_argument("--statements", type=int, default=1000)
    asked.add_argument("--profile", action="store_true")
    given = asked.parse_args()
    letters = {"count": given.reminders, "invoices": 12}
    papers = {"count": given.statements, "rows": 40}
    _say(
        "a reminder, HTML and text", measured("bench.wording:reminders", profile=given.profile, **letters), "bound 5 ms"
    )
    _say("  the same rows by plain Jinja2, HTML only", measured("bench.wording:reminders_by_jinja", **letters))
    made = measured("bench.wording:statements", profile=given.profile, **papers)
    _say("a statement as a PDF, 40 rows", made, "bound 12 s for 1,000")
    _say("  the same rows on a bare canvas", measured("bench.wording:statements_on_a_canvas", **papers))


if __name__ == "__main__":
    main()
