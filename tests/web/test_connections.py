"""Mirrors web.rooms.connections: to the provider and back, with the consent itself played by the test."""

import re
from datetime import timedelta

import pytest

from connector import Grant, Tenant
from jobs import connect
from jobs.ledgers import text_of
from store.grants import place_of
from store.tables import ConnectionRow
from tests.web.books import Books
from tests.web.filling import NOW
from tests.web.visitor import Visitor
from web._sessions import hashed

BACK = "http://127.0.0.1:8000/connections/xero/callback"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    """What the pages asked of `jobs.connect`."""
    asked: dict[str, dict[str, object]] = {}

    def begin(_office: object, **given: object) -> str:
        asked["begin"] = given
        return "https://login.xero.example/authorize?state=s1"

    def finish(_office: object, **given: object) -> connect.Connected | connect.Choice:
        asked["finish"] = given
        if given["code"] == "old":
            raise connect.ConsentProblem("This answer is too old. Connect again.")
        if given["code"] == "several":
            return connect.Choice("s1", (Tenant("t1", "Harbour & Pine"), Tenant("t2", "<b>Quayside</b>")))
        return connect.Connected(1)

    def choose(_office: object, **given: object) -> connect.Connected:
        asked["choose"] = given
        return connect.Connected(2)

    for name, played in (("begin", begin), ("finish", finish), ("choose", choose)):
        monkeypatch.setattr(connect, name, played)
    return asked


def test_the_button_leads_to_the_provider(nia: Visitor, provider: dict[str, dict[str, object]]) -> None:
    answer = nia.get("/connections/xero/begin", sec_fetch_site="same-origin")

    assert (answer.status, answer.headers["location"]) == (303, "https://login.xero.example/authorize?state=s1")
    session = hashed(nia.cookies["arrears"])
    assert provider["begin"] == {"kind": "xero", "session": session, "redirect_uri": BACK}
    assert nia.post("/connections/xero/begin", nia.token("csrf", "/")).status == 303


def test_an_organisation_that_needs_no_browser_is_shown_before_a_person_says_yes(
    nia: Visitor, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "begin", lambda _office, **_given: connect.Direct(Tenant("t1", "Harbour & Pine")))
    monkeypatch.setattr(connect, "connect_directly", lambda _office, **_given: connect.Connected(1))

    shown = nia.get("/connections/xero/begin", sec_fetch_site="same-origin")
    assert "Connect Harbour &amp; Pine?" in shown.text
    assert books.pokes == []

    assert nia.post("/connections/xero/directly").headers["location"] == "/?said=connected"
    assert books.pokes == [("connected", "1")]


def test_another_site_cannot_begin_a_consent(nia: Visitor, provider: dict[str, dict[str, object]]) -> None:
    assert nia.get("/connections/xero/begin", sec_fetch_site="cross-site").status == 403
    assert provider == {}


def test_coming_back_connects_and_asks_for_the_first_sync(
    nia: Visitor, books: Books, provider: dict[str, dict[str, object]]
) -> None:
    answer = nia.get("/connections/xero/callback?state=s1&code=c1")

    assert answer.headers["location"] == "/?said=connected"
    assert provider["finish"]["code"] == "c1" and provider["finish"]["redirect_uri"] == BACK
    assert books.pokes == [("connected", "1")]


def test_the_whole_answer_of_the_browser_is_handed_on_because_quickbooks_names_the_company_there(
    nia: Visitor, provider: dict[str, dict[str, object]]
) -> None:
    nia.get("/connections/quickbooks/callback?state=s1&code=c1&realmId=310687")

    assert provider["finish"]["callback"] == {"state": "s1", "code": "c1", "realmId": "310687"}
    assert provider["finish"]["redirect_uri"] == "http://127.0.0.1:8000/connections/quickbooks/callback"


def test_every_ledger_is_offered_until_there_are_keys_for_some(anna: Visitor, books: Books) -> None:
    page = anna.get("/connections").words

    assert "Connect to Xero" in page and "Connect to QuickBooks Online" in page


