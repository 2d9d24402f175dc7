"""Mirrors store/alike.py: of accounts that are alike one is decided, and whoever differs from it is decided too."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.facts import Facts
from jobs import recalculate as recalculating
from jobs.recalculate import recalculate
from store import facts
from tests.jobs.firm import START, Firm

DUE = START
"""All of them owe since that day, unless a test says otherwise."""

WAITING = START + timedelta(days=9)
"""A day on which the first reminder has gone and the second is waited for."""


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Facts]:
    """The facts of everybody who is decided from now on. Accounts are read two at a time."""
    seen: list[Facts] = []
    decide = recalculating.decide
    monkeypatch.setattr(recalculating, "decide", lambda known, as_of: (seen.append(known), decide(known, as_of))[1])
    monkeypatch.setattr(facts, "CHUNK", 2)
    return seen


def waiting(url: str, count: int) -> tuple[Firm, list[int]]:
    firm = Firm.founded(url)
    accounts = [firm.account(f"A{number}", DUE) for number in range(count)]
    firm.walk(START + timedelta(days=6), WAITING)
    return firm, accounts


def named(seen: list[Facts]) -> set[str]:
    return {facts.invoices[0].number.partition(" ")[0] for facts in seen if facts.invoices}


def changed_rules(firm: Firm) -> None:
    """A rule that makes no difference to anybody here, but nobody knows that before everybody was looked at."""
    firm.change(min_days_between_reminders=2)
    recalculate(firm.office, firm.id, ())


def test_after_a_change_of_rules_one_of_many_alike_is_enough(sqlite_url: str, decided: list[Facts]) -> None:
    firm, _ = waiting(sqlite_url, 12)
    decided.clear()

    changed_rules(firm)

    assert named(decided) == {"A0", "A1"}  # those that were read first, and nobody after them


def test_whoever_was_asked_for_is_decided_in_any_case(sqlite_url: str, decided: list[Facts]) -> None:
    firm, accounts = waiting(sqlite_url, 6)
    decided.clear()
    firm.change(min_days_between_reminders=2)

    recalculate(firm.office, firm.id, [accounts[5]])

    assert named(decided) == {"A0", "A1", "A5"}


def differing(firm: Firm) -> dict[str, int]:
    """Accounts that each differ from A0 in one thing only."""
    return {
        "younger": firm.account("younger", DUE + timedelta(days=1)),
        "older": firm.account("older", DUE - timedelta(days=1), DUE),
        "unreachable": firm.account("unreachable", DUE, email=""),
        "mobile": firm.account("mobile", DUE, mobile="+44 7700 900123"),
    }


def test_one_difference_is_enough_to_be_looked_at(sqlite_url: str, decided: list[Facts]) -> None:
    firm = Firm.founded(sqlite_url)
    for number in range(4):
        firm.account(f"A{number}", DUE)
    names = differing(firm)
    firm.walk(START + timedelta(days=6), WAITING)
    decided.clear()

    changed_rules(firm)

    assert named(decided) == {"A0", "A1", *names}


INVOICES = st.lists(st.integers(-40, 20), max_size=3)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    accounts=st.lists(st.tuples(INVOICES, st.booleans()), min_size=6, max_size=14),
    change=st.sampled_from(
        [
            {"min_days_between_reminders": 9},
            {"ignore_below": 150},
            {"first_contact": "by_age"},
            {"reassess_on_payment": False},
            {"sending_weekdays": [0]},
            {"stale_after_days": 0},
        ]
    ),
    wait=st.integers(0, 2),
)
def test_nobody_who_is_passed_over_would_have_moved(
    sqlite_url: str, accounts: list[tuple[list[int], bool]], change: dict[str, Any], wait: int
) -> None:
    stands = []
    for likes in (True, False):
        firm = Firm.founded(sqlite_url)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(facts, "CHUNK", 2)
            if not likes:
                patch.setattr(facts.Likes, "unmoved", lambda *_: False)
            numbers = [
                firm.account(f"A{place}", *(START + timedelta(days=day) for day in due), email=mail * "a@b.example")
                for place, (due, mail) in enumerate(accounts)
            ]
            firm.walk(START, START + timedelta(days=3))
            firm.now += timedelta(days=wait)
            firm.change(**change)
            recalculate(firm.office, firm.id, ())
            stands.append([_standing(firm, number) for number in numbers])
        firm.office.database.close()
    assert stands[0] == stands[1]


def _standing(firm: Firm, account: int) -> tuple[str, str | None, date | None, date | None, str, list[str]]:
    row = firm.position(account)
    return row.state, row.next_step, row.next_due_on, row.anchor, row.held_because, firm.reminders(account)
