"""`arrears backtest`: what a workflow would have sent over the past of the ledger. Nothing is sent."""

import json
from datetime import date
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from daemon.lines import tell
from daemon.simulate_command import MOST, message_in_json
from engine.message_calendar import MonthLine, by_channel
from engine.words import in_words
from jobs.backtest import Backtest, backtest
from jobs.foretelling import many
from jobs.office import Office
from store.tables import OrganisationRow


def tell_the_past(
    office: Office,
    organisation: OrganisationRow,
    console: Console,
    *,
    workflow: str = "",
    since: date | None = None,
    as_json: bool = False,
) -> None:
    """Tells the past and prints it. Raises LookupError with a sentence for a workflow that is not there."""
    assert organisation.id is not None
    with console.status("Playing the past back …"):
        told = backtest(office, organisation.id, workflow=workflow, since=since)
    if as_json:
        print(json.dumps(in_json(told)))
        return
    tell(
        console,
        f"\n[bold]{escape(told.organisation)}[/bold]: what [bold]{escape(told.workflow)}[/bold] would have sent, "
        f"{in_words(told.since)} to {in_words(told.until)}\n",
    )
    for line in headline(told):
        tell(console, escape(line))
    if told.messages:
        for year in sorted({line.month.year for line in told.months}):
            console.print()
            console.print(_year(told, year))
        _who_would_have_got_most(told, console)
    console.print()


_NEVER = "no invoice was open long enough for its first step"


def headline(told: Backtest) -> list[str]:
    """The totals, and what they rest on."""
    if told.first is None:
        return ["Our copy of the ledger has no invoice yet. Sync it first."]
    count = sum(by_channel(told.messages).values())
    if not count:
        later = "no step came due in these days" if told.since > told.first else _NEVER
        lines = [f"Nothing: {later}."]
    else:
        share = f"{told.before_payment / count:.0%}"
        lines = [
            f"{many(count, 'reminder')} to {len(told.most):,} of {many(told.accounts, 'account')}. "
            f"{told.before_payment:,} of them ({share}) would have gone in the week before money came in for an "
            "invoice that they listed.",
        ]
    if told.moves:
        accounts = len({move.account for move in told.moves})
        lines.append(f"{many(accounts, 'account')} would have moved back, {many(len(told.moves), 'time')} in all.")
    lines.append(
        f"This rests on the {many(told.invoices, 'invoice')} that our copy of the ledger has seen, the oldest issued "
        f"on {in_words(told.first)}; what was settled before the ledger was connected is not among them. Every payment "
        "counts from its own day, people do at once what waits for them, today's rules hold throughout, and nobody "
        "answers, promises or disputes."
    )
    return lines


def _year(told: Backtest, year: int) -> Table:
    """The months of one year beside each other, the steps one under the other."""
    months = {line.month.month: line for line in told.months if line.month.year == year}
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"[bold]{year}[/bold]")
    for month in range(1, 13):
        table.add_column(f"{date(year, month, 1):%b}", justify="right", style="" if month in months else "dim")
    table.add_column("in all", justify="right")
    of_step = {step: [_count(months.get(month), step) for month in range(1, 13)] for step in told.per_step}
    for step, counts in of_step.items():
        if any(counts):
            table.add_row(escape(step), *map(_cell, counts), f"{sum(counts):,}")
    totals = [months[month].messages if month in months else 0 for month in range(1, 13)]
    table.add_row("in all", *map(_cell, totals), f"{sum(totals):,}", style="bold")
    reached = [months[month].accounts if month in months else 0 for month in range(1, 13)]
    table.add_row("accounts", *map(_cell, reached), "")
    return table


def _count(line: MonthLine | None, step: str) -> int:
    return line.steps.get(step, 0) if line is not None else 0


def _cell(count: int) -> str:
    return f"{count:,}" if count else "[dim]·[/dim]"


def _who_would_have_got_most(told: Backtest, console: Console) -> None:
    lines = told.most
    console.print("\n[bold]Who would have got most[/bold]")
    for line in lines[:MOST]:
        name = escape(told.names[int(line.account)])
        first, last = f"{line.first:%b %Y}", f"{line.last:%b %Y}"
        span = first if first == last else f"{first} to {last}"
        tell(console, f"{name}  [dim]{span}[/dim]", behind=f"  {line.messages:>5}  ")
    if len(lines) > MOST:
        console.print(f"         [dim]and {len(lines) - MOST:,} more accounts; --json names them all[/dim]")


def in_json(told: Backtest) -> dict[str, Any]:
    """All of it."""
    return {
        "organisation": told.organisation,
        "workflow": told.workflow,
        "since": told.since.isoformat(),
        "until": told.until.isoformat(),
        "first_invoice": told.first.isoformat() if told.first else None,
        "accounts": told.accounts,
        "invoices": told.invoices,
        "reminders": sum(by_channel(told.messages).values()),
        "totals": dict(by_channel(told.messages)),
        "in_the_week_before_a_payment": told.before_payment,
        "steps": dict(told.per_step),
        "months": [
            {"month": f"{line.month:%Y-%m}", "steps": dict(line.steps), "accounts": line.accounts}
            for line in told.months
        ],
        "most": [
            {
                "id": line.account,
                "name": told.names[int(line.account)],
                "reminders": line.messages,
                "first": line.first.isoformat(),
                "last": line.last.isoformat(),
            }
            for line in told.most
        ],
        "moved_back": [
            {"on": move.on.isoformat(), "account": move.account, "text": move.note.text} for move in told.moves
        ],
        "messages": [message_in_json(one, told.names, told.numbers) for one in told.messages],
    }
