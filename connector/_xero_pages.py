"""One page of a list from Xero: the rows that make sense, the rows put aside, and where the next page begins."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from connector import SetAside
from connector import _xero_meaning as meaning
from connector import _xero_rows as rows
from connector._sense import Odd
from engine.receivables import Account, Credit, Invoice

XERO_PAGE = 100
"""Rows on a page when Xero does not honour `pageSize`. An answer shorter than this is surely the last."""

R = TypeVar("R", bound="rows.ContactRow | rows.InvoiceRow | rows.CreditRow")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`at` is Xero's clock; `onward` is where a walk by time of change may go on, None when it may not.

    `ids` are those of all the rows that came, also of the ones that mean nothing to us or were put aside.
    """

    found: tuple[T, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    ids: frozenset[str] = frozenset()
    length: int = 0
    at: datetime | None = None
    total: int | None = 0
    pages: int | None = 0
    onward: datetime | None = None
    last: bool = True

    def is_last(self, number: int, page_size: int) -> bool:
        if self.pages is not None:
            return number >= self.pages
        return self.length < min(page_size, XERO_PAGE)


class Listing(Generic[R, T]):
    """One of Xero's lists: its name, the shape of its rows, and what a row means."""

    def __init__(self, name: str, id_name: str, row: type[R], means: Callable[[R], T | None]) -> None:
        self.name = name
        self._id_name = id_name
        self._meaning = means
        # Lenient, because Xero writes amounts and yes/no now as they are and now as text.
        self._row = msgspec.json.Decoder(row, strict=False)
        self._rows = msgspec.json.Decoder(_envelope(name, row), strict=False)
        self._raw_rows = msgspec.json.Decoder(_envelope(name, Raw))

    def read(self, body: bytes) -> Page[T]:
        """One answer of Xero's, understood; without a body it is an empty page. Raises msgspec.DecodeError."""
        if not body:
            return Page()
        found: list[T] = []
        set_aside: list[SetAside] = []
        changes: list[datetime | None] = []
        ids: set[str] = set()
        try:
            page = self._rows.decode(body)
            alone: list[Raw] = []
        except msgspec.ValidationError:
            page = self._raw_rows.decode(body)
            alone = page.rows
        for place, row in enumerate(page.rows):
            changed = None
            try:
                readable = self._row.decode(row) if alone else row
                ids.add(readable.id)
                changed = meaning.instant(readable.updated)
                meant = self._meaning(readable)
                if meant is not None:
                    found.append(meant)
            except (Odd, msgspec.ValidationError) as odd:
                raw = row if alone else self._raw_rows.decode(body).rows[place]
                set_aside.append(self._put_aside(bytes(raw), odd))
                ids.add(set_aside[-1].ledger_id)
            changes.append(changed)
        paging = page.pagination
        return Page(
            found=tuple(found),
            set_aside=tuple(set_aside),
            ids=frozenset(ids),
            length=len(changes),
            at=meaning.instant(page.at),
            total=paging.item_count if paging else None,
            pages=paging.page_count if paging else None,
            onward=_onward(changes),
        )

    def _put_aside(self, raw: bytes, odd: Exception) -> SetAside:
        reason = str(odd) if isinstance(odd, Odd) else f"It is not written as Xero describes it: {odd}."
        row = json.loads(raw)
        ledger_id = row.get(self._id_name) if isinstance(row, dict) else None
        return SetAside(list=self.name, ledger_id=str(ledger_id or ""), reason=reason, raw=raw.decode())


def _onward(changes: list[datetime | None]) -> datetime | None:
    """A second before the last change of a page, to the whole second, because that is how exactly Xero compares.

    Only if the page came in order of change: otherwise a walk by time would step over rows.
    """
    known = [change for change in changes if change is not None]
    if not known or any(later < earlier for earlier, later in pairwise(known)):
        return None
    return known[-1].replace(microsecond=0) - timedelta(seconds=1)


class _Paging(msgspec.Struct, rename="camel"):
    page_count: int | None = None
    item_count: int | None = None


def _envelope(name: str, row: Any) -> Any:
    return msgspec.defstruct(
        f"{name}Page",
        [
            ("rows", list[row], msgspec.field(name=name)),
            ("pagination", _Paging | None, None),
            ("at", str | None, msgspec.field(name="DateTimeUTC", default=None)),
        ],
    )


CONTACTS: Listing[rows.ContactRow, Account] = Listing("Contacts", "ContactID", rows.ContactRow, meaning.account_of)
CONTACTS_ASKED_FOR: Listing[rows.ContactRow, Account] = Listing(
    "Contacts", "ContactID", rows.ContactRow, meaning.account
)
INVOICES: Listing[rows.InvoiceRow, Invoice] = Listing("Invoices", "InvoiceID", rows.InvoiceRow, meaning.sales_invoice)
SUMMARIES: Listing[rows.InvoiceRow, Invoice] = Listing(
    "Invoices", "InvoiceID", rows.InvoiceRow, meaning.summary_invoice
)
CREDIT_NOTES: Listing[rows.CreditRow, Credit] = Listing("CreditNotes", "CreditNoteID", rows.CreditRow, meaning.credit)
OVERPAYMENTS: Listing[rows.CreditRow, Credit] = Listing("Overpayments", "OverpaymentID", rows.CreditRow, meaning.credit)
PREPAYMENTS: Listing[rows.CreditRow, Credit] = Listing("Prepayments", "PrepaymentID", rows.CreditRow, meaning.credit)
