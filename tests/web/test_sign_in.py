"""Mirrors web._sign_in, web._sessions and the room `sign_in`: who gets in, for how long, and how slow guessing gets."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlmodel import select

from store.tables import SessionRow, UserRow
from tests.web.books import Books
from tests.web.visitor import Visitor
from web import _sign_in, build
from web._sessions import hashed


def test_the_right_password_opens_the_door(stranger: Visitor) -> None:
    answer = stranger.sign_in()

    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "Anna Reed" in stranger.get("/").words


def test_a_login_is_found_however_its_address_is_typed(stranger: Visitor) -> None:
    assert stranger.sign_in("  Anna@Example.com ").status == 303


def test_nobody_is_told_whether_the_login_or_the_password_was_wrong(stranger: Visitor) -> None:
    wrong_password = stranger.sign_in(password="not the password")
    no_such_login = stranger.sign_in("nobody@example.com")

    assert (wrong_password.status, no_such_login.status) == (401, 401)
    assert _without_address(wrong_password.text) == _without_address(no_such_login.text)
    assert "is not right" in wrong_password.words


def _without_address(page: str) -> str:
    return page.replace("anna@example.com", "…").replace("nobody@example.com", "…")


def test_a_login_that_does_not_exist_costs_a_password_check_too(
    stranger: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(_sign_in, "_verified", lambda kept, _password: bool(checked.append(kept[:9])))

    stranger.sign_in("nobody@example.com")
    stranger.sign_in("anna@example.com")

    assert checked == ["$argon2id", "$argon2id"]


def test_guessing_at_a_login_gets_slower_even_from_many_addresses(app: FastAPI, books: Books) -> None:
    for place in range(5):
        assert Visitor(app, f"198.51.100.{place}").sign_in(password=f"guess {place}").status == 401

    refused = Visitor(app, "198.51.100.99").sign_in()
    assert (refused.status, refused.headers["retry-after"]) == (429, "2")
    assert "Please wait" in refused.words

    books.clock.now += timedelta(seconds=2)
    assert Visitor(app, "198.51.100.99").sign_in().status == 303


def test_a_login_that_does_not_exist_gets_slower_just_the_same(app: FastAPI) -> None:
    for place in range(5):
        Visitor(app, f"198.51.100.{place}").sign_in("nobody@example.com")

    assert Visitor(app, "198.51.100.99").sign_in("nobody@example.com").status == 429


def test_an_address_that_guesses_at_many_logins_gets_slower_too(app: FastAPI) -> None:
    thief = Visitor(app, "198.51.100.1")
    for place in range(5):
        thief.sign_in(f"user{place}@example.com")

    assert thief.sign_in("another@example.com").status == 429
    assert Visitor(app, "203.0.113.9").sign_in().status == 303


def test_nobody_can_lock_an_owner_out_for_more_than_a_minute(app: FastAPI, books: Books) -> None:
    for place in range(14):
        Visitor(app, f"198.51.100.{place}").sign_in(password="guess")
        books.clock.now += timedelta(minutes=1)

    assert Visitor(app, "203.0.113.9").sign_in().status == 303
    with books.office.database.reading() as session:
        anna = session.exec(select(UserRow).where(UserRow.email == "anna@example.com")).one()
    assert (anna.failed_sign_ins, anna.locked_until) == (0, None)


def test_a_flood_of_guesses_does_not_take_all_the_memory(
    app: FastAPI, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many passwords are checked at once; whoever comes on top is asked to try again."""
    monkeypatch.setattr(_sign_in, "_PATIENCE", 0.01)
    for _ in range(_sign_in._AT_ONCE):
        app.state.guard._checking.acquire()

    assert stranger.sign_in().status == 503

    app.state.guard._checking.release()
    assert stranger.sign_in().status == 303


def test_the_waits_double_and_end_somewhere() -> None:
    most = timedelta(minutes=15)

    assert [_sign_in.wait_after(count, most).total_seconds() for count in (4, 5, 6, 8, 30)] == [0, 1, 2, 8, 900]


