"""Walking through one of Xero's lists so that nothing is lost while the books go on changing.

A list is walked by time of change: read a page, then ask for everything changed since a second before its last row,
and so on. Somebody who pays in the middle of the walk moves a row to the end, where it is met again; walked by page
number, it would have pulled an unread row onto a page already read. When a whole page was changed within one second, as
by an import, time does not lead on, and only then the walk goes by number.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from connector import _xero_pages as pages
from connector._transport import Transport

AT_ONCE = 40
"""Ids in one question, as Xero recommends. https://developer.xero.com/documentation/api/accounting/invoices"""

T = TypeVar("T")


class Walk:
    """Any list of one organisation, page by page. `page_size`: 1 to 1,000 rows."""

    def __init__(self, line: Transport, *, page_size: int) -> None:
        self._line = line
        self.page_size = page_size

    def through(
        self, listing: pages.Listing[Any, T], ask: Any, since: datetime | None, **filters: Any
    ) -> Iterator[pages.Page[T]]:
        """All the pages from there on. Each says in `onward` where another walk may take over after it.

        Within one second that place is the second's beginning: by the time that somebody goes on there, the numbers of
        its pages may have moved.
        """
        number, announced = 1, None
        while True:
            page = self._page(listing, ask, since, number, **filters)
            announced = page.total if announced is None else announced
            last = page.is_last(number, self.page_size)
            leads_on = page.onward is not None and (since is None or page.onward > since)
            since, number = (page.onward, 1) if leads_on else (since, number + 1)
            yield replace(page, total=announced, onward=since, last=last)
            if last:
                return

    def by_ids(
        self, listing: pages.Listing[Any, T], ask: Any, ids: Collection[str], **filters: Any
    ) -> Iterator[tuple[list[str], pages.Page[T]]]:
        """Exactly these rows, with the ids that each page was asked for."""
        once = list(dict.fromkeys(ids))
        for start in range(0, len(once), AT_ONCE):
            batch = once[start : start + AT_ONCE]
            # A page is asked for because an unpaged answer leaves half of each row out; it must hold them all.
            size = max(self.page_size, AT_ONCE)
            yield batch, self._page(listing, ask, None, 1, size=size, i_ds=batch, **filters)

    def _page(
        self,
        listing: pages.Listing[Any, T],
        ask: Any,
        since: datetime | None,
        number: int,
        *,
        size: int | None = None,
        **filters: Any,
    ) -> pages.Page[T]:
        if since is not None:
            filters["if_modified_since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        answer = self._line.call(
            f"reading {listing.name}", ask, read=listing.read, page=number, page_size=size or self.page_size, **filters
        )
        return replace(answer.said, at=answer.said.at or answer.at)
