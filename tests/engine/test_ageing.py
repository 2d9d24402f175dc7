"""Mirrors engine/ageing.py: how late, and how much of it."""

from datetime import date
from decimal import Decimal

import pytest

from engine.ageing import bucket_of, totals
from engine.receivables import Money
from telling import invoice


def test_an_invoice_due_today_is_not_overdue_and_one_due_yesterday_is_one_day_late() -> None:
    today = date(2026, 5, 10)

    assert not invoice("A", due="2026-05-10").is_overdue(today)
    assert invoice("A", due="2026-05-09").age(today) == 1


@pytest.mark.parametrize(
    ("age", "bucket"),
    [(0, "not yet due"), (1, "1 to 30 days"), (30, "1 to 30 days"), (31, "31 to 60 days"), (400, "over 90 days")],
)
def test_each_age_has_its_bucket(age: int, bucket: str) -> None:
    assert bucket_of(age) == bucket


def test_totals_keep_currencies_apart() -> None:
    lines = totals(
        [
            invoice("A", due="2026-05-01", amount="10.10"),
            invoice("B", due="2026-06-01", amount="5.05"),
            invoice("C", due="2026-05-01", amount="7", currency="EUR"),
        ],
        date(2026, 5, 10),
    )

    assert [(line.currency, line.open, line.overdue, line.overdue_invoices) for line in lines] == [
        ("EUR", Decimal(7), Decimal(7), 1),
        ("GBP", Decimal("15.15"), Decimal("10.10"), 1),
    ]


def test_money_of_two_currencies_is_never_added_up() -> None:
    with pytest.raises(ValueError, match="GBP and EUR cannot be added up"):
        Money(Decimal(1), "GBP").plus(Money(Decimal(1), "EUR"))