def test_another_site_cannot_sign_anybody_in(app: FastAPI, stranger: Visitor) -> None:
    """The form carries a token that belongs to this browser; one without it, or with another's, is refused."""
    borrowed = Visitor(app).token("door", "/sign-in")
    stranger.get("/sign-in")

    for door in ("", borrowed):
        assert stranger.sign_in(door=door).status == 403


def test_only_a_hash_of_the_key_is_kept(anna: Visitor, books: Books) -> None:
    with books.office.database.reading() as session:
        kept = [row.key_hash for row in session.exec(select(SessionRow))]

    assert hashed(anna.cookies["arrears"]) in kept
    assert anna.cookies["arrears"] not in kept
    assert len(anna.cookies["arrears"]) >= 22  # 128 bits, and more


def test_signing_in_again_makes_the_old_key_worthless(app: FastAPI, anna: Visitor) -> None:
    window = Visitor(app)  # a second window of the browser that Anna is signed in on, with the form still open
    door = window.token("door", "/sign-in")
    window.cookies |= anna.cookies

    assert window.sign_in(door=door).status == 303

    assert window.cookies["arrears"] != anna.cookies["arrears"]
    assert window.get("/").status == 200
    assert anna.get("/").status == 303


def test_signing_out_ends_the_session_and_every_copy_of_it(app: FastAPI, anna: Visitor) -> None:
    copied = Visitor(app)
    copied.cookies = dict(anna.cookies)

    assert anna.post("/sign-out").headers["location"] == "/sign-in"

    assert copied.get("/accounts").headers["location"] == "/sign-in?next=/accounts"


def test_half_an_hour_without_a_visit_ends_a_session(anna: Visitor, books: Books) -> None:
    books.clock.now += timedelta(minutes=29)
    assert anna.get("/").status == 200
    books.clock.now += timedelta(minutes=29)
    assert anna.get("/").status == 200
    books.clock.now += timedelta(minutes=31)
    assert anna.get("/").status == 303


def test_twelve_hours_end_a_session_however_busy(anna: Visitor, books: Books) -> None:
    for _ in range(36):
        books.clock.now += timedelta(minutes=20)
        assert anna.get("/").status == 200
    books.clock.now += timedelta(minutes=1)

    assert anna.get("/").status == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(stranger: Visitor) -> None:
    cookie = stranger.sign_in().cookies[0]

    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie and "Max-Age" not in cookie and "expires" not in cookie


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(books: Books) -> None:
    books.office.public_url = "https://arrears.example"
    visitor = Visitor(build(books.office, poke=lambda *_: None))

    cookie = visitor.sign_in().cookies[0]

    assert cookie.startswith("__Host-arrears=") and "Secure" in cookie and "Domain" not in cookie
    assert "max-age=31536000" in visitor.get("/").headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", ""])
def test_signing_in_never_leads_to_another_site(stranger: Visitor, path: str) -> None:
    assert stranger.sign_in(next=path).headers["location"] == "/"


def test_signing_in_leads_to_where_the_person_wanted_to_go(stranger: Visitor) -> None:
    sent_away = stranger.get("/accounts?tab=idle")
    assert sent_away.headers["location"] == "/sign-in?next=/accounts%3Ftab%3Didle"
    assert 'value="/accounts?tab=idle"' in stranger.get(sent_away.headers["location"]).text

    assert stranger.sign_in(next="/accounts?tab=idle").headers["location"] == "/accounts?tab=idle"


def test_a_user_switches_between_their_own_organisations_only(anna: Visitor, carl: Visitor, books: Books) -> None:
    anna.post("/organisation", organisation=books.theirs)
    assert anna.get("/accounts/" + str(books.accounts["theirs: reply"])).status == 200

    assert carl.post("/organisation", organisation=books.ours).status == 404
    assert "Harbour" not in carl.get("/").text
