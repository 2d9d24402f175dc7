"""Settings → Sending: whether messages really leave, how many may, and what trying out has shown."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from jobs import caps
from jobs.acting import NotAllowed
from jobs.going_live import tried_out
from jobs.sending_settings import GoingLive, SendingSettings, save_sending_settings, sending_settings_of
from jobs.tried_out import report
from jobs.trying_out import SendingMode
from store.letters import without_statements
from web._pages import back, page
from web._visit import Deciding, Looking

router = APIRouter()

SHOWN = 50


async def _typed(request: Request) -> FormData:
    return await request.form()


Typed = Annotated[FormData, Depends(_typed)]


@router.get("/settings/sending")
def sending(desk: Looking) -> Response:
    with desk.office.database.reading() as session:
        told = report(session, desk.organisation)
        unheard = len(tried_out(session, desk.id)) if told is not None else 0
        without = without_statements(session, desk.id)
    return page(desk, "settings_sending.html", told=told, unheard=unheard, shown=SHOWN, without=without)


@router.post("/settings/sending")
def save(desk: Deciding, typed: Typed) -> Response:
    """Saves them all or none. Raises NotAllowed with a sentence for what cannot be."""
    known = sending_settings_of(desk.organisation)
    settings = SendingSettings(
        sending_mode=_mode(_text(typed, "sending_mode", known.sending_mode)),
        sending_to=_text(typed, "sending_to", known.sending_to),
        sending_to_number=_text(typed, "sending_to_number", known.sending_to_number),
        most_a_run=_number(typed, "most_a_run", known.most_a_run),
        most_a_day=_number(typed, "most_a_day", known.most_a_day),
        first_contacts_a_day=_number(typed, "first_contacts_a_day", known.first_contacts_a_day),
        statement_day=_number(typed, "statement_day", known.statement_day),
        thanks=_text(typed, "thanks", "on" if known.thanks else "off") == "on",
    )
    chosen = _text(typed, "going_live", "")
    going_live = GoingLive(chosen) if chosen in {one.value for one in GoingLive} else GoingLive.UNDECIDED
    save_sending_settings(desk.office, desk.id, settings, by=desk.by, going_live=going_live)
    return back("/settings/sending", "saved")


@router.post("/sending/release-cap")
def release(desk: Deciding) -> Response:
    """A person has looked at the plan: what waits because of the cap may leave."""
    caps.release(desk.office, desk.id, by=desk.by)
    return back("/", "cap-released")


def _text(typed: FormData, name: str, known: str) -> str:
    text = typed.get(name)
    return text.strip() if isinstance(text, str) else known


def _number(typed: FormData, name: str, known: int) -> int:
    text = _text(typed, name, str(known)) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotAllowed("How many may leave is a whole number, and 0 means any number.")
    return int(text)


def _mode(text: str) -> SendingMode:
    if text not in {mode.value for mode in SendingMode}:
        raise NotAllowed("That is not one of the choices. Load the page again.")
    return SendingMode(text)
