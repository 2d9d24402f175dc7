"""Mirrors engine/message_calendar.py: what goes on which day, to whom, and what it costs."""

from datetime import date
from decimal import Decimal

import pytest

from engine.facts import Facts, Rules
from engine.holds import Hold, HoldKind
from engine.message_calendar import (
    Foreseen,
    because_of,
    by_account,
    by_channel,
    by_day,
    by_month,
    calls_a_person,
    cost,
    segments_of,
    soon_paid,
)
from engine.story import Send
from engine.workflow import Channel
from telling import W1, invoice

MAY, JUNE = date(2026, 5, 29), date(2026, 6, 1)
EMAIL, SMS, CALL = Channel.EMAIL, Channel.SMS, Channel.CALL


def message(
    account: int, on: date, channel: Channel = EMAIL, *, step: str = "R1", segments: int = 0, skipped: bool = False
) -> Foreseen:
    return Foreseen(account, Send(on, "W1", step, channel, (f"I{account}",), skipped), segments=segments)


MESSAGES = (
    message(1, MAY),
    message(2, MAY, SMS, segments=2),
    message(3, MAY, SMS, skipped=True),
    message(1, JUNE, CALL, step="R2"),
    message(1, JUNE.replace(day=3), step="R3"),
    message(4, JUNE.replace(day=3)),
)


def test_every_day_has_its_line_and_a_text_that_reaches_nobody_is_no_message() -> None:
    days = by_day(MESSAGES, MAY, JUNE.replace(day=3))

    assert [(str(day.on), day.messages) for day in days] == [
        ("2026-05-29", 2),
        ("2026-05-30", 0),
        ("2026-05-31", 0),
        ("2026-06-01", 1),
        ("2026-06-02", 0),
        ("2026-06-03", 2),
    ]
    assert (dict(days[0].counts), days[0].skipped, days[0].segments) == ({EMAIL: 1, SMS: 1}, 1, 2)
    assert dict(by_channel(MESSAGES)) == {EMAIL: 3, SMS: 1, CALL: 1}


def test_who_gets_most_comes_first() -> None:
    lines = by_account(MESSAGES)

    assert [(line.account, line.messages) for line in lines] == [(1, 3), (2, 1), (4, 1)]
    assert (lines[0].first, lines[0].last) == (MAY, JUNE.replace(day=3))


def test_the_months_name_their_steps() -> None:
    may, june = by_month(MESSAGES, "W1")

    assert (str(may.month), dict(may.steps), may.accounts) == ("2026-05-01", {"R1": 2}, 2)
    assert (str(june.month), dict(june.steps), june.messages) == ("2026-06-01", {"R2": 1, "R3": 1, "R1": 1}, 3)
    assert dict(by_month(MESSAGES, "Other")[0].steps) == {"W1: R1": 2}


def test_texts_cost_by_the_segment_and_calls_are_shared_out() -> None:
    assert cost(MESSAGES, Decimal("0.05")) == Decimal("0.10")
    assert [calls_a_person(calls, people) for calls, people in [(7, 3), (6, 3), (0, 3), (4, 0)]] == [3, 2, 0, 4]


def test_what_goes_in_the_week_before_a_payment_is_counted_once() -> None:
    paid = {"I1": (JUNE, JUNE.replace(day=4)), "I2": (MAY,), "I4": (JUNE.replace(day=20),)}

    assert soon_paid(MESSAGES, paid) == 3, "all three to account 1, and none on or long before the day itself"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # an extension letter takes two places
        ("€" * 81, 2),
        ("you’ve" + "a" * 64, 1),  # a typographic apostrophe makes the whole text a wide one
        ("you’ve" + "a" * 65, 2),
        ("😀" * 35, 1),
        ("", 1),
    ],
)
def test_a_text_is_charged_by_its_segments(text: str, segments: int) -> None:
    assert segments_of(text) == segments


def test_the_reason_names_the_oldest_overdue_invoice_that_counts() -> None:
    facts = Facts(
        Rules(),
        {"W1": W1},
        "W1",
        (invoice("A", due="2026-05-20"), invoice("B", due="2026-05-25"), invoice("C", due="2026-06-08")),
        None,
    )
    reminder = Send(JUNE, "W1", "R1", EMAIL, ("A", "B", "C"))

    assert because_of(reminder, facts) == "A is the oldest overdue invoice at 12 days, listed with B and C"
    many = facts._replace(invoices=tuple(invoice(f"I{place}", due="2026-05-20") for place in range(6)))
    assert because_of(reminder._replace(invoices=tuple(f"I{place}" for place in range(6))), many).endswith("5 others")
    disputed = facts._replace(holds=(Hold(HoldKind.DISPUTE, MAY, invoice="A"),))
    assert because_of(reminder, disputed).startswith("B is the oldest overdue invoice at 7 days")
    alone = Send(JUNE, "W1", "R1", EMAIL, ("B",))
    assert because_of(alone, facts) == "B is the oldest overdue invoice at 7 days"
    courtesy = Send(JUNE, "W1", "Soon", EMAIL, ("C",))
    assert because_of(courtesy, facts) == "C falls due in 7 days"
    assert because_of(courtesy._replace(on=date(2026, 6, 8)), facts) == "C falls due today"
