"""Mirrors engine/calendars.py: which days, and which moment of the day."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from engine.calendars import SendingDays, civil_date, moment_of

LONDON = ZoneInfo("Europe/London")


def test_the_sending_time_is_a_wall_clock_time_in_summer_and_in_winter() -> None:
    assert moment_of(date(2026, 7, 1), time(9), LONDON) == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert moment_of(date(2026, 12, 1), time(9), LONDON) == datetime(2026, 12, 1, 9, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_becomes_the_first_moment_after_it() -> None:
    assert moment_of(date(2026, 3, 29), time(1, 30), LONDON) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_that_comes_twice_is_taken_the_first_time() -> None:
    assert moment_of(date(2026, 10, 25), time(1, 30), LONDON) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_day_is_the_one_on_the_organisations_own_wall() -> None:
    moment = datetime(2026, 6, 30, 20, tzinfo=UTC)

    assert civil_date(moment, ZoneInfo("Pacific/Auckland")) == date(2026, 7, 1)
    assert civil_date(moment, ZoneInfo("America/New_York")) == date(2026, 6, 30)


def test_a_calendar_without_any_sending_day_is_refused() -> None:
    with pytest.raises(ValueError, match="choose at least one weekday"):
        SendingDays(frozenset()).first_from(date(2026, 1, 1))
