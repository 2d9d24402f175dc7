"""What people see: the pages that a bookkeeper reads and acts on, drawn on the server and whole without any script.

Each file in `rooms/` is one part of the house that a person can walk into; the files with an underscore are what the
rooms share. A page only reads. Whatever changes something is a form, goes through `jobs`, and comes back as a page.
"""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from jobs.office import Office
from web import _problems
from web._headers import Headers
from web._sign_in import Guard
from web.rooms import (
    account,
    account_forms,
    accounts,
    call_settings,
    calls,
    connections,
    doorbell,
    doors,
    front,
    health,
    invoice,
    letter_settings,
    letter_words,
    plan,
    replies,
    sending,
    settings,
    sign_in,
    support,
    sync_log,
    workflows,
)

__all__ = ["build"]


def build(office: Office, *, poke: Callable[[str, str], None]) -> FastAPI:
    """The pages of one installation. `poke("sync", "7")` asks the schedule to sync organisation 7 soon,
    and `poke("connected", "7")` to read for the first time what has just been connected.
    """
    app = FastAPI(title="arrears", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.office = office
    app.state.poke = poke
    app.state.guard = Guard()
    app.add_middleware(Headers, https=office.public_url.startswith("https://"))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    books = (front, plan, accounts, account, account_forms, invoice, calls, call_settings, replies, support, sync_log)
    letters = (letter_settings, letter_words)
    for room in (health, doorbell, doors, sign_in, *books, workflows, settings, sending, *letters, connections):
        app.include_router(room.router)
    _problems.answer_all(app)
    return app
