"""Which papers of a list were asked for, in which order, and which page of them.

With If-Modified-Since the answer holds everything changed in or after that whole second, oldest change first, so that
a reader who continues from the last row seen misses nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sandbox.shelf import Shelf
from sandbox.xero.dates import read_since
from sandbox.xero.rows import IDS, Size
from sandbox.xero.where import Unreadable, read_where

MOST_UNPAGED = 100_000
FORCES_PAGING = ("Statuses", "summaryOnly", "page", "pageSize")
_ORDERS: dict[str, Callable[[Any], Any]] = {
    "updateddateutc": lambda p: p.updated,
    "date": lambda p: p.date,
    "duedate": lambda p: p.due,
    "name": lambda p: p.name,
    "invoicenumber": lambda p: p.number,
} | {name.lower(): lambda p: p.id for name in IDS.values()}


@dataclass(frozen=True, slots=True)
class Selection:
    papers: list[Any]
    size: Size
    pagination: dict[str, int] | None


def select(name: str, shelf: Shelf, query: dict[str, str], since: str | None) -> Selection:
    """Raises Unreadable for a question that Xero would refuse."""
    if since:
        papers = shelf.changed_since(_since(since))
    else:
        ids = _words(query, "IDs")
        papers = shelf.by_change(ids) if ids else shelf.by_change()
    for test in _tests(name, query):
        papers = [paper for paper in papers if test(paper)]
    if order := query.get("order"):
        papers = _ordered(papers, order)
    summary = query.get("summaryOnly", "").lower() == "true"
    if not any(query.get(word) for word in FORCES_PAGING):
        if len(papers) > MOST_UNPAGED:
            raise Unreadable(f"More than {MOST_UNPAGED} rows would be returned; ask for them page by page.")
        return Selection(papers, Size.SLIM, None)
    page, page_size = max(1, _whole(query, "page", 1)), min(1000, max(1, _whole(query, "pageSize", 100)))
    pagination = {
        "page": page,
        "pageSize": page_size,
        "pageCount": -(-len(papers) // page_size),
        "itemCount": len(papers),
    }
    part = papers[(page - 1) * page_size : page * page_size]
    return Selection(part, Size.SUMMARY if summary else Size.FULL, pagination)


def _tests(name: str, query: dict[str, str]) -> list[Callable[[Any], bool]]:
    tests: list[Callable[[Any], bool]] = []
    if name == "Contacts" and query.get("includeArchived", "").lower() != "true":
        tests.append(lambda p: not p.archived)
    if ids := _words(query, "IDs"):
        tests.append(lambda p: p.id.lower() in ids)
    if numbers := _words(query, "InvoiceNumbers"):
        tests.append(lambda p: p.number.lower() in numbers)
    if statuses := _words(query, "Statuses"):
        tests.append(lambda p: p.status.lower() in statuses)
    if contacts := _words(query, "ContactIDs"):
        tests.append(lambda p: _contact_id(p).lower() in contacts)
    if where := query.get("where"):
        tests.append(read_where(where))
    return tests


def _ordered(papers: list[Any], order: str) -> list[Any]:
    for part in reversed(order.split(",")):
        words = part.split() or [""]
        key = _ORDERS.get(words[0].lower())
        if key is None or len(words) > 2 or (len(words) == 2 and words[1].upper() not in ("ASC", "DESC")):
            raise Unreadable(f"The order “{part.strip()}” is not supported.")
        papers = sorted(papers, key=partial(_rank, key), reverse=words[-1].upper() == "DESC")
    return papers


def _rank(key: Callable[[Any], Any], paper: Any) -> tuple[bool, Any]:
    """Papers without such a field come first, as with empty cells in a sheet."""
    try:
        value = key(paper)
    except AttributeError:
        value = None
    return (value is not None, value if value is not None else 0)


def _contact_id(paper: Any) -> str:
    return paper.contact_id if hasattr(paper, "contact_id") else paper.contact.id


def _words(query: dict[str, str], name: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in query.get(name, "").split(",") if word.strip())


def _whole(query: dict[str, str], name: str, otherwise: int) -> int:
    try:
        return int(query.get(name) or otherwise)
    except ValueError:
        raise Unreadable(f"The {name} “{query[name]}” is not a whole number.") from None


def _since(text: str) -> datetime:
    try:
        return read_since(text)
    except (ValueError, TypeError):
        raise Unreadable(f"If-Modified-Since “{text}” is not a time of the form yyyy-mm-ddThh:mm:ss.") from None
