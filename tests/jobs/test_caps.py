"""Mirrors jobs/caps.py: a mistake does not write to everybody, and a person decides how it goes on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from jobs import caps, deliver
from jobs.acting import NotAllowed
from jobs.sending_settings import save_sending_settings, sending_settings_of
from tests.jobs.sending_house import MORNING, debts, organisation_in, settle
from town import Town

NAMES = ("Ash", "Birch", "Cedar", "Dill", "Elder")


def work(town: Town) -> int:
    """One round. How many mails have left in all."""
    deliver.deliver_due(town.office)
    return len(town.control.mails())


@pytest.mark.parametrize("cap", ["most_a_run", "most_a_day"])
def test_when_as_many_have_left_as_may_the_rest_waits_for_a_person(a_town: Callable[..., Town], cap: str) -> None:
    town = debts(a_town, *NAMES)
    settle(town, **{cap: 2})
    assert work(town) == 2

    (task,) = [task for task in town.tasks() if task.kind == "cap"]
    assert task.text.startswith("2 have left") and "3 wait" in task.text
    held = [reminder for name in NAMES for reminder in town.reminders(name) if reminder.held_because]
    assert len(held) == 3 and all("2 have left" in reminder.held_because for reminder in held)
    town.move(MORNING + timedelta(minutes=30))
    assert work(town) == 2
    town.day(datetime(2026, 1, 14, tzinfo=UTC).date())
    assert len(town.control.mails()) == 2, "nothing that was wrong today is right tomorrow by itself"


def test_what_a_person_releases_leaves_at_once_and_whole(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, most_a_run=2, most_a_day=2)
    work(town)
    assert caps.release(town.office, town.organisation, by="Olive Owner") == 3
    assert work(town) == 5
    assert [task for task in town.tasks() if task.kind == "cap"] == []
    with pytest.raises(NotAllowed):
        caps.release(town.office, town.organisation, by="Olive Owner")


def test_nothing_that_is_released_at_night_leaves_at_night(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, most_a_run=2)
    work(town)
    town.move(datetime(2026, 1, 13, 22, 0, tzinfo=UTC))
    town.sync()
    caps.release(town.office, town.organisation, by="Olive Owner")
    assert work(town) == 2
    town.day(datetime(2026, 1, 14, tzinfo=UTC).date())
    assert len(town.control.mails()) == 4, "the cap holds for the next round as well"


def test_raising_the_cap_releases_it(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, most_a_run=2)
    work(town)
    with town.office.database.reading() as session:
        known = sending_settings_of(organisation_in(session, town))
    from dataclasses import replace

    save_sending_settings(town.office, town.organisation, replace(known, most_a_run=50), by="Olive Owner")
    with town.office.database.reading() as session:
        assert organisation_in(session, town).capped_at is None
    town.day(datetime(2026, 1, 14, tzinfo=UTC).date())
    assert len(town.control.mails()) == 5


def test_without_a_cap_everything_leaves(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, *NAMES)
    settle(town, most_a_run=0)
    assert work(town) == 5
