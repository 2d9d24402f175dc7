"""How a page is drawn: from a template that escapes whatever it is given, in the words of the organisation."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web._said import SAID
from web._say import Say, capital, counted, sentence
from web._visit import Desk, Visit

HERE = Path(__file__).parent

_drawing = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_drawing.filters |= {"capital": capital, "sentence": sentence}
_drawing.globals |= {"counted": counted}


def page(visit: Visit, template: str, *, http: int = 200, **facts: Any) -> HTMLResponse:
    """One page for a person who is signed in."""
    organisation = visit.organisation if isinstance(visit, Desk) else None
    if organisation is not None:
        say = Say(organisation.locale, organisation.time_zone, visit.office.as_of(organisation))
    else:
        say = Say("en_GB", "UTC", visit.office.clock().date())
    return HTMLResponse(
        _drawing.get_template(template).render(
            visit=visit,
            signed=visit.signed,
            organisation=organisation,
            needs=visit.needs if isinstance(visit, Desk) else None,
            say=say,
            here=visit.request.url.path,
            said=SAID.get(visit.request.query_params.get("said", ""), ""),
            style=_style(),
            script=_static("writing.js"),
            **facts,
        ),
        status_code=http,
    )


def plain(template: str, *, http: int = 200, **facts: Any) -> HTMLResponse:
    """One page for whoever asks: the door, and what to say when something is not there or went wrong."""
    return HTMLResponse(_drawing.get_template(template).render(style=_style(), **facts), status_code=http)


def back(path: str, said: str = "") -> RedirectResponse:
    """After a form: to the page that shows what it did. Loading that page again does nothing again."""
    return RedirectResponse(f"{path}?said={said}" if said else path, status_code=303)


def number_in(request: Request, name: str, *, least: int = 1, most: int = 100_000) -> int:
    """A number in the address, such as the page; whatever is not one counts as the least."""
    text = request.query_params.get(name, "")
    return min(most, max(least, int(text))) if text.isascii() and text.isdigit() and len(text) < 10 else least


def instant_of(text: str) -> datetime:
    """An instant as the sync log keeps it."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _style() -> str:
    return _static("arrears.css")


@cache
def _static(name: str) -> str:
    """The address of a file of ours, which changes with its content."""
    content = (HERE / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
