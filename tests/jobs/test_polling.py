"""A ledger is read often while people work, and rarely at night."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.polling import next_reading
from jobs.thresholds import Webhooks
from store.tables import ConnectionRow, OrganisationRow


def organisation(zone: str = "Australia/Sydney", sending: time = time(9), every: int = 15) -> OrganisationRow:
    return OrganisationRow(name="Firm", time_zone=zone, sending_time=sending, sync_every_minutes=every)


def after(at: datetime, firm: OrganisationRow | None = None, rung: datetime | None = None) -> datetime:
    return next_reading(firm or organisation(), ConnectionRow(kind="quickbooks", last_rung_at=rung), Webhooks(), at)


def sydney(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=ZoneInfo("Australia/Sydney")).astimezone(UTC)


def test_while_people_work_a_ledger_is_read_every_quarter_of_an_hour() -> None:
    assert after(sydney(1, 11)) == sydney(1, 11, 15)


def test_at_night_it_is_read_once_an_hour() -> None:
    assert after(sydney(1, 22)) == sydney(1, 23)


def test_the_first_reading_of_a_working_day_does_not_wait_for_the_hour_to_pass() -> None:
    assert after(sydney(2, 6, 20)) == sydney(2, 7)


def test_a_firm_that_sends_before_breakfast_is_read_often_before_breakfast() -> None:
    assert after(sydney(2, 5, 10), organisation(sending=time(6))) == sydney(2, 5, 25)


def test_a_firm_that_sends_late_is_read_often_until_its_reminders_have_gone() -> None:
    assert after(sydney(2, 20, 30), organisation(sending=time(20))) == sydney(2, 20, 45)


def test_who_asked_to_be_read_every_two_hours_is_not_read_more_often_at_night() -> None:
    assert after(sydney(1, 22), organisation(every=120)) == sydney(2, 0)


def test_while_the_ledger_rings_an_hour_is_enough_by_day_too_and_after_its_silence_no_more() -> None:
    noon = sydney(2, 12)
    assert after(noon, rung=noon - timedelta(hours=3)) == sydney(2, 13)
    assert after(noon, rung=noon - timedelta(hours=25)) == sydney(2, 12, 15)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Europe/Berlin", "America/St_Johns"])
def test_a_day_without_rings_takes_at_most_sixty_two_readings(zone: str) -> None:
    at = begin = datetime(2026, 6, 1, 3, 7, tzinfo=UTC)
    readings = 0
    while at < begin + timedelta(days=1):
        at = after(at, organisation(zone))
        readings += 1
    assert readings <= 48 + 12 + 2


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    zone=st.sampled_from(["Europe/London", "Australia/Lord_Howe", "America/New_York", "UTC"]),
    sending=st.times(),
    every=st.integers(1, 240),
)
def test_the_next_reading_always_comes_and_never_sooner_than_asked_nor_later_than_the_longer_of_both(
    at: datetime, zone: str, sending: time, every: int
) -> None:
    following = after(at, organisation(zone, sending.replace(tzinfo=None), every))

    assert timedelta(minutes=every) <= following - at <= max(timedelta(minutes=every), timedelta(hours=1))
