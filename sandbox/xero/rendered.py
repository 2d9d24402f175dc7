"""A firm's rows as they go over the wire, each written out once for each version of its paper.

A reader of a large firm asks for thousands of rows again and again, of which hardly any has changed. Were each written
out anew for every answer, whoever measures a reader would be measuring this ledger. So a row's bytes are kept until its
paper changes, and a whole page, packed, until anything in the books does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.documents import NOTHING, Contact, Credit, Invoice
from sandbox.exchange import Answer
from sandbox.organisation import Organisation
from sandbox.packing import gzip_of, stretch
from sandbox.xero.rows import Size, row_of

MOST_PAGES = 500
_encode = msgspec.json.Encoder(decimal_format="number").encode
Owed = tuple[Decimal, Decimal, Decimal, Decimal]
"""Receivable and payable, each as what is outstanding and what of it is overdue."""

NONE_OWED: Owed = (NOTHING,) * 4


@dataclass(slots=True)
class Page:
    """The rows of one page, without the envelope around them; packed when first asked for."""

    rows: list[bytes]
    pagination: dict[str, int] | None
    packed: bytes | None = None


class Rendered:
    """The rows and pages of one firm's books."""

    def __init__(self, firm: Organisation) -> None:
        self._firm = firm
        self._rows: dict[str, dict[tuple[Size, Owed | None], bytes]] = {}
        self._pages: dict[tuple[Any, ...], Page] = {}
        self._owed: tuple[date, dict[str, Owed]] | None = None
        firm.books.watchers.append(self._changed)

    def page(self, question: tuple[Any, ...], select: Callable[[], Any]) -> Page:
        """The page that answers this question, as long as nothing has changed. `select` finds its papers."""
        question = (*question, self._firm.books.today())
        if (page := self._pages.get(question)) is None:
            chosen = select()
            with_balances = question[0] == "Contacts" and chosen.size is Size.FULL
            page = Page([self._row(paper, chosen.size, with_balances) for paper in chosen.papers], chosen.pagination)
            if len(self._pages) >= MOST_PAGES:
                self._pages.clear()
            self._pages[question] = page
        return page

    def balances(self, contact: Contact) -> dict[str, object]:
        """What the contact owes and is owed."""
        owed = self._owed_by(contact)
        sides = {"AccountsReceivable": owed[:2], "AccountsPayable": owed[2:]}
        return {side: {"Outstanding": sums[0], "Overdue": sums[1]} for side, sums in sides.items()}

    def _row(self, paper: Any, size: Size, with_balances: bool) -> bytes:
        owed = self._owed_by(paper) if with_balances and isinstance(paper, Contact) else None
        kept = self._rows.setdefault(paper.id, {})
        if (row := kept.get((size, owed))) is None:
            row = kept[size, owed] = _encode(row_of(paper, size, self.balances if with_balances else None))
        return row

    def _owed_by(self, contact: Contact) -> Owed:
        today = self._firm.books.today()
        if self._owed is None or self._owed[0] != today:
            self._owed = (today, _all_owed(self._firm.books.shelves["Invoices"], today))
        return self._owed[1].get(contact.id, NONE_OWED)

    def _changed(self, kind: str, paper: Any, stamped: bool) -> None:
        self._pages.clear()
        self._rows.pop(paper.id, None)
        if kind == "Invoices":
            self._owed = None
        match paper:
            case Contact() if kind == "Contacts":
                self._forget_papers_of(paper)
            case Invoice():
                for shown in (paper.contact, *paper.payments, *(used.credit for used in paper.allocations)):
                    self._rows.pop(shown.id, None)
            case Credit():
                for used in paper.allocations:
                    self._rows.pop(used.invoice.id, None)

    def _forget_papers_of(self, contact: Contact) -> None:
        """Every paper shows the name of its contact."""
        for kind, shelf in self._firm.books.shelves.items():
            for paper in shelf if kind != "Contacts" and self._rows else ():
                if getattr(paper, "contact", None) is contact:
                    self._rows.pop(paper.id, None)


def answer(envelope: dict[str, object], name: str, page: Page) -> Answer:
    """The page in its envelope, and how to pack it without packing the rows again."""
    if page.pagination is not None:
        envelope["pagination"] = page.pagination
    head = _encode(envelope)[:-1] + f',"{name}":['.encode()
    rows, tail = b",".join(page.rows), b"]}"

    def packed() -> bytes:
        if page.packed is None:
            page.packed = stretch(rows)
        return gzip_of((stretch(head), page.packed, stretch(tail)), head + rows + tail)

    return Answer(200, head + rows + tail, packed=packed)


def _all_owed(invoices: Iterable[Any], today: date) -> dict[str, Owed]:
    sums: dict[str, list[Decimal]] = {}
    for invoice in invoices:
        if isinstance(invoice, Invoice) and invoice.status == "AUTHORISED":
            total = sums.setdefault(invoice.contact.id, list(NONE_OWED))
            side, balance = 0 if invoice.type == "ACCREC" else 2, invoice.balance
            total[side] += balance
            total[side + 1] += balance if invoice.due < today else NOTHING
    return {contact: (total[0], total[1], total[2], total[3]) for contact, total in sums.items()}
