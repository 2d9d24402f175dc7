"""The statement on paper: every open invoice, how late each is, and what it all comes to, as a PDF to pay by.

It says the same as the table in the letter, from the same words and figures, but with all the rows. The same statement
always makes the same bytes, so that it can be made again years later and compared.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.pdfgen.canvas import Canvas

from wording._facts import Tongue, clean, currencies, oldest_first, one_line, tongue
from wording._fonts import BOLD, PLAIN, fitted, ready, width, wrapped
from wording._labels import Labels, labels
from wording._table import Section, Total, by_age, currency_name, table
from wording.look import Look, logo_of
from wording.statement import Statement

Ink = str
"""A colour as a page says it: three shares from 0 to 1."""


def _ink(colour: str) -> Ink:
    """`#1f2933` as ink."""
    return " ".join(f"{int(colour[place : place + 2], 16) / 255:.3f}" for place in (1, 3, 5))


_INK, _SOFT, _RULE, _LATE, _BAND = map(_ink, ("#1f2933", "#5b6672", "#d9dee4", "#b3261e", "#f3f5f7"))
_MARGIN, _FOOT = 51.0, 62.0
_SIZE, _ROW = 8.0, 15.0
_SHARES = (0.14, 0.135, 0.13, 0.13, 0.18, 0.14, 0.145)
"""Invoice, reference, date, due date, status, amount, balance: how the width of the page is shared out."""

_LETTER_PAPER = ("US", "CA", "MX", "CL", "CO", "PH")


def statement_name(statement: Statement) -> str:
    """The file's name in ASCII, as every provider passes it on unharmed: `statement-hc-17-2026-11.pdf`."""
    said = one_line(statement.account_number or statement.account).translate(_SPELT)
    plain = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return f"statement-{short or 'account'}-{statement.as_of:%Y-%m}.pdf"


_SPELT = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "đ": "d", "Đ": "D"})


def statement_pdf(statement: Statement, look: Look | None = None) -> bytes:
    """The statement as a PDF with page numbers. Raises ValueError or UnknownLocaleError for a locale Babel lacks."""
    ready()
    return _Sheets(statement, look or Look()).drawn()


@dataclass(frozen=True, slots=True)
class _Block:
    """Something on the page that is never cut in two. `again` is drawn above it when it begins a page: a table's head.

    With `keeps_next` it is never the last thing on a page: a head needs a row, and a sum stands below one.
    `draw` is given the height of its upper edge, in points from the lower edge of the page.
    """

    height: float
    draw: Callable[[float], None]
    again: "_Block | None" = None
    keeps_next: bool = False


def _together(blocks: list[_Block]) -> list[float]:
    """How high each block is with all those that it keeps with it, one by the next."""
    heights: list[float] = []
    for block in reversed(blocks):
        below = heights[-1] if heights and block.keeps_next else 0.0
        heights.append(block.height + below)
    return heights[::-1]


