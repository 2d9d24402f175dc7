"""Mirrors daemon/plan_command.py: what waits to leave, said at the terminal."""

from datetime import timedelta
from io import StringIO

from rich.console import Console

from daemon.plan_command import tell_the_plan
from engine.workflow import Step
from jobs.recalculate import recalculate
from store.tables import OrganisationRow
from unplugged import Unplugged


def told(firm: Unplugged) -> list[str]:
    out = StringIO()
    with firm.office.database.reading() as session:
        organisation = session.get(OrganisationRow, firm.id)
    assert organisation is not None
    tell_the_plan(firm.office, organisation, Console(file=out, width=200))
    return out.getvalue().strip().splitlines()


def test_the_plan_says_where_messages_go_what_waits_and_whose_turn_is_when(sqlite_url: str) -> None:
    firm = Unplugged(sqlite_url)
    firm.workflow("Mixed", Step("r1", "First", 5))
    for place, name in enumerate(("Fern", "Ivy", "[red]Odd[/red]")):
        firm.account(name, f"2026-05-1{place}")
    firm.settle(first_contacts_a_day=2, sending_mode="shadow", tried_out_since=firm.now - timedelta(days=2))
    recalculate(firm.office, firm.id)

    assert told(firm) == [
        "Quiet Joinery",
        "Shadow mode: everything is done but the sending.",
        "3 reminders queued to go, and 0 held for reasons of their own.",
        "At most 200 within an hour.",
        "3 accounts to be reminded for the first time ever, the oldest debt first:",
        "  1 June 2026: 2 accounts",
        "  2 June 2026: 1 account",
        "Since 30 May 2026, 0 messages would have gone, and the last look at the ledger kept 0 reminders back:",
    ]


def test_a_cap_that_was_reached_is_said_first(sqlite_url: str) -> None:
    firm = Unplugged(sqlite_url)
    firm.settle(
        capped_at=firm.now, capped_why="200 have left today, and no more may; 9 wait", most_a_day=200, most_a_run=0
    )
    lines = told(firm)
    assert lines[1].startswith("A cap holds the rest back: 200 have left today")
    assert lines[-1] == "At most 200 on one day."
