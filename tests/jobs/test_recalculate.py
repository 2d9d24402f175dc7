"""Mirrors jobs/recalculate.py and jobs/explain.py: set-based, repeatable, and explained."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import event, select

from jobs.explain import explain
from jobs.recalculate import recalculate
from store.tables import HistoryNoteRow, PositionRow, ReminderRow
from town import Town


def a_firm_of(a_town: Callable[..., Town], accounts: int) -> Town:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    for number in range(accounts):
        town.control.add_contact(f"Debtor {number}", email=f"d{number}@debtor.example")
        town.control.add_invoice(f"Debtor {number}", due="2025-12-30", amount="10.00")
    town.connect(start_sending=False)
    return town


def statements(town: Town, act: Callable[[], Any]) -> int:
    """How many questions the database itself was asked."""
    seen: list[str] = []
    engine = town.office.database.engine

    def listen(connection: Any, *_: Any) -> None:
        connection.set_trace_callback(seen.append)

    event.listen(engine, "checkout", listen)
    try:
        act()
    finally:
        event.remove(engine, "checkout", listen)
    assert seen
    return len([one for one in seen if one.lstrip().upper().startswith("SELECT")])


def test_the_number_of_queries_does_not_depend_on_the_number_of_accounts(a_town: Callable[..., Town]) -> None:
    few, many = a_firm_of(a_town, 3), a_firm_of(a_town, 40)

    assert statements(few, lambda: recalculate(few.office, few.organisation)) == statements(
        many, lambda: recalculate(many.office, many.organisation)
    )


def test_looking_twice_changes_nothing_and_writes_no_second_note(a_town: Callable[..., Town]) -> None:
    town = a_firm_of(a_town, 5)
    town.day(date(2026, 1, 6))

    def everything() -> tuple[Any, ...]:
        with town.office.database.reading() as session:
            tables = (PositionRow, ReminderRow, HistoryNoteRow)
            return tuple([row.model_dump() for row in session.scalars(select(table))] for table in tables)

    before = everything()
    assert recalculate(town.office, town.organisation) == 0
    assert everything() == before


def test_an_explanation_names_each_rule_and_writes_nothing(a_town: Callable[..., Town]) -> None:
    town = a_firm_of(a_town, 1)
    town.day(date(2026, 1, 6))
    explanation = explain(town.office, town.account("Debtor 0").id or 0).explanation

    assert [(reason.rule, reason.passed) for reason in explanation.reasons] == [
        ("overdue", True),
        ("driver", True),
        ("step", True),
        ("hold: organisation paused", False),
        ("fresh data", True),
        ("sending day", True),
        ("gap", True),
    ]
    assert explanation.primary.change == "Start sending, on the front page."
    assert "the oldest overdue invoice at 7 days" in explanation.decision.position.because
