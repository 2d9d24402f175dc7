"""Change data capture: everything of some lists that changed since a moment, in one answer, and at most 1,000 of it.

Within a list the rows come in the order of their change, and after all of them the tombstones of what was deleted; so
an answer that was cut off has lost deletions without saying so. Nothing older than 30 days is remembered.
(https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture)
"""

from datetime import datetime, timedelta

from sandbox.quickbooks.company import Company
from sandbox.quickbooks.dates import read
from sandbox.quickbooks.query import EMPTY
from sandbox.quickbooks.refusals import Invalid
from sandbox.quickbooks.rows import shown
from sandbox.quickbooks.sheets import Sheet

LOOK_BACK = timedelta(days=30)
NEVER = ("JournalCode", "TimeActivity", "TaxAgency", "TaxCode", "TaxRate")


def changes(company: Company, query: dict[str, str], now: datetime, *, cut_off: bool = False) -> bytes:
    """The groups of the answer, as JSON. `cut_off` makes it look like one of a thousand rows that lost its end."""
    names = [name.strip() for name in query.get("entities", "").split(",") if name.strip()]
    try:
        since = max(read(query.get("changedSince", "")), now - LOOK_BACK)
    except ValueError:
        raise Invalid(
            "4001", "Invalid query", f"changedSince “{query.get('changedSince', '')}” is not a time."
        ) from None
    left, groups = company.habits.cdc_most, []
    for name in names:
        if name in NEVER or (name not in company.files and name not in EMPTY):
            raise Invalid("4001", "Invalid query", f"The entity {name} is not supported by change data capture.")
        sheets = _changed(company, name, since) if name in company.files else []
        sheets = _padded(company, name, sheets, left) if cut_off else sheets[: max(0, left)]
        if company.habits.cdc_shared:
            left -= len(sheets)
        groups.append(_group(company, name, sheets))
    return b'[{"QueryResponse":[' + b",".join(groups) + b"]}]"


def _changed(company: Company, name: str, since: datetime) -> list[Sheet]:
    found = company.files[name].changed_since(since.replace(microsecond=0))
    return [sheet for sheet in found if not sheet.deleted] + [sheet for sheet in found if sheet.deleted]


def _padded(company: Company, name: str, sheets: list[Sheet], most: int) -> list[Sheet]:
    """As many rows as an answer can hold, none of them a tombstone: some come more than once, which harms nobody."""
    live = [sheet for sheet in sheets if not sheet.deleted] or [x for x in company.files[name] if not x.deleted][:1]
    return (live * (most // len(live) + 1))[:most] if live else []


def _group(company: Company, name: str, sheets: list[Sheet]) -> bytes:
    if not sheets:
        return b"{}"
    rows = b",".join(shown(company, sheet) for sheet in sheets)
    return b'{"%s":[%s],"startPosition":1,"maxResults":%d,"totalCount":%d}' % (
        name.encode(),
        rows,
        len(sheets),
        len(sheets),
    )
