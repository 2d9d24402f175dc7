"""What is read of one organisation, and when: the first reading, the changes since, and the nightly check.

Changed invoices are asked for each time, credits and contacts once an hour, all the contacts once a week, because a few
of their changes (from which side the balance comes, for one) do not count as changes at Xero. What does not count as a
change of an invoice (a new due date on a part-paid one) is caught by the nightly check, by a doorbell that names the
invoice, and always by looking again before anything is sent.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from connector import Cursor, Gone, Records
from connector import _xero_pages as pages
from connector._transport import Transport
from connector._xero_cursor import BEGINNING, Begun, finished, known, mark, moved
from connector._xero_walking import AT_ONCE, Walk
from engine.receivables import Account, Credit, Invoice

HOURLY = timedelta(hours=1)
WEEKLY = timedelta(days=7)
SALES = 'Type=="ACCREC"'
SALES_CREDITS = 'Type=="ACCRECCREDIT"'
OPEN = 'Status=="AUTHORISED"'
FIRST_ORDER = ("invoices", "credit notes", "overpayments", "prepayments", "contacts", "end")
"""The lists of a first reading, in the order in which they are read."""


class Reading:
    """All that is read from one organisation's lists. `page_size`: 1 to 1,000 rows; `overlap` is read twice."""

    def __init__(self, line: Transport, *, page_size: int, overlap: timedelta) -> None:
        self._walk = Walk(line, page_size=page_size)
        self._api = line.api
        self._overlap = overlap

    def everything_open(self, resumed: Begun | None = None, also: Collection[str] = ()) -> Iterator[Records]:
        """Open invoices, credits with something left, and contacts. Whatever leaves the open ledger meanwhile comes
        with the next `changes`, because the cursor is the moment at which this began.
        """
        began = resumed
        # Who owes is known only to a reading that saw all the invoices and credits itself.
        owing: set[str] | None = None if resumed else set()
        missing = set(also)
        for name, after in pairwise(FIRST_ORDER[FIRST_ORDER.index(resumed.list if resumed else FIRST_ORDER[0]) :]):
            since = resumed.since if resumed and resumed.list == name else None
            for records, page in self._open_pages(name, since, owing):
                began = began or Begun(known(page.at), name)
                missing -= page.ids
                onward = Begun(began.at, after) if page.last else Begun(began.at, name, page.onward)
                yield replace(records, resume=onward.cursor())
        assert began is not None
        for records in self.invoices(sorted(missing), pages.INVOICES):
            yield replace(records, resume=Begun(began.at, FIRST_ORDER[-1]).cursor())
        yield Records(cursor=finished(began.at))

    def changes(self, since: Cursor, also: Collection[str] = ()) -> Iterator[Records]:
        """Changed invoices each time; changed credits and contacts when an hour has passed on Xero's clock."""
        now: datetime | None = None
        shown: set[tuple[str, str]] = set()
        missing = set(also)
        for page in self._walk.through(
            pages.INVOICES, self._api.get_invoices, self._from(since, "invoices"), where=SALES
        ):
            now = now or page.at
            missing -= page.ids
            shown.update(
                (invoice.ledger_id, used.ledger_id) for invoice in page.found for used in invoice.allocations or ()
            )
            yield replace(_invoices(page), resume=self._come_to(since, "invoices", page, now))
        # Without a word from Xero about the time (a bare "not modified") we stay where we were.
        now = now or mark(since, "invoices")
        cursor: Cursor = moved(since, invoices=now)
        for records in self.invoices(sorted(missing), pages.INVOICES):
            yield replace(records, resume=cursor)
        if now - mark(since, "credits") >= HOURLY:
            for records in self._changed_credits(self._from(since, "credits"), shown):
                yield replace(records, resume=cursor)
            cursor = moved(cursor, credits=now)
        if now - mark(since, "contacts") >= HOURLY:
            whole = now - mark(since, "contacts_whole") >= WEEKLY
            cursor = moved(cursor, contacts_whole=now) if whole else cursor
            for contacts in self._contacts(None if whole else self._from(since, "contacts")):
                yield replace(_accounts(contacts), resume=self._come_to(cursor, "contacts", contacts, now))
            cursor = moved(cursor, contacts=now)
        yield Records(cursor=cursor)

    def open_ledger(self, open_ids: Collection[str]) -> Iterator[Records]:
        """Everything open, as summaries; then, whole, those of `open_ids` that were not among it."""
        missing = set(open_ids)
        ask, filters = self._api.get_invoices, {"statuses": ["AUTHORISED"], "where": SALES, "summary_only": True}
        for page in self._walk.through(pages.SUMMARIES, ask, None, **filters):
            missing -= page.ids
            yield _invoices(page)
        for batch, page in self._walk.by_ids(pages.INVOICES, ask, sorted(missing)):
            gone = tuple(Gone("invoices", one, page.at) for one in batch if one not in page.ids)
            yield replace(_invoices(page), gone=gone)

    def invoices(self, ids: Collection[str], listing: pages.Listing[Any, Invoice]) -> Iterator[Records]:
        """Exactly these invoices, as `SUMMARIES` or whole."""
        summary = {"summary_only": True} if listing is pages.SUMMARIES else {}
        for _, page in self._walk.by_ids(listing, self._api.get_invoices, ids, **summary):
            yield _invoices(page)

    def accounts(self, ids: Collection[str]) -> Iterator[Records]:
        """Exactly these contacts, archived or merged ones too."""
        for page in self._contacts_asked_for(ids):
            yield _accounts(page)

    def _open_pages(
        self, name: str, since: datetime | None, owing: set[str] | None
    ) -> Iterator[tuple[Records, pages.Page[Any]]]:
        match name:
            case "invoices":
                return self._open_invoices(since, owing)
            case "contacts":
                return self._contacts_of(since, owing)
            case _:
                return self._open_credits(name, since, owing)

    def _open_invoices(
        self, since: datetime | None, owing: set[str] | None
    ) -> Iterator[tuple[Records, pages.Page[Any]]]:
        ask = self._api.get_invoices
        for page in self._walk.through(pages.INVOICES, ask, since, statuses=["AUTHORISED"], where=SALES):
            if owing is not None:
                owing.update(invoice.account_ledger_id for invoice in page.found)
            yield _invoices(page), page

    def _open_credits(
        self, name: str, since: datetime | None, owing: set[str] | None
    ) -> Iterator[tuple[Records, pages.Page[Any]]]:
        listing, ask, filters = self._credit_lists(open_only=True)[name]
        for page in self._walk.through(listing, ask, since, **filters):
            left = tuple(credit for credit in page.found if credit.remaining > 0)
            if owing is not None:
                owing.update(credit.account_ledger_id for credit in left)
            yield _credits(replace(page, found=left)), page

    def _contacts_of(self, since: datetime | None, owing: set[str] | None) -> Iterator[tuple[Records, pages.Page[Any]]]:
        """All the contacts, or only those that matter now, whichever takes fewer calls."""
        walk = self._contacts(since)
        first = next(walk)
        yield _accounts(first), first
        calls_for_all = math.ceil((first.total or 0) / self._walk.page_size)
        if owing is None or calls_for_all <= math.ceil(len(owing) / AT_ONCE):
            yield from ((_accounts(page), page) for page in walk)
            return
        for page in self._contacts_asked_for(sorted(owing - {account.ledger_id for account in first.found})):
            # Cut short here, another reading does not know who owes and goes on with all of them.
            yield _accounts(page), replace(page, onward=first.onward, last=first.last)

    def _changed_credits(self, since: datetime, shown: set[tuple[str, str]]) -> Iterator[Records]:
        used_on: set[str] = set()
        for listing, ask, filters in self._credit_lists(open_only=False).values():
            for page in self._walk.through(listing, ask, since, **filters):
                used_on.update(
                    used.ledger_id
                    for credit in page.found
                    for used in credit.allocations
                    if (used.ledger_id, credit.ledger_id) not in shown
                )
                yield _credits(page)
        # Whether using a credit counts as a change of the invoice is not documented, so those invoices are fetched.
        yield from self.invoices(sorted(used_on), pages.INVOICES)

    def _credit_lists(self, *, open_only: bool) -> dict[str, tuple[pages.Listing[Any, Credit], Any, dict[str, Any]]]:
        notes = f"{SALES_CREDITS} AND {OPEN}" if open_only else SALES_CREDITS
        # The order by time of change is Xero's default for credit notes, but not documented for the other two.
        others: dict[str, Any] = {"order": "UpdatedDateUTC ASC"} | ({"where": OPEN} if open_only else {})
        return {
            "credit notes": (pages.CREDIT_NOTES, self._api.get_credit_notes, {"where": notes}),
            "overpayments": (pages.OVERPAYMENTS, self._api.get_overpayments, others),
            "prepayments": (pages.PREPAYMENTS, self._api.get_prepayments, others),
        }

    def _contacts(self, since: datetime | None) -> Iterator[pages.Page[Account]]:
        return self._walk.through(pages.CONTACTS, self._api.get_contacts, since, include_archived=True)

    def _contacts_asked_for(self, ids: Collection[str]) -> Iterator[pages.Page[Account]]:
        ask = self._api.get_contacts
        for _, page in self._walk.by_ids(pages.CONTACTS_ASKED_FOR, ask, ids, include_archived=True):
            yield page

    def _from(self, since: Cursor, name: str) -> datetime:
        return mark(since, name) - self._overlap

    def _come_to(self, cursor: Cursor, name: str, page: pages.Page[Any], now: datetime | None) -> Cursor:
        """The cursor with that mark moved as far as this page has come.

        A reading begins an overlap before its mark, and nothing needs to be read twice that is older than the overlap.
        """
        now = now or mark(cursor, name)
        if page.last:
            return moved(cursor, **{name: now})
        return moved(cursor, **{name: min((page.onward or BEGINNING) + self._overlap, now)})


def _invoices(page: pages.Page[Invoice]) -> Records:
    return Records(invoices=page.found, set_aside=page.set_aside, expected=page.total)


def _credits(page: pages.Page[Credit]) -> Records:
    return Records(credits=page.found, set_aside=page.set_aside, expected=page.total)


def _accounts(page: pages.Page[Account]) -> Records:
    return Records(accounts=page.found, set_aside=page.set_aside, expected=page.total)
