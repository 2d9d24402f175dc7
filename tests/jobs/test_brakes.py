"""Mirrors jobs/brakes.py: a reading unlike any day of a firm stops sending, and only a person starts it again."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from jobs import acts, brakes, deliver
from jobs.account_acts import approve_reminder
from jobs.acting import NotAllowed
from jobs.brakes import too_many_closed, too_many_moved, too_much_overdue
from jobs.sync import check
from jobs.thresholds import Brakes
from store.tables import AuditRow, OrganisationRow, StepRow
from town import Town

FERN = "Account 00"


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    """Six accounts with an overdue invoice each, and brakes for as small a firm."""
    founded = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    founded.office.brakes = Brakes(least=4)
    for number in range(6):
        founded.control.add_contact(f"Account {number:02}", email=f"a{number}@debtor.example")
        founded.control.add_invoice(f"Account {number:02}", due="2026-01-06", amount="10.00", number=f"INV-{number}")
    founded.connect()
    return founded


def organisation(town: Town) -> OrganisationRow:
    with town.office.database.reading() as session:
        return session.scalars(select(OrganisationRow)).one()


def texts(town: Town, name: str) -> list[str]:
    return [note.text for note in town.notes(name)]


def test_a_first_reading_never_brakes_and_one_payment_does_not_either(town: Town) -> None:
    assert organisation(town).braked_at is None
    town.control.pay("INV-1")
    town.day(date(2026, 1, 7))
    assert organisation(town).braked_at is None


def test_a_reading_that_closes_most_invoices_stops_sending_until_a_person_releases_it(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    for number in range(1, 6):
        town.control.pay(f"INV-{number}")
    run = town.day(date(2026, 1, 13))

    assert run.brake.startswith("One reading of the ledger closed 5 of 6 open invoices.")
    assert organisation(town).braked_why == run.brake
    (reminder,) = [one for one in town.reminders(FERN) if one.state == "queued"]
    assert reminder.held_because.startswith("a reading of the ledger looked wrong, and sending was stopped")
    assert town.mails_to("debtor.example") == []

    town.day(date(2026, 1, 14))
    acts.resume_organisation(town.office, town.organisation, by="Olive Owner")
    deliver.deliver_due(town.office)
    assert town.mails_to("debtor.example") == [], "to start sending is not to release the brake"
    assert organisation(town).braked_at is not None

    brakes.release(town.office, town.organisation, by="Olive Owner")
    town.day(date(2026, 1, 15))
    assert len(town.mails_to("a0@debtor.example")) == 1
    with town.office.database.reading() as session:
        said = [(row.what, row.by) for row in session.scalars(select(AuditRow)) if row.what.startswith("brake")]
    assert said == [("brake pulled", "arrears"), ("brake released", "Olive Owner")]
    told = [text for text in texts(town, FERN) if "brake" in text or "looked wrong" in text]
    assert told[0].startswith("Reminder 1 was not sent: a reading of the ledger looked wrong, and sending was stopped")
    assert told[1:] == ["Reminder 1 no longer waits for the brake of 13 January 2026: Olive Owner has released it."]
    assert not any("brake" in text for text in texts(town, "Account 01")), "that one had paid, and nothing of it waited"
    assert not any("brake" in str(note) for note in town.control.notes()), "the ledger is not told"
    with pytest.raises(NotAllowed, match="The brake is not on"):
        brakes.release(town.office, town.organisation, by="Olive Owner")


def test_a_step_that_a_person_approves_by_hand_does_not_leave_while_the_brake_is_on(town: Town) -> None:
    with town.office.database.unit_of_work() as unit:
        unit.execute(update(StepRow).values(manual=True))
    town.walk(date(2026, 1, 6), date(2026, 1, 14))
    with town.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, town.organisation)
        assert row is not None
        brakes.pull(unit, town.office, row, "It looked odd.")
    (reminder,) = town.reminders(FERN)
    approve_reminder(town.office, int(reminder.id or 0), by="Olive Owner")
    town.walk(date(2026, 1, 15), date(2026, 1, 16))
    assert town.mails_to("debtor.example") == []

    brakes.release(town.office, town.organisation, by="Olive Owner")
    town.walk(date(2026, 1, 17), date(2026, 1, 20))
    assert len(town.mails_to("a0@debtor.example")) == 1
    assert town.mails_to("a1@debtor.example") == [], "nobody has approved that one"


def test_a_whole_check_that_shows_nothing_where_there_was_something_brakes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        town.control.pay(f"INV-{number}")
    town.move(town.clock() + timedelta(hours=20))
    run = check(town.office, town.organisation)
    assert run is not None
    assert "The ledger showed no open invoice at all, and 6 were open here." in run.brake


def test_a_jump_of_what_is_overdue_brakes(town: Town) -> None:
    for number in range(10, 18):
        town.control.add_invoice(FERN, due="2026-01-01", amount="90.00", number=f"INV-{number}")
    run = town.day(date(2026, 1, 8))
    assert run.brake == (
        "One reading of the ledger raised what is overdue from 60.00 to 780.00 "
        f"{organisation(town).currency} (6 invoices before, 14 now)."
    )


counts = st.integers(0, 5_000)


@given(counts, counts)
def test_fewer_than_the_least_never_brake_and_everything_at_once_always_does(before: int, share: int) -> None:
    usual = Brakes()
    closed = min(before, share)
    if closed < usual.least:
        assert too_many_closed(usual, before, closed) == "" == too_many_moved(usual, before, closed)
    if before >= usual.least:
        assert too_many_closed(usual, before, before)
        assert too_many_moved(usual, before, before)


def test_money_of_two_currencies_is_never_added_up() -> None:
    before = {"GBP": (Decimal(100), 30), "USD": (Decimal(100), 30)}
    now = {"GBP": (Decimal(199), 60), "USD": (Decimal(201), 60)}
    (said,) = too_much_overdue(Brakes(), before, now)
    assert said.endswith("from 100.00 to 201.00 USD (30 invoices before, 60 now).")
