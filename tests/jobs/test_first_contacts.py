"""Mirrors jobs/first_contacts.py: a backlog is written to over days, the oldest debt first."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from engine.calendars import SendingDays
from jobs import account_acts, deliver
from jobs.first_contacts import _days, turns
from jobs.simulate import simulate
from store import departed
from store.facts import ground_of
from tests.jobs.sending_house import debts, settle
from town import Town

NAMES = ("Ash", "Birch", "Cedar", "Dill", "Elder")
"""From the youngest debt to the oldest."""


def reached(town: Town) -> set[str]:
    return {name for name in NAMES if town.mails_to(f"{name.lower()}@debtor.example")}


def test_so_many_accounts_hear_for_the_first_time_on_one_day_the_oldest_debt_first(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, first_contacts_a_day=2)
    deliver.deliver_due(town.office)
    assert reached(town) == {"Dill", "Elder"}
    assert "its turn comes on 14 January 2026" in town.notes("Cedar")[-1].text
    deliver.deliver_due(town.office)
    assert len([note for note in town.notes("Cedar") if "first contact" in note.text]) == 1, "once"

    town.day(date(2026, 1, 14))
    assert reached(town) == {"Birch", "Cedar", "Dill", "Elder"}
    town.day(date(2026, 1, 15))
    assert reached(town) == set(NAMES)


def test_one_who_pays_drops_out_and_the_others_move_up(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, first_contacts_a_day=2)
    deliver.deliver_due(town.office)
    town.control.pay("INV-002")
    town.day(date(2026, 1, 14))
    assert reached(town) == {"Ash", "Birch", "Dill", "Elder"}


def test_an_account_that_is_held_for_its_own_reasons_takes_nobodys_turn(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, first_contacts_a_day=2)
    for name in ("Dill", "Elder"):
        account_acts.pause_account(town.office, town.account(name).id or 0, by="Olive Owner", why="we are talking")
    deliver.deliver_due(town.office)
    assert reached(town) == {"Birch", "Cedar"}


def test_the_plan_shows_the_turns_before_anything_is_sent(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, first_contacts_a_day=2)
    with town.office.database.reading() as session:
        planned = turns(session, town.office, ground_of(session, town.organisation, now=town.clock()))
    assert [turn.on.day for turn in planned] == [13, 13, 14, 14, 15]

    told = simulate(town.office, town.organisation, days=5)
    firsts: dict[str, date] = {}
    for one in told.messages:
        firsts.setdefault(told.names[int(one.account)], one.send.on)
    assert {name: on.day for name, on in firsts.items()} == {
        **dict.fromkeys(("Dill", "Elder"), 13),
        **dict.fromkeys(("Birch", "Cedar"), 14),
        "Ash": 15,
    }


@given(
    start=st.dates(date(2026, 1, 1), date(2026, 12, 1)),
    count=st.integers(1, 40),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
def test_turns_always_fall_on_sending_days_each_day_once_and_in_order(
    start: date, count: int, weekdays: set[int]
) -> None:
    days = _days(SendingDays(frozenset(weekdays)), start, count)
    assert len(days) == count and days == sorted(set(days)) and days[0] >= start
    assert all(day.weekday() in weekdays for day in days)


def test_while_sending_is_tried_out_who_was_really_written_to_before_takes_nobodys_turn(
    a_town: Callable[..., Town],
) -> None:
    town = debts(a_town, "Ash")
    deliver.deliver_due(town.office)
    settle(town, sending_mode="shadow")
    town.walk(date(2026, 1, 14), date(2026, 2, 6))
    assert any(not reminder.heard for reminder in town.reminders("Ash"))
    with town.office.database.reading() as session:
        since = datetime(2026, 1, 14, tzinfo=UTC)
        assert departed.first_heard_since(session, town.organisation, since, diverted=True) == 0
