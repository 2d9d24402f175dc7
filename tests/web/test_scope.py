"""Mirrors web._visit: whoever is not signed in, not a member, or not in the right role gets nowhere, on every route."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from tests.web.books import Books
from tests.web.routes import OPEN_TO_ALL, filled, routes
from tests.web.visitor import Visitor


def test_every_page_sends_a_stranger_to_the_door(app: FastAPI, books: Books, stranger: Visitor) -> None:
    for method, path in routes(app):
        if path not in OPEN_TO_ALL:
            answer = stranger.get(filled(path, books, "ours")) if method == "GET" else stranger.post(path, "x")
            assert answer.status == 303, (method, path)
            assert answer.headers["location"].startswith("/sign-in"), (method, path)


def test_another_organisations_ids_lead_nowhere(app: FastAPI, books: Books, carl: Visitor) -> None:
    """Carl owns Quayside Printworks. With the ids of Harbour & Pine Joinery he gets 404, as for ids that nobody has."""
    before = everything(books)
    tried = 0
    for method, path in routes(app):
        if "_id}" not in path:
            continue
        tried += 1
        for address in (filled(path, books, "ours"), re.sub(r"\{\w+_id\}", "99999", path)):
            fields = {"went": "yes", "text": "x", "why": "x", "account": books.accounts["theirs: reply"]}
            answer = carl.get(address) if method == "GET" else carl.post(address, **fields)
            assert answer.status == 404, (method, address)
            assert "Harbour" not in answer.text, (method, address)

    assert tried >= 13
    assert everything(books) == before


def test_their_own_ids_lead_somewhere(app: FastAPI, books: Books, carl: Visitor) -> None:
    """The check above would pass on a house without doors; this one proves that the doors are there."""
    for method, path in routes(app):
        if "_id}" in path and method == "GET":
            known = 409 if path.endswith("/pdf") else 200  # in these books there is no ledger that could be asked
            assert carl.get(filled(path, books, "theirs")).status == known, path


def test_a_reply_cannot_be_given_to_another_organisations_account(books: Books, carl: Visitor) -> None:
    theirs = books.ids["unmatched"][1]

    assert carl.post(f"/replies/{theirs}/match", account=books.accounts["reply"]).status == 404


def test_support_staff_look_at_everything_and_touch_nothing(app: FastAPI, books: Books, sam: Visitor) -> None:
    before = everything(books)
    for method, path in routes(app):
        address = filled(path, books, "ours")
        if path in OPEN_TO_ALL | {"/sign-out", "/organisation", "/sync-log/bundle"} or path.endswith(
            ("/callback", "/begin")
        ):
            continue
        if method == "GET":
            known = (409,) if path.endswith("/pdf") else (200, 303)
            known = (404,) if path.startswith("/posts/") else known  # of no organisation, so for who sees them all
            assert sam.get(address).status in known, path
        else:
            assert sam.post(address).status == 403, path

    assert everything(books) == before
    assert sam.get("/connections/xero/begin").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accounts",
        "/replies",
        "/sync-log",
        "/sync-log/bundle",
        "/settings/reminders",
        "/settings/workflows",
        "/connections",
    ],
)
def test_support_staff_are_shown_no_button_that_they_may_not_press(sam: Visitor, path: str) -> None:
    page = sam.get(path).text

    forms = [form.split('"')[0] for form in page.split('<form method="post" action="')[1:]]
    assert set(forms) <= {"/sign-out", "/settings/reminders", "/sync-log/bundle"}
    assert '<button class="main">Save</button>' not in page


def test_an_agent_works_on_accounts_and_changes_no_settings(anna: Visitor, books: Books) -> None:
    anna.post("/organisation", organisation=books.theirs)  # where she is an agent
    account = books.accounts["theirs: due"]

    assert anna.post(f"/accounts/{account}/notes", text="Rang them.").status == 303
    assert anna.post("/sending/pause", why="x").status == 403
    assert anna.post("/settings/reminders").status == 403
    assert anna.post("/connections/disconnect").status == 403


def test_a_reply_that_no_organisation_can_claim_is_shown_only_to_who_sees_them_all(
    books: Books, anna: Visitor, carl: Visitor
) -> None:
    adrift = books.ids["unmatched"][0]
    with books.office.database.unit_of_work() as unit:
        unit.execute(text("UPDATE replies SET organisation_id = NULL WHERE id = :id"), {"id": adrift})

    assert anna.get(f"/replies/{adrift}").status == 200
    assert carl.get(f"/replies/{adrift}").status == 404
    assert f"/replies/{adrift}" not in carl.get("/replies").text


def everything(books: Books) -> dict[str, Any]:
    """All that a form could change, apart from the sessions themselves."""
    tables = ("accounts", "holds", "history_notes", "reminders", "replies", "tasks", "organisations", "connections")
    tables += ("workflows", "steps", "audit", "assignments", "address_stops", "logos", "messages", "phone_calls")
    tables += ("posts", "users", "voice_consents")
    with books.office.database.reading() as session:
        return {name: session.execute(text(f"SELECT * FROM {name} ORDER BY 1")).all() for name in tables}
