"""Mirrors engine/spoken_days.py: the day that somebody means, seen from the day on which they wrote it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spoken_days import day_meant

WEDNESDAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("on 12 March", "2026-03-12"),
        ("by the 12th of March 2026", "2026-03-12"),
        ("March 12th, 2026", "2026-03-12"),
        ("on 2026-03-12", "2026-03-12"),
        ("by 12/03", "2026-03-12"),
        ("on 12.3.", "2026-03-12"),
        ("am 12. März", "2026-03-12"),
        ("bis zum 12.03.2026", "2026-03-12"),
        ("by 3/25/2026", "2026-03-25"),
        ("on the 15th", "2026-03-15"),
        ("by the 2nd", "2026-04-02"),
        ("on Friday", "2026-03-06"),
        ("am Freitag", "2026-03-06"),
        ("on Wednesday", "2026-03-11"),
        ("next Friday", "2026-03-13"),
        ("nächsten Freitag", "2026-03-13"),
        ("Friday next week", "2026-03-13"),
        ("next week", "2026-03-13"),
        ("end of the week", "2026-03-06"),
        ("end of the month", "2026-03-31"),
        ("at month-end", "2026-03-31"),
        ("Ende des Monats", "2026-03-31"),
        ("zum Monatsende", "2026-03-31"),
        ("end of next month", "2026-04-30"),
        ("Ende Mai", "2026-05-31"),
        ("end of January", "2027-01-31"),
        ("in two weeks", "2026-03-18"),
        ("within 10 days", "2026-03-14"),
        ("in 14 Tagen", "2026-03-18"),
        ("today", "2026-03-04"),
        ("tomorrow", "2026-03-05"),
        ("the day after tomorrow", "2026-03-06"),
        ("übermorgen", "2026-03-06"),
        ("on 2 January", "2027-01-02"),
    ],
)
def test_a_day_is_understood_as_people_say_it(said: str, meant: str) -> None:
    assert day_meant(f"We pay {said}", WEDNESDAY) == date.fromisoformat(meant)


@pytest.mark.parametrize("said", ["soon", "Guten Morgen", "on 31 February", "INV-2026/12345", "on 1 March 2019", ""])
def test_where_no_day_to_come_is_named_none_is_made_up(said: str) -> None:
    assert day_meant(said, WEDNESDAY) is None


def test_of_two_days_the_later_one_is_taken() -> None:
    assert day_meant("between the 10th and 12 March", WEDNESDAY) == date(2026, 3, 12)


DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))


@given(st.text(max_size=120), DAYS)
def test_whatever_is_said_the_day_is_none_of_the_past_and_not_beyond_a_year(said: str, on: date) -> None:
    day = day_meant(said, on)

    assert day is None or on <= day <= on + timedelta(days=366)


@given(DAYS, st.integers(0, 360))
def test_a_day_written_out_is_always_that_day(on: date, later: int) -> None:
    day = on + timedelta(days=later)

    assert day_meant(f"payment by {day.isoformat()}", on) == day
    assert day_meant(f"payment on {day.day} {day:%B} {day.year}", on) == day
