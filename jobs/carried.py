"""Which call carried which page: the answer to "from which call did we learn that?".

A ledger is read page by page, and the calls that were made since the page before are the ones that a page can have come
with. Mostly it is one; where a ledger made several before it spoke, all of them are named rather than a wrong one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from connector import Call, Records
from store.tables import SyncRunRow


def with_their_calls(calls: Sequence[Call], pages: Iterable[Records]) -> Iterator[Records]:
    """The same pages, each with the calls that may have carried it. `calls` grows while the pages are read."""
    before = len(calls)
    span = (0, 0)
    for page in pages:
        if len(calls) > before:
            span = _span(calls, before)
        before = len(calls)
        yield replace(page, carried_by=span)


def _span(calls: Sequence[Call], before: int) -> tuple[int, int]:
    """The first and the last call since then that was answered well; of all, where none was. Counted from 1."""
    since = range(before + 1, len(calls) + 1)
    good = [number for number in since if 200 <= calls[number - 1].status < 300] or since
    return good[0], good[-1]


def put_down_calls(row: SyncRunRow, calls: Sequence[Call]) -> None:
    """Every call of a sync run, as its log keeps it."""
    row.calls = [_call(call) for call in calls]
    row.call_count, row.bytes = len(calls), sum(call.bytes for call in calls)


def _call(call: Call) -> dict[str, Any]:
    return {
        "at": call.at.isoformat(),
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "bytes": call.bytes,
        "seconds": round(call.seconds, 4),
        "request_id": call.request_id,
    }
