"""Mirrors daemon/why_command.py: where an account stands and why, at the terminal."""

from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from daemon.why_command import find, tell_why
from engine.workflow import Step
from jobs.account_acts import pause_account
from jobs.recalculate import recalculate
from unplugged import Unplugged


@pytest.fixture
def firm(sqlite_url: str) -> Unplugged:
    firm = Unplugged(sqlite_url)
    firm.workflow("Mixed", Step("r1", "First", 5))
    return firm


def told(firm: Unplugged, named: str) -> str:
    out = StringIO()
    tell_why(firm.office, named, Console(file=out, width=200))
    return out.getvalue()


def test_a_step_whose_day_is_to_come_is_not_foretold_without_what_would_hold_it(firm: Unplugged) -> None:
    number = firm.account("Fern", f"{firm.now.date() - timedelta(days=2)}")
    recalculate(firm.office, firm.id)
    assert "1 of 1 open invoice is overdue" in told(firm, "Fern")
    assert "If it came today" not in told(firm, "Fern")

    pause_account(firm.office, number, by="Olive", why="a special agreement")
    recalculate(firm.office, firm.id)
    assert "  Besides     If it came today it would be held: the account is paused" in told(firm, "Fern")
    assert "a special agreement" in told(firm, "Fern")


def test_more_accounts_of_a_name_than_can_be_listed_are_not_passed_over_in_silence(firm: Unplugged) -> None:
    for number in range(11):
        firm.account(f"Fern {number}", "2026-05-10")

    with pytest.raises(LookupError, match=r"Fern 9 \(\d+\) and others\. Give one name in full"):
        find(firm.office, "fern")
