"""Mirrors web/rooms/plan.py: the next 30 days on one page, for whoever may look, and nothing is changed by looking."""

import re

import pytest

from tests.web.books import Books
from tests.web.test_scope import everything
from tests.web.visitor import Visitor
from web.rooms import plan


def test_the_front_page_leads_to_the_next_30_days_and_both_agree_on_the_first(anna: Visitor) -> None:
    front = anna.get("/")
    assert 'href="/plan"' in front.text
    going = int(re.findall(r"09:00 (\d+) reminders", front.words)[0])
    assert "Kestrel Signs Approval: it waits for a person" in front.words

    page = anna.get("/plan").words
    assert f"Tue 14 Jul {going + 1} " in page, "and what waits for a person, who is taken to be prompt"
    assert "Wed 12 Aug" in page
    assert page.index("If nobody pays, ") < page.index("What is taken for granted") < page.index("Day by day")


def test_the_payers_are_chosen_and_nonsense_means_nobody(anna: Visitor) -> None:
    usual = anna.get("/plan?payers=median").words

    assert "If everybody pays as usual, " in usual
    assert "As usual means: as late as the median" in usual
    assert "If nobody pays, " in anna.get("/plan?payers=nonsense").words


def test_who_gets_most_and_who_gets_nothing_are_named(anna: Visitor, books: Books) -> None:
    page = anna.get("/plan")

    first = re.search(r'id="most".*?href="/accounts/(\d+)"', page.text, re.DOTALL)
    assert first is not None
    assert anna.get(f"/accounts/{first[1]}").status == 200
    assert "It was refused 1 account" in page.words
    assert "The account is paused 1 account" in page.words
    assert "It is not known whether the last one went out 1 account" in page.words


def test_a_pause_is_said_and_the_plan_is_shown_all_the_same(anna: Visitor) -> None:
    before = anna.get("/plan").words
    anna.post("/sending/pause", why="stocktaking")
    page = anna.get("/plan").words

    assert "Nothing leaves at present; this is what would go if sending were on." in page
    table = page[page.index("Day by day") :]
    assert table == before[before.index("Day by day") :]


def test_support_staff_may_look_and_looking_changes_nothing(sam: Visitor, books: Books) -> None:
    before = everything(books)

    assert sam.get("/plan").status == 200
    assert everything(books) == before


def test_where_it_would_take_too_long_the_command_is_named(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_ACCOUNTS", 5)
    page = anna.get("/plan").words

    assert "accounts have an open invoice. To look 30 days ahead" in page
    assert "arrears simulate" in page
    assert "Day by day" not in page


def test_another_organisations_accounts_are_not_on_it(carl: Visitor, books: Books) -> None:
    page = carl.get("/plan").text

    assert not [
        number for name, number in books.accounts.items() if "theirs" not in name and f'/accounts/{number}"' in page
    ]
