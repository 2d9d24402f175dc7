"""One invoice and its story: when we learnt what about it, and from which call to the ledger."""

from fastapi import APIRouter, Response

from jobs.told import accounts_named, lines
from store import screens
from web._pages import instant_of, page
from web._visit import Looking, NotFound
from web.rooms.sync_log import saying_of

router = APIRouter()


@router.get("/invoices/{invoice_id}")
def invoice(desk: Looking, invoice_id: int) -> Response:
    with desk.office.database.reading() as session:
        story = screens.invoice_story(session, desk.id, invoice_id)
        if story is None:
            raise NotFound
        names = screens.names_of(session, desk.id, accounts_named(one.change for one in story.learnt))
    return page(
        desk,
        "invoice.html",
        story=story,
        invoice=story.invoice,
        account=story.account,
        settling=story.settling,
        lines=lines,
        saying=saying_of(desk, names),
        instant_of=instant_of,
    )