def test_a_person_picks_one_of_several_organisations(
    anna: Visitor, books: Books, provider: dict[str, dict[str, object]]
) -> None:
    page = anna.get("/connections/xero/callback?state=s1&code=several")
    assert "Harbour &amp; Pine" in page.text and "&lt;b&gt;Quayside" in page.text
    assert 'name="state" value="s1"' in page.text

    assert anna.post("/connections/xero/choose", state="s1", tenant="t2").headers["location"] == "/?said=connected"
    assert provider["choose"]["tenant"] == "t2"
    assert books.pokes == [("connected", "2")]
    assert "Quayside Printworks" in anna.get("/connections").words.split("Connections")[-1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("error=access_denied", "because consent was not given"),
        ("state=s1&code=old", "This answer is too old. Connect again."),
        ("", "This address only works on the way back from the ledger."),
    ],
)
def test_a_consent_that_fails_says_so(
    nia: Visitor, provider: dict[str, dict[str, object]], query: str, said: str
) -> None:
    answer = nia.get(f"/connections/xero/callback?{query}")

    assert answer.status == 409
    assert said in answer.words


def test_an_unknown_ledger_is_not_here(nia: Visitor) -> None:
    assert nia.get("/connections/paper/begin").status == 404


def test_missing_app_keys_are_named(nia: Visitor) -> None:
    answer = nia.get("/connections/xero/begin")

    assert answer.status == 409
    assert "no app keys for 'xero'" in answer.words


def test_disconnecting_asks_first(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(connect, "disconnect", lambda _office, number, *, by: asked.append((number, by)))

    assert "Disconnect Harbour & Pine Joinery?" in anna.get("/connections/disconnect").words
    assert asked == []
    assert anna.post("/connections/disconnect").headers["location"] == "/connections?said=disconnected"
    assert asked == [(1, "Anna Reed")]


def test_a_connection_that_needs_consent_is_named_on_the_front_page_and_here(anna: Visitor, books: Books) -> None:
    with books.office.database.unit_of_work() as unit:
        row = unit.get(ConnectionRow, 1)
        assert row is not None
        row.state, row.why = "needs consent", "the grant was taken back in Xero"

    assert "The connection to the ledger needs a person: connect again." in anna.get("/").words
    page = anna.get("/connections").words
    assert "Xero needs your consent again. The grant was taken back in Xero." in page and "Connect again" in page


def granted(books: Books, *, unused: int | None = None, at_last: int | None = None) -> None:
    """The connection holds a grant that ends in so many days."""
    ends = [NOW + timedelta(days=days) if days is not None else None for days in (unused, at_last)]
    grant = Grant("access", "refresh", NOW, ends[0], (), ends[1])
    with books.office.database.unit_of_work() as unit:
        row = unit.get(ConnectionRow, 1)
        assert row is not None
        row.sealed_grant = books.office.vault.seal(text_of(grant), place_of(row.kind, row.tenant))


@pytest.mark.parametrize(
    ("ends", "said", "warned"),
    [
        ({"unused": 59}, "This connection, left unused, ends on 11 Sept 2026, 08:20; every sync puts", False),
        ({"unused": 9}, "It is not being used: every reading of the ledger would put that day off.", True),
        (
            {"unused": 100, "at_last": 800},
            "This connection ends on 21 Sept 2028, 08:20, however much it is used; connect again before then. "
            "Left unused, it ends on 22 Oct 2026, 08:20;",
            False,
        ),
        ({"unused": 100, "at_last": 44}, "However much it is used, Xero asks for a new consent by then.", True),
        ({}, "It does not end by itself", False),
    ],
)
def test_the_end_of_a_consent_is_said_in_words_and_in_time(
    anna: Visitor, books: Books, ends: dict[str, int], said: str, warned: bool
) -> None:
    granted(books, **ends)
    page = re.sub(r" (?=[;,.])", "", anna.get("/connections").words)

    assert said in page
    assert ("Connect again before then, or nothing can be synced or sent after it." in page) is warned
