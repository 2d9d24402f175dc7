"""Walking through a list of QuickBooks so that nothing is lost while the books go on changing.

A list is walked by time of change: read a page, then ask for everything changed at or after its last row's time, and so
on. Somebody who pays in the middle of the walk takes a row out of the list; walked by position, that would have pulled
an unread row onto a page already read. Only inside one second, in which an import may have changed thousands, does the
walk step by position. Each page then begins with the last row of the one before: if it does not, rows have gone
meanwhile, and that second is walked again. What the page before has shown is dropped; a row that is changed while the
list is walked goes to its end and is met once more, as it then is. A walk that was cut short is taken up at the
beginning of the second it had come to.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from typing import Any, TypeVar

from connector import Unreachable
from connector._quickbooks_meaning import instant
from connector._quickbooks_pages import Page
from connector._quickbooks_query import Question, since
from connector._quickbooks_rows import Document

R = TypeVar("R", bound=Document)
TURNS = 1_000
"""More pages than any company's list has. Whoever reaches this goes round in circles."""


@dataclass(slots=True)
class _Place:
    """Where the walk is: the time of the last row met, the position inside that second, and the page before.

    No more is remembered than that page, so a walk through a large list takes no more room than one through a small.
    """

    moment: str = ""
    at: datetime | None = None
    start: int = 1
    met: set[str] = field(default_factory=set)
    last: str = ""


def walk(ask: Callable[[Question], Page[R]], question: Question, beginning: str = "") -> Iterator[Page[R]]:
    """Every row that fits the question all the while; one that changes on the way comes again, as it then is.

    `beginning` is a moment in ISO 8601.

    Raises Unreachable when QuickBooks' own order makes no sense, and whatever `ask` raises.
    """
    place = _Place(beginning, instant(beginning))
    for _ in range(TURNS):
        conditions = (since(place.moment),) if place.moment else ()
        asked = replace(question.also(*conditions), in_order=True, start=place.start)
        page = ask(asked)
        if place.start > 1 and not _leads_on(page, place):
            place.start = 1  # rows have gone from under us
            continue
        fresh, ends = _fresh(page, place), page.length < asked.most
        if not ends:
            _move(page, place, asked.most)
        yield replace(fresh, ends=ends, onward=place.moment)
        if ends:
            return
    raise Unreachable(
        f"QuickBooks' list of {question.entity} does not come to an end. It will be read again; if this goes on, send "
        "this run to support."
    )


def _leads_on(page: Page[Any], place: _Place) -> bool:
    """Whether a page by position begins with the row that ended the one before."""
    return page.length > 0 and page.first == place.last


def _fresh(page: Page[R], place: _Place) -> Page[R]:
    """The page without what the one before has shown."""
    kept = [number for number, row in enumerate(page.rows) if row.id not in place.met]
    aside = tuple(odd for odd in page.set_aside if not odd.ledger_id or odd.ledger_id not in place.met)
    place.met = {row.id for row in page.rows} | {odd.ledger_id for odd in page.set_aside}
    raw = page.raw

    def raw_of(number: int) -> str:
        return raw(kept[number])

    return replace(page, rows=tuple(page.rows[number] for number in kept), set_aside=aside, raw=raw_of)


def _move(page: Page[Any], place: _Place, size: int) -> None:
    place.last = page.last
    newest = next((row for row in reversed(page.rows) if instant(row.updated) is not None), None)
    at = instant(newest.updated) if newest else None
    if newest is not None and newest.updated and at is not None and (place.at is None or at > place.at):
        # The last second begins on this page, so what was met of it is not read again, but for the last row.
        met = sum(1 for _ in takewhile(lambda row: instant(row.updated) == at, reversed(page.rows)))
        place.moment, place.at, place.start = newest.updated, at, max(met, 1)
    else:
        place.start += size - 1
