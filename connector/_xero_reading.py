"""Walking through Xero's lists so that nothing is lost while the books go on changing.

A list is walked by time of change: read a page, then ask for everything changed since a second before its last row,
and so on. Somebody who pays in the middle of the walk moves a row to the end, where it is met again; walked by page
number, it would have pulled an unread row onto a page already read. When a whole page was changed within one second, as
by an import, time does not lead on, and only then the walk goes by number.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from connector import Cursor, Records, Unreachable
from connector import _xero_pages as pages
from connector._transport import Transport
from engine.receivables import Account, Credit, Invoice

AT_ONCE = 40
"""Ids in one question, as Xero recommends. https://developer.xero.com/documentation/api/accounting/invoices"""

HOURLY = timedelta(hours=1)
SALES = 'Type=="ACCREC"'
SALES_CREDITS = 'Type=="ACCRECCREDIT"'
OPEN = 'Status=="AUTHORISED"'
BEGINNING = datetime(2006, 1, 1, tzinfo=UTC)
"""Before Xero was: a list whose mark is missing from a cursor is read from here."""

T = TypeVar("T")


class Reading:
    """All that is read from one organisation's lists. `page_size`: 1 to 1,000 rows; `overlap` is read twice."""

    def __init__(self, line: Transport, *, page_size: int, overlap: timedelta) -> None:
        self._line = line
        self._api = line.api
        self._page_size = page_size
        self._overlap = overlap

    def everything_open(self) -> Iterator[Records]:
        """Open invoices, credits with something left, and contacts. Whatever leaves the open ledger meanwhile comes
        with the next `changes`, because the cursor is the moment at which this began.
        """
        started: datetime | None = None
        owing: set[str] = set()
        for page in self._walk(pages.INVOICES, self._api.get_invoices, None, statuses=["AUTHORISED"], where=SALES):
            started = started or page.at
            owing.update(invoice.account_ledger_id for invoice in page.found)
            yield _invoices(page)
        for credits_page in self._credits(None):
            left = tuple(credit for credit in credits_page.found if credit.remaining > 0)
            owing.update(credit.account_ledger_id for credit in left)
            yield _credits(replace(credits_page, found=left))
        yield from self._contacts_of(owing)
        moment = _written(_known(started))
        yield Records(cursor={"invoices": moment, "credits": moment, "contacts": moment})

    def changes(self, since: Cursor) -> Iterator[Records]:
        """Changed invoices each time; changed credits and contacts when an hour has passed on Xero's clock."""
        started: datetime | None = None
        shown: set[tuple[str, str]] = set()
        for page in self._walk(pages.INVOICES, self._api.get_invoices, self._from(since, "invoices"), where=SALES):
            started = started or page.at
            shown.update(
                (invoice.ledger_id, used.ledger_id) for invoice in page.found for used in invoice.allocations or ()
            )
            yield _invoices(page)
        # Without a word from Xero about the time (a bare "not modified") we stay where we were.
        now = started or _mark(since, "invoices")
        cursor = {**since, "invoices": _written(now)}
        if now - _mark(since, "credits") >= HOURLY:
            yield from self._changed_credits(self._from(since, "credits"), shown)
            cursor["credits"] = _written(now)
        if now - _mark(since, "contacts") >= HOURLY:
            contacts_since = self._from(since, "contacts")
            walk = self._walk(pages.CONTACTS, self._api.get_contacts, contacts_since, include_archived=True)
            yield from map(_accounts, walk)
            cursor["contacts"] = _written(now)
        yield Records(cursor=cursor)

    def invoices(self, ids: Sequence[str], listing: pages.Listing[Any, Invoice]) -> Iterator[Records]:
        """Exactly these invoices, as `SUMMARIES` or whole."""
        summary = {"summary_only": True} if listing is pages.SUMMARIES else {}
        for batch in _batches(ids):
            # A page is asked for because an unpaged answer leaves half of each row out.
            yield _invoices(self._page(listing, self._api.get_invoices, None, 1, i_ds=batch, **summary))

    def accounts(self, ids: Sequence[str]) -> Iterator[Records]:
        """Exactly these contacts, archived or merged ones too."""
        for batch in _batches(ids):
            listing, ask = pages.CONTACTS_ASKED_FOR, self._api.get_contacts
            yield _accounts(self._page(listing, ask, None, 1, i_ds=batch, include_archived=True))

    def _changed_credits(self, since: datetime, shown: set[tuple[str, str]]) -> Iterator[Records]:
        used_on: set[str] = set()
        for page in self._credits(since):
            used_on.update(
                used.ledger_id
                for credit in page.found
                for used in credit.allocations
                if (used.ledger_id, credit.ledger_id) not in shown
            )
            yield _credits(page)
        # Whether using a credit counts as a change of the invoice is not documented, so those invoices are fetched.
        yield from self.invoices(sorted(used_on), pages.INVOICES)

    def _credits(self, since: datetime | None) -> Iterator[pages.Page[Credit]]:
        open_only = since is None
        notes = f"{SALES_CREDITS} AND {OPEN}" if open_only else SALES_CREDITS
        yield from self._walk(pages.CREDIT_NOTES, self._api.get_credit_notes, since, where=notes)
        # The order by time of change is Xero's default for credit notes, but not documented for these two.
        others: dict[str, Any] = {"order": "UpdatedDateUTC ASC"} | ({"where": OPEN} if open_only else {})
        yield from self._walk(pages.OVERPAYMENTS, self._api.get_overpayments, since, **others)
        yield from self._walk(pages.PREPAYMENTS, self._api.get_prepayments, since, **others)

    def _contacts_of(self, owing: set[str]) -> Iterator[Records]:
        """All the contacts, or only those that matter now, whichever takes fewer calls."""
        walk = self._walk(pages.CONTACTS, self._api.get_contacts, None, include_archived=True)
        first = next(walk)
        yield _accounts(first)
        if math.ceil((first.total or 0) / self._page_size) <= math.ceil(len(owing) / AT_ONCE):
            yield from map(_accounts, walk)
        else:
            yield from self.accounts(sorted(owing - {account.ledger_id for account in first.found}))

    def _walk(
        self, listing: pages.Listing[Any, T], ask: Any, since: datetime | None, **filters: Any
    ) -> Iterator[pages.Page[T]]:
        number, announced = 1, None
        while True:
            page = self._page(listing, ask, since, number, **filters)
            announced = page.total if announced is None else announced
            yield replace(page, total=announced)
            if page.is_last(number, self._page_size):
                return
            if page.onward is not None and (since is None or page.onward > since):
                since, number = page.onward, 1
            else:
                number += 1

    def _page(
        self, listing: pages.Listing[Any, T], ask: Any, since: datetime | None, number: int, **filters: Any
    ) -> pages.Page[T]:
        if since is not None:
            filters["if_modified_since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        answer = self._line.call(
            f"reading {listing.name}", ask, read=listing.read, page=number, page_size=self._page_size, **filters
        )
        return replace(answer.said, at=answer.said.at or answer.at)

    def _from(self, since: Cursor, name: str) -> datetime:
        return _mark(since, name) - self._overlap


def _invoices(page: pages.Page[Invoice]) -> Records:
    return Records(invoices=page.found, set_aside=page.set_aside, expected=page.total)


def _credits(page: pages.Page[Credit]) -> Records:
    return Records(credits=page.found, set_aside=page.set_aside, expected=page.total)


def _accounts(page: pages.Page[Account]) -> Records:
    return Records(accounts=page.found, set_aside=page.set_aside, expected=page.total)


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    once = list(dict.fromkeys(ids))
    for start in range(0, len(once), AT_ONCE):
        yield once[start : start + AT_ONCE]


def _mark(cursor: Cursor, name: str) -> datetime:
    return datetime.fromisoformat(cursor[name]) if name in cursor else BEGINNING


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _known(started: datetime | None) -> datetime:
    # Our own clock would not do: were it ahead of Xero's, changes would be stepped over.
    if started is None:
        raise Unreachable("Xero's answer does not say what time it is there, so nobody could tell where to go on.")
    return started
