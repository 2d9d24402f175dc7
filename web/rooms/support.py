"""For support: the bundle that helps somebody else to see what happened, shown whole before it leaves the house."""

from fastapi import APIRouter, Response

from jobs.support_bundle import bundle, name_of, packed, record_bundle
from web._pages import page
from web._visit import Supporting, SupportingByForm

router = APIRouter()

SHOWN = 20_000
"""Characters of one part that the page shows; all of it is in the file."""


@router.get("/sync-log/bundle")
def shown(desk: Supporting) -> Response:
    """Everything that would be in the file. Nothing is sent to anybody from here."""
    parts = bundle(desk.office, desk.id)
    return page(
        desk, "support.html", parts=parts, size=len(packed(parts)), name=name_of(desk.office, desk.id), most=SHOWN
    )


@router.post("/sync-log/bundle")
def download(desk: SupportingByForm) -> Response:
    parts = bundle(desk.office, desk.id)
    record_bundle(desk.office, desk.id, by=desk.by)
    disposition = f'attachment; filename="{name_of(desk.office, desk.id)}"'
    return Response(packed(parts), media_type="application/zip", headers={"content-disposition": disposition})
