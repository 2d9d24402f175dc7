"""The list of accounts, the largest overdue first: who owes, how old it is, and what happens next."""

from urllib.parse import urlencode

from fastapi import APIRouter, Response

from store import screens
from web._pages import number_in, page
from web._visit import Looking

router = APIRouter()

TABS = {
    "all": ("All", "No account owes anything at the moment."),
    "pending": ("Pending", "No account waits for a person. Reminders that need no decision go out by themselves."),
    "snoozed": ("Snoozed", "No account waits for a day. Accounts come here when their next step has a date."),
    "idle": ("Idle", "No account is at the end of its workflow with money still open."),
    "paused": ("Paused", "No account is paused. You can pause one on its own page."),
}


@router.get("/accounts")
def accounts(desk: Looking, tab: str = "all", find: str = "") -> Response:
    tab, find = tab if tab in TABS else "all", find.strip()[:100]
    at = number_in(desk.request, "page")
    with desk.office.database.reading() as session:
        listing = screens.accounts(session, desk.id, desk.as_of, tab=tab, find=find, page=at)
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
    )


def _link(tab: str, find: str, page: int = 1) -> str:
    asked = {"tab": tab if tab != "all" else "", "find": find, "page": page if page > 1 else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/accounts?{query}" if query else "/accounts"