class _Sheets:
    def __init__(self, statement: Statement, look: Look) -> None:
        self.statement, self.look = statement, look
        self.tongue: Tongue = tongue(statement.locale)
        self.words: Labels = labels(self.tongue.locale.language)
        self.paper = LETTER if self.tongue.locale.territory in _LETTER_PAPER else A4
        self.room = self.paper[0] - 2 * _MARGIN
        self.accent = _ink(look.colour)
        self.file = BytesIO()
        self.canvas = Canvas(self.file, pagesize=self.paper, invariant=1)
        self.canvas.setTitle(f"{self.words.title} – {one_line(statement.account)}")
        self.canvas.setAuthor(one_line(statement.organisation))
        edges = [_MARGIN]
        for share in _SHARES:
            edges.append(edges[-1] + share * self.room)
        self.edges = edges

    def drawn(self) -> bytes:
        pages = self._in_pages(list(self._blocks()))
        for number, page in enumerate(pages, 1):
            height = self.paper[1] - _MARGIN
            for block in page:
                block.draw(height)
                height -= block.height
            self._foot(number, len(pages))
            self.canvas.showPage()
        self.canvas.save()
        return self.file.getvalue()

    def _in_pages(self, blocks: list[_Block]) -> list[list[_Block]]:
        whole = self.paper[1] - _MARGIN - _FOOT
        pages: list[list[_Block]] = [[]]
        left = whole
        for block, needed in zip(blocks, _together(blocks), strict=True):
            if needed > left and pages[-1]:
                pages.append([block.again] if block.again else [])
                left = whole - (block.again.height if block.again else 0)
            pages[-1].append(block)
            left -= block.height
        return pages

    # What stands on it, from top to bottom

    def _blocks(self) -> Iterator[_Block]:
        yield self._letterhead()
        yield self._title()
        yield self._addressee()
        if not self.statement.lines:
            yield _Block(_ROW * 2, lambda top: self._text(_MARGIN, top - _ROW, self.words.nothing_owed, size=10))
        codes = currencies(self.statement)
        for code, section in zip(codes, table(self.statement, None).sections, strict=True):
            if len(codes) > 1:
                name = currency_name(code, self.tongue)
                head = self._table_head()
                yield _Block(34 + head.height, partial(self._currency, name, head), keeps_next=True)
            else:
                yield self._table_head()
            yield from self._rows(section, code)
            yield from self._sums(section, code)
        if self.look.pay_details.strip():
            yield self._how_to_pay()

    def _letterhead(self) -> _Block:
        logo = logo_of(self.look)
        address = [line for line in wrapped(clean(self.look.address), self.room / 2, PLAIN, 8)[:8] if line]
        scale = min(1.0, 180 / logo.width, 48 / logo.height) if logo else 0.0
        tall = max(logo.height * scale if logo else 18.0, 11.0 * len(address)) + 14

        def draw(top: float) -> None:
            if logo:
                picture = ImageReader(BytesIO(logo.content))
                wide, high = logo.width * scale, logo.height * scale
                self.canvas.drawImage(picture, _MARGIN, top - high, wide, high, mask="auto")
            else:
                firm = fitted(one_line(self.statement.organisation), self.room / 2 - 10, BOLD, 14)
                self._text(_MARGIN, top - 14, firm, face=BOLD, size=14, ink=self.accent)
            for place, line in enumerate(address):
                self._text(_MARGIN + self.room, top - 9 - 11 * place, line, size=8, ink=_SOFT, right=True)
            self._line(top - tall + 4, self.accent, 2)

        return _Block(tall, draw)

    def _title(self) -> _Block:
        as_at = self.words.as_at.format(date=self.tongue.day(self.statement.as_of, "long"))

        def draw(top: float) -> None:
            self._text(_MARGIN, top - 32, self.words.title, face=BOLD, size=18)
            self._text(_MARGIN + self.room, top - 32, as_at, size=10, right=True)

        return _Block(46, draw)

    def _addressee(self) -> _Block:
        lines = [one_line(self.statement.account)]
        lines += [
            line for line in wrapped(clean(self.statement.contact_address), self.room * 0.6, PLAIN, 10)[:6] if line
        ]
        number = one_line(self.statement.account_number)

        def draw(top: float) -> None:
            self._text(_MARGIN, top - 10, self.words.to, size=8, ink=_SOFT)
            for place, line in enumerate(lines):
                face = BOLD if place == 0 else PLAIN
                self._text(_MARGIN, top - 24 - 13 * place, fitted(line, self.room * 0.6, face, 10), face=face, size=10)
            if number:
                right = _MARGIN + self.room
                self._text(right, top - 10, self.words.account_number, size=8, ink=_SOFT, right=True)
                self._text(right, top - 24, fitted(number, self.room * 0.35, PLAIN, 10), size=10, right=True)

        return _Block(24 + 13 * len(lines) + 10, draw)

    def _currency(self, name: str, head: _Block, top: float) -> None:
        self._text(_MARGIN, top - 24, name, face=BOLD, size=10)
        head.draw(top - 34)

    def _table_head(self) -> _Block:
        words = self.words
        names = (words.invoice, words.reference, words.issued, words.due, words.status, words.amount, words.balance)

        def draw(top: float) -> None:
            for place, name in enumerate(names):
                self._cell(place, top, name, ink=_SOFT)
            self._line(top - _ROW, _INK, 0.7)

        return _Block(_ROW + 2, draw, keeps_next=True)

    def _rows(self, section: Section, code: str) -> Iterator[_Block]:
        head = self._table_head()
        lines = oldest_first(line for line in self.statement.lines if line.currency == code)
        for line, row in zip(lines, section.rows, strict=True):
            issued = self.tongue.day(line.issued_on)
            total = self.tongue.amount(line.total, line.currency)
            cells = (row.number, row.reference, issued, row.due, row.status, total, row.balance)
            yield _Block(_ROW, partial(self._row, cells, row.chased), head, keeps_next=line is lines[-1])

    def _row(self, cells: tuple[str, ...], late: bool, top: float) -> None:
        for place, text in enumerate(cells):
            if text:
                self._cell(place, top, text, ink=_LATE if late and place == 4 else _INK)
        self._line(top - _ROW, _RULE, 0.4)

    def _sums(self, section: Section, code: str) -> Iterator[_Block]:
        """The ageing of one currency in a band, and below it what it comes to. They stay together."""
        lines = [line for line in self.statement.lines if line.currency == code]
        ages = [(label, self.tongue.amount(amount, code)) for label, amount in by_age(lines, self.words)]
        yield _Block(46 + 16 * len(section.totals) + 8, partial(self._band_and_totals, ages, section.totals))

    def _band_and_totals(self, ages: list[tuple[str, str]], totals: tuple[Total, ...], top: float) -> None:
        each = self.room / len(ages)
        self.canvas.addLiteral(f"{_BAND} rg {_MARGIN:.2f} {top - 42:.2f} {self.room:.2f} 34 re f")
        for place, (label, amount) in enumerate(ages):
            right = _MARGIN + each * (place + 1) - 6
            self._text(right, top - 21, fitted(label, each - 8, PLAIN, 6.5), size=6.5, ink=_SOFT, right=True)
            self._text(right, top - 34, amount, size=self._size_for(amount, each - 10), right=True)
        for place, total in enumerate(totals):
            height = top - 46 - 16 * place - 10
            face = BOLD if total.weight == "strong" else PLAIN
            self._text(_MARGIN + self.room * 0.72, height, total.label, face=face, size=9, right=True)
            self._text(_MARGIN + self.room, height, total.amount, face=face, size=9, right=True)

    def _how_to_pay(self) -> _Block:
        lines = wrapped(clean(self.look.pay_details), self.room - 24, PLAIN, 9)[:12]
        tall = 34 + 13 * len(lines)

        def draw(top: float) -> None:
            edge = f"{_MARGIN:.2f} {top - tall + 4:.2f} {self.room:.2f} {tall - 12:.2f} re S"
            self.canvas.addLiteral(f"1 w {self.accent} RG {edge}")
            self._text(_MARGIN + 12, top - 23, self.words.how_to_pay, face=BOLD, size=9)
            for place, line in enumerate(lines):
                self._text(_MARGIN + 12, top - 37 - 13 * place, line, size=9)

        return _Block(tall, draw)

    def _foot(self, number: int, pages: int) -> None:
        page = self.words.page.format(page=number, pages=pages)
        self._line(_FOOT - 12, _RULE, 0.4)
        self._text(_MARGIN + self.room, _FOOT - 24, page, size=7, ink=_SOFT, right=True)
        for place, line in enumerate(wrapped(clean(self.look.small_print), self.room - 80, PLAIN, 7)[:3]):
            self._text(_MARGIN, _FOOT - 24 - 9 * place, line, size=7, ink=_SOFT)

    # How it is put there

    def _cell(self, place: int, top: float, text: str, *, ink: Ink) -> None:
        """A text in a column; the two amounts stand to the right. Names are cut, all else is printed small instead."""
        left, right = self.edges[place], self.edges[place + 1]
        room = right - left - 5
        if place < 2:
            self._text(left, top - 10.5, fitted(text, room, PLAIN, _SIZE), ink=ink)
        else:
            amount = place > 4
            self._text(
                right if amount else left, top - 10.5, text, size=self._size_for(text, room), ink=ink, right=amount
            )

    @staticmethod
    def _size_for(text: str, room: float) -> float:
        needed = width(text, PLAIN, _SIZE)
        return _SIZE if needed <= room else max(4.0, _SIZE * room / needed)

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        face: str = PLAIN,
        size: float = _SIZE,
        ink: Ink = _INK,
        right: bool = False,
    ) -> None:
        """Written in the page's own language, which takes a third of the time that the library's drawing does."""
        x = x - width(text, face, size) if right else x
        font, sheet = getFont(face), self.canvas._doc
        shown = "".join(
            f"{font.getSubsetInternalName(subset, sheet)} {size:.2f} Tf <{letters.hex()}> Tj "
            for subset, letters in font.splitString(text, sheet)
        )
        self.canvas.addLiteral(f"BT {ink} rg 1 0 0 1 {x:.2f} {y:.2f} Tm {shown}ET")

    def _line(self, y: float, ink: Ink, thick: float) -> None:
        right = _MARGIN + self.room
        self.canvas.addLiteral(f"{thick} w {ink} RG {_MARGIN:.2f} {y:.2f} m {right:.2f} {y:.2f} l S")
