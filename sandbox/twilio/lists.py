"""Lists of texts and of calls: filtered, newest first, a page at a time.

The next page is named by an address that the answer gives; its PageToken says after which row to go on, so rows that
came in meanwhile shift nothing.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sandbox.exchange import Answer, Request
from sandbox.twilio.account import ACCOUNT
from sandbox.twilio.refusals import Refusal
from sandbox.twilio.rows import call_row, text_row

USUAL, MOST = 50, 1000


class Kind(NamedTuple):
    """How one kind of record is shown, and what a list of it may be asked for: words that are equal, and hours."""

    row: Callable[[Any, str], dict[str, Any]]
    words: dict[str, str]
    hours: dict[str, str]


TEXTS = Kind(text_row, {"To": "to", "From": "from_"}, {"DateSent": "sent"})
CALLS = Kind(
    call_row,
    {"To": "to", "From": "from_", "Status": "status", "ParentCallSid": "parent"},
    {"StartTime": "started", "EndTime": "finished"},
)


def listed(request: Request, name: str, records: list[Any], kind: Kind) -> Answer:
    """One page. Raises Refusal for a filter that cannot be read."""
    asked = request.query
    wanted = [x for x in reversed(records) if _fits(x, asked, kind)]
    size = _size(asked)
    page = int(asked.get("Page") or 0)
    start = page * size
    if after := asked.get("PageToken", "")[2:]:
        start = next((place for place, x in enumerate(wanted, 1) if x.sid == after), len(wanted))
    rows = wanted[start : start + size]
    filters = {key: value for key, value in asked.items() if key not in ("Page", "PageToken", "PageSize")}

    def address(number: int, token: str = "") -> str:
        place = {"PageSize": str(size), "Page": str(number)} | ({"PageToken": token} if token else {})
        return f"{request.path[request.path.index('/2010') :]}?{urlencode(filters | place)}"

    more = start + size < len(wanted)
    return Answer.json(
        {
            "first_page_uri": address(0),
            "end": page * size + max(len(rows) - 1, 0),
            "previous_page_uri": address(page - 1) if page else None,
            name: [kind.row(x, ACCOUNT) for x in rows],
            "uri": address(page, asked.get("PageToken", "")),
            "page_size": size,
            "start": page * size,
            "next_page_uri": address(page + 1, f"PA{rows[-1].sid}") if more else None,
            "page": page,
        }
    )


def _size(asked: dict[str, str]) -> int:
    written = asked.get("PageSize") or str(USUAL)
    if not written.isdigit() or not 1 <= int(written) <= MOST:
        raise Refusal(20001)
    return int(written)


def _fits(record: Any, asked: dict[str, str], kind: Kind) -> bool:
    """A day without an hour is the whole day; `DateSent>=2026-01-05` comes as the name `DateSent>`."""
    for name, field in kind.words.items():
        if asked.get(name) and getattr(record, field) != asked[name]:
            return False
    for name, field in kind.hours.items():
        for sign in ("", "<", ">"):
            if (written := asked.get(name + sign)) and not _in_time(getattr(record, field), sign, written):
                return False
    return True


def _in_time(at: datetime | None, sign: str, written: str) -> bool:
    if at is None:
        return False
    try:
        if len(written) == len("2026-01-05"):
            there: date = at.astimezone(UTC).date()
            limit = date.fromisoformat(written)
            return there == limit if not sign else there <= limit if sign == "<" else there >= limit
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise Refusal(20001) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return at == moment if not sign else at <= moment if sign == "<" else at >= moment
