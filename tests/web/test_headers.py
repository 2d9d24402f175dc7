"""Mirrors web._headers: what every answer tells the browser, whatever the answer is."""

import re

import pytest
from fastapi import FastAPI

from tests.web.books import Books
from tests.web.routes import filled, routes
from tests.web.visitor import Answer, Visitor

WRITING = (
    "/settings/workflows/new",
    "/settings/workflows/{workflow_id}",
    "/settings/letters/statement",
    "/settings/letters/thank-you",
)
"""The only pages with a script: it is ours, and they are whole without it."""


def test_every_page_is_strict(app: FastAPI, books: Books, anna: Visitor) -> None:
    for method, path in routes(app):
        if method == "GET" and not path.endswith(("/letter", "/line")) and path not in WRITING:
            _is_strict(anna.get(filled(path, books, "ours")))


def _is_strict(answer: Answer) -> None:
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
    assert "unsafe" not in policy and "script-src" not in policy  # no script at all, not even ours
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


def test_where_workflows_and_letters_are_written_one_script_of_ours_runs_and_nothing_else(
    books: Books, anna: Visitor
) -> None:
    for path in WRITING:
        answer = anna.get(filled(path, books, "ours"))
        policy = answer.headers["content-security-policy"]
        (script,) = re.findall(r"<script[^>]*>", answer.text)

        assert "script-src 'self'" in policy and "unsafe" not in policy and "default-src 'none'" in policy
        assert re.fullmatch(r'<script src="/static/writing\.js\?v=[0-9a-f]{12}" defer>', script)
        assert "</script>" in answer.text and "<script></script>" not in answer.text


def test_pages_hold_no_style_and_no_script_of_their_own(app: FastAPI, books: Books, anna: Visitor) -> None:
    for method, path in routes(app):
        if method == "GET" and "/letter" not in path:
            page = anna.get(filled(path, books, "ours")).text
            forbidden = r"<style|\sstyle=|\son[a-z]+=" + ("" if path in WRITING else "|<script")
            assert not re.search(forbidden, page), path
            # A page may show an address, or lead there; it loads nothing from elsewhere and sends nothing there.
            assert not re.search(r"<link[^>]*https?://|(?:\bsrc=|\baction=|url\()\s*[\"']?https?://", page), path


def test_even_a_problem_is_strict(anna: Visitor, stranger: Visitor) -> None:
    for answer in (anna.get("/no/such/page"), stranger.get("/accounts"), anna.post("/sign-out", "x")):
        _is_strict(answer)


def test_a_page_that_fails_says_so_in_a_sentence_and_tells_nothing(
    anna: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the secret detail")

    monkeypatch.setattr("store.screens.accounts", fails)
    answer = anna.get("/accounts")

    assert answer.status == 500
    assert "Something went wrong on our side" in answer.words
    assert "secret" not in answer.text and "Traceback" not in answer.text
    _is_strict(answer)


def test_a_message_is_shown_in_a_frame_that_runs_nothing(books: Books, anna: Visitor) -> None:
    path = f"/messages/{books.ids['message'][0]}/letter"
    page = anna.get(f"/accounts/{books.accounts['reply']}/reminders/{books.ids['reminder'][0]}").text
    policy = anna.get(path).headers["content-security-policy"]

    assert f'src="{path}" sandbox ' in page
    assert policy.startswith("sandbox; default-src 'none'") and "script-src" not in policy
    assert "frame-ancestors 'self'" in policy


def test_the_style_sheet_is_ours_and_may_be_kept(stranger: Visitor) -> None:
    path = re.findall(r'rel="stylesheet" href="([^"]+)"', stranger.get("/sign-in").text)[0]
    answer = stranger.get(path)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert not re.search(r"@import|url\(", answer.text)


def test_health_says_nothing_about_anybody(stranger: Visitor) -> None:
    answer = stranger.get("/health")

    assert answer.status == 200
    assert re.fullmatch(r'\{"ok":true,"version":"[^"]+"\}', answer.text)
