"""Mirrors engine/forecast.py: when an account is expected to pay, and how that is known."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.forecast import Expectation, Past, Whose, as_events, expected_payments, past_of
from engine.story import Event
from telling import W1, a_story, invoice

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)


def expecting(own: list[int], everybody: list[int] | None = None) -> Expectation:
    return Expectation(past_of(own), past_of(everybody or [], enough=1))


@pytest.mark.parametrize(
    ("own", "everybody", "habit"),
    [
        ([4, 30, 9], [0], (9, Whose.ITS_OWN)),
        ([4, 9, 10, 30], [0], (10, Whose.ITS_OWN)),  # 9½ days are ten
        ([-6, -5, -2], [0], (-5, Whose.ITS_OWN)),
        ([4, 30], [12, 4, 30], (12, Whose.EVERYBODY)),
        ([], [12], (12, Whose.EVERYBODY)),
        ([], [], (0, Whose.NOBODY)),
    ],
)
def test_an_account_pays_as_late_as_the_middle_one_of_its_invoices_or_as_everybody_does(
    own: list[int], everybody: list[int], habit: tuple[int, Whose]
) -> None:
    assert expecting(own, everybody).habit == habit


def test_an_invoice_is_paid_on_its_due_date_and_so_many_days() -> None:
    expectation = expecting([5, 9, 9])

    assert expectation.paid_on(invoice("A", due="2026-06-10"), FIRST) == date(2026, 6, 19)
    assert expectation.paid_on(invoice("B", due="2026-05-23"), FIRST) == FIRST, "its day is today"


def test_an_invoice_later_than_usual_is_paid_as_late_as_those_that_were_as_late() -> None:
    """30 days late on 1 June. Four of eight were at least as late: 30, 40, 50 and 60 days, in the middle 45."""
    late = invoice("A", due="2026-05-02")

    assert expecting([1, 2, 3, 4, 30, 40, 50, 60]).paid_on(late, FIRST) == date(2026, 6, 16)


def test_an_account_that_was_never_so_late_is_taken_as_one_of_all_and_where_nobody_ever_was_no_payment_comes() -> None:
    late = invoice("A", due="2026-05-02")

    assert expecting([1, 2, 3], [1, 2, 3, 41]).paid_on(late, FIRST) == date(2026, 6, 12)
    assert expecting([1, 2, 3], [1, 2, 29]).paid_on(late, FIRST) is None
    assert expecting([], []).paid_on(late, FIRST) is None
    assert expecting([], []).paid_on(invoice("B", due="2026-06-05"), FIRST) == date(2026, 6, 5)


def test_payments_of_one_day_come_together_and_those_after_the_last_day_not_at_all() -> None:
    owed = [
        invoice("A", due="2026-06-10"),
        invoice("B", due="2026-06-02"),
        invoice("C", due="2026-06-10"),
        invoice("D", due="2026-06-25"),
    ]

    payments = expected_payments(owed, expecting([7, 7, 7]), first=FIRST, last=LAST)

    assert payments == ((date(2026, 6, 9), ("B",)), (date(2026, 6, 17), ("A", "C")))
    assert as_events(payments) == (
        Event(date(2026, 6, 9), "pay", ["B"]),
        Event(date(2026, 6, 17), "pay", ["A", "C"]),
    )


def test_what_is_paid_before_its_step_is_due_is_not_reminded_of() -> None:
    paid = as_events(expected_payments([invoice("A", due="2026-06-01")], expecting([7] * 3), first=FIRST, last=LAST))
    story = a_story(W1, invoice("A", due="2026-06-01"), start=FIRST, until=LAST)

    assert story.sends == [("2026-06-08", "R1"), ("2026-06-22", "R2")]
    assert story.happens(paid[0].what, paid[0].value, on=paid[0].on, when=paid[0].when).sends == []


PASTS = st.lists(st.integers(-30, 200), max_size=12)


@given(PASTS, PASTS, st.integers(-60, 200))
def test_nobody_is_expected_to_pay_in_the_past_and_a_habit_lies_between_the_earliest_and_the_latest(
    own: list[int], everybody: list[int], age: int
) -> None:
    owed = invoice("A", due=FIRST - timedelta(days=age))
    expectation = expecting(own, everybody)
    on = expectation.paid_on(owed, FIRST)

    assert on is None or on >= FIRST
    if len(own) >= 3:
        assert min(own) <= expectation.habit.lateness <= max(own)


def test_too_short_a_past_says_nothing() -> None:
    assert Past((1, 2)).median() is None
    assert Past((1, 2, 3)).median(at_least=2) is None
    assert Past((1, 2), enough=2).median() == 2
