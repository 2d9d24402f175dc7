"""Mirrors engine/letters.py: on which day a letter may leave, and when it has lost its point."""

from calendar import monthrange
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.calendars import SendingDays
from engine.letters import KEEPS, LAST_DAY, LetterKind, kind_of_letter, statement_day_in, statement_due

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
CHOICES = st.one_of(st.integers(1, 28), st.just(LAST_DAY))
WORKDAYS = SendingDays(weekdays=frozenset(range(5)))


@given(CHOICES, DAYS)
def test_every_month_has_exactly_one_day_of_the_statement(day: int, month: date) -> None:
    found = statement_day_in(day, month)
    assert (found.year, found.month) == (month.year, month.month)
    assert found.day == (day if day <= 28 else monthrange(month.year, month.month)[1])


@given(CHOICES, DAYS)
def test_a_statement_leaves_within_a_week_of_its_first_possible_day_and_never_before(day: int, as_of: date) -> None:
    nominal = statement_due(day, WORKDAYS, as_of)
    if nominal is not None:
        first = WORKDAYS.first_from(nominal)
        assert nominal <= first <= as_of < first + KEEPS
        assert nominal == statement_day_in(day, nominal)


@given(CHOICES, DAYS)
def test_on_the_first_sending_day_from_its_day_on_a_statement_is_due(day: int, month: date) -> None:
    nominal = statement_day_in(day, month)
    assert statement_due(day, WORKDAYS, WORKDAYS.first_from(nominal)) == nominal


@given(DAYS)
def test_without_a_day_no_statement_is_ever_due(as_of: date) -> None:
    assert statement_due(0, WORKDAYS, as_of) is None


@given(DAYS)
def test_the_key_of_a_letter_says_what_it_is(month: date) -> None:
    assert kind_of_letter(f"{LetterKind.STATEMENT} {month:%Y-%m}") is LetterKind.STATEMENT
    assert kind_of_letter(LetterKind.THANKS) is LetterKind.THANKS


def test_the_last_day_is_a_day_of_february_too() -> None:
    assert statement_day_in(LAST_DAY, date(2028, 2, 1)) == date(2028, 2, 29)
    assert statement_due(LAST_DAY, WORKDAYS, date(2026, 2, 27)) is None, "the 28th is a Saturday"
    assert statement_due(LAST_DAY, WORKDAYS, date(2026, 3, 2)) == date(2026, 2, 28)
    assert statement_due(LAST_DAY, WORKDAYS, date(2026, 3, 2) + KEEPS - timedelta(days=1)) == date(2026, 2, 28)
    assert statement_due(LAST_DAY, WORKDAYS, date(2026, 3, 2) + KEEPS) is None
