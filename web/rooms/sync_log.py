"""The sync log: what was read from the ledger, when and why, for whoever has to answer for it."""

from fastapi import APIRouter, Response

from store import screens
from store.tables import SyncRunRow
from web._pages import back, instant_of, number_in, page
from web._visit import Looking, Working

router = APIRouter()


@router.get("/sync-log")
def sync_log(desk: Looking) -> Response:
    at = number_in(desk.request, "page")
    with desk.office.database.reading() as session:
        runs = screens.sync_runs(session, desk.id, page=at)
        connection = screens.connection(session, desk.id)
    return page(
        desk, "sync_log.html", runs=runs[: screens.PAGE], page=at, more=len(runs) > screens.PAGE, connection=connection
    )


@router.get("/sync-log/{run_id}")
def sync_run(desk: Looking, run_id: int) -> Response:
    """One run with every call it made and every row that it could not read."""
    run: SyncRunRow = desk.own(SyncRunRow, run_id)
    with desk.office.database.reading() as session:
        aside = screens.set_aside(session, desk.id, run_id)
    return page(desk, "sync_run.html", run=run, aside=aside, instant_of=instant_of)


@router.post("/sync-log/sync")
def sync_now(desk: Working) -> Response:
    """Asks the schedule to sync soon. Asking twice is asking once."""
    desk.request.app.state.poke("sync", str(desk.id))
    return back("/sync-log", "syncing")
