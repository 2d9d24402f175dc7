"""The list of accounts, the largest overdue first: who owes, how old it is, and what happens next.

Several accounts can be ticked, or all that the list holds, and put on another workflow at once.
"""

from collections import defaultdict
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from jobs import assigning
from store import screens
from store.ground import workflows_of
from store.tables import WorkflowRow
from web._pages import number_in, page
from web._visit import Desk, Looking, NotFound, Said, Working, number_of

router = APIRouter()

TABS = {
    "all": ("All", "No account owes anything at the moment."),
    "pending": ("Pending", "No account waits for a person. Reminders that need no decision go out by themselves."),
    "snoozed": ("Snoozed", "No account waits for a day. Accounts come here when their next step has a date."),
    "idle": ("Idle", "No account is at the end of its workflow with money still open."),
    "paused": ("Paused", "No account is paused. You can pause one on its own page."),
}
NAMED = 40
"""How many of the accounts that could not be moved are named; the others are counted."""


@router.get("/accounts")
def accounts(desk: Looking, tab: str = "all", find: str = "", left: str = "") -> Response:
    tab, find = tab if tab in TABS else "all", find.strip()[:100]
    at = number_in(desk.request, "page")
    with desk.office.database.reading() as session:
        listing = screens.accounts(session, desk.id, desk.as_of, tab=tab, find=find, page=at)
        workflows = tuple(workflows_of(session, desk.id).values()) if desk.may_work else ()
    return page(
        desk,
        "accounts.html",
        listing=listing,
        tabs=TABS,
        tab=tab,
        find=find,
        page=at,
        pages=max(1, -(-listing.total // screens.PAGE)),
        link=_link,
        workflows=workflows,
        left=_left(desk, left),
        others=number_in(desk.request, "others", least=0),
    )


@router.post("/accounts/workflow")
def change_workflow(
    desk: Working,
    account: Annotated[list[str], Form()] = [],  # noqa: B006  FastAPI copies it
    everyone: Said = "",
    tab: Said = "all",
    find: Said = "",
    workflow: Said = "",
) -> Response:
    """Moves those that are ticked, or all under this tab that the search finds. The answer names who was not moved."""
    tab, find = tab if tab in TABS else "all", find.strip()[:100]
    chosen = desk.own_number(WorkflowRow, workflow)
    numbers = _all(desk, tab, find) if everyone == "on" else _ticked(desk, account)
    assigned = assigning.assign_workflow(desk.office, numbers, chosen, by=desk.by)
    left = [refusal.account_id for refusal in assigned.refused]
    told = {
        "said": "moved",
        "left": ".".join(map(str, left[:NAMED])),
        "others": str(len(left) - NAMED) if len(left) > NAMED else "",
    }
    return RedirectResponse(_link(tab, find, **told), status_code=303)


def _all(desk: Desk, tab: str, find: str) -> tuple[int, ...]:
    with desk.office.database.reading() as session:
        return screens.accounts_under(session, desk.id, desk.as_of, tab=tab, find=find)


def _ticked(desk: Desk, ticked: list[str]) -> tuple[int, ...]:
    """Raises NotFound when one of them is nobody's, or another organisation's."""
    numbers = {number_of(one) for one in ticked}
    with desk.office.database.reading() as session:
        known = screens.own_accounts(session, desk.id, sorted(numbers))
    if known != numbers:
        raise NotFound
    return tuple(sorted(numbers))


def _left(desk: Desk, left: str) -> tuple[tuple[str, tuple[assigning.Refusal, ...]], ...]:
    """Who was not moved, by the reason. It is asked anew, so that an address can make nobody say anything."""
    numbers = [int(one) for one in left.split(".")[:NAMED] if one.isascii() and one.isdigit() and len(one) < 16]
    if not numbers:
        return ()
    with desk.office.database.reading() as session:
        refused = assigning.refusals(session, desk.id, numbers)
    by_reason: dict[str, list[assigning.Refusal]] = defaultdict(list)
    for refusal in refused:
        by_reason[refusal.why].append(refusal)
    return tuple((why, tuple(theirs)) for why, theirs in by_reason.items())


def _link(tab: str, find: str, page: int = 1, **more: str) -> str:
    asked = {"tab": tab if tab != "all" else "", "find": find, "page": page if page > 1 else "", **more}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/accounts?{query}" if query else "/accounts"
