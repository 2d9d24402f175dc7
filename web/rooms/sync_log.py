"""The sync log: what was read from the ledger, when and why, and what came of it, for whoever has to answer for it."""

from fastapi import APIRouter, Response

from jobs.told import Saying, about, accounts_named, lines
from store import screens
from store.tables import SyncRunRow
from web._pages import back, instant_of, number_in, page
from web._say import Say
from web._visit import Deciding, Desk, Supporting

router = APIRouter()


@router.get("/sync-log")
def sync_log(desk: Supporting, which: str = "all") -> Response:
    at = number_in(desk.request, "page")
    which = which if which in screens.WHICH else "all"
    with desk.office.database.reading() as session:
        runs = screens.sync_runs(session, desk.id, page=at, which=which)
        connection = screens.connection(session, desk.id)
    return page(
        desk,
        "sync_log.html",
        runs=runs[: screens.PAGE],
        page=at,
        which=which,
        more=len(runs) > screens.PAGE,
        connection=connection,
    )


@router.get("/sync-log/{run_id}")
def sync_run(desk: Supporting, run_id: int) -> Response:
    """One run with every call it made, everything it changed and every row that it could not read."""
    run: SyncRunRow = desk.own(SyncRunRow, run_id)
    with desk.office.database.reading() as session:
        aside = screens.set_aside(session, desk.id, run_id)
        told = screens.changes_of(session, desk.id, run_id)
        kept = screens.count_changes(session, desk.id, run_id)
        names = screens.names_of(session, desk.id, accounts_named(one.change for one in told))
    return page(
        desk,
        "sync_run.html",
        run=run,
        aside=aside,
        changes=[one for one in told if one.change.list != "positions"],
        moves=[one for one in told if one.change.list == "positions"],
        beyond=max(0, kept - len(told)),
        instant_of=instant_of,
        about=about,
        lines=lines,
        saying=saying_of(desk, names),
    )


@router.post("/sync-log/sync")
def sync_now(desk: Deciding) -> Response:
    """Asks the schedule to sync soon. Asking twice is asking once."""
    desk.request.app.state.poke("sync", str(desk.id))
    return back("/sync-log", "syncing")


def saying_of(desk: Desk, names: dict[int, str]) -> Saying:
    """How the organisation says amounts and days."""
    say = Say(desk.organisation.locale, desk.organisation.time_zone, desk.as_of)
    return Saying(say.money, lambda day: str(say.day(day).striptags()), names)
