"""Mirrors web._visit.checked: a form counts only when this very session was shown it."""

from fastapi import FastAPI

from tests.web.books import Books
from tests.web.routes import OPEN_TO_ALL, filled, routes
from tests.web.test_scope import everything
from tests.web.visitor import Visitor


def test_every_form_without_our_token_is_refused(app: FastAPI, books: Books, anna: Visitor, carl: Visitor) -> None:
    """Another site's form has no token; a thief's own session has another one."""
    others = carl.token("csrf", "/")
    before, tried = everything(books), 0
    for method, path in routes(app):
        if method == "POST" and path not in OPEN_TO_ALL:
            for token in ("", "x", others):
                assert anna.post(filled(path, books, "ours"), token).status == 403, path
            tried += 1

    assert tried >= 14
    assert everything(books) == before
    assert books.pokes == []
    assert anna.get("/").status == 200  # and nobody was signed out


def test_an_address_that_takes_a_form_says_so_when_it_is_opened(anna: Visitor) -> None:
    answer = anna.get("/sending/pause")

    assert answer.status == 405
    assert "use its button" in answer.words


def test_a_form_that_is_not_allowed_says_why_in_a_sentence(anna: Visitor, books: Books) -> None:
    answer = anna.post(f"/accounts/{books.accounts['due']}/notes", text="   ")

    assert answer.status == 409
    assert "The note is empty" in answer.words
