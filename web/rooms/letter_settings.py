"""Settings → Letters: the firm's colour and logo, its addresses, how to pay, and the small print."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from jobs.letter_settings import NAMES, LetterSettings, save_letter_settings
from jobs.speaking import look_of
from web._pages import back, page
from web._visit import Deciding, Looking
from wording.look import logo_of

router = APIRouter()

_MOST = 250_000
"""A little more than a logo may have: the rest of a larger file is not even read."""


async def _typed(request: Request) -> tuple[FormData, bytes]:
    """The form, and the file in it as far as it can be a logo."""
    form = await request.form()
    file = form.get("logo")
    return form, await file.read(_MOST) if isinstance(file, UploadFile) else b""


Typed = Annotated[tuple[FormData, bytes], Depends(_typed)]


@router.get("/settings/letters")
def letters(desk: Looking) -> Response:
    with desk.office.database.reading() as session:
        logo = logo_of(look_of(session, desk.organisation))
    return page(desk, "settings_letters.html", logo=logo)


@router.get("/settings/letters/logo")
def logo(desk: Looking) -> Response:
    """The logo as a picture, for the page that shows it. Without one: the page where it is chosen."""
    with desk.office.database.reading() as session:
        picture = logo_of(look_of(session, desk.organisation))
    if picture is None:
        return RedirectResponse("/settings/letters", status_code=303)
    return Response(picture.content, media_type=picture.content_type)


@router.post("/settings/letters")
def save(desk: Deciding, typed: Typed) -> Response:
    form, file = typed
    said = {name: value for name in NAMES if isinstance(value := form.get(name, ""), str)}
    logo = b"" if form.get("no-logo") else file or None
    save_letter_settings(desk.office, desk.id, LetterSettings(**said), by=desk.by, logo=logo)
    return back("/settings/letters", "saved")
