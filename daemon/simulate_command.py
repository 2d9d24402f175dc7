"""`arrears simulate`: the calendar of the coming weeks, told by the engine that decides in earnest. Nothing is sent."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from daemon.lines import tell
from daemon.why_command import find
from engine.forecast import Payers, Whose
from engine.message_calendar import (
    CalendarDay,
    Foreseen,
    by_account,
    by_channel,
    by_day,
    calls_a_person,
    cost,
    segments,
)
from engine.notes import NoteKind
from engine.story import People
from engine.words import days as counted_days
from engine.workflow import Channel
from jobs.foretelling import (
    NAMES,
    NOBODY_KNOWN,
    and_,
    assumptions,
    costs,
    headline,
    many,
    paused,
    span,
    taken_for_granted,
)
from jobs.office import Office
from jobs.simulate import Simulation, simulate
from store.tables import AccountRow, OrganisationRow

BAR = 24
PEOPLE = {"prompt": People.PROMPT, "as-told": People.AS_TOLD}
MOST = 10


def tell_the_coming_days(
    office: Office,
    organisation: OrganisationRow,
    console: Console,
    *,
    days: int,
    payers: Payers,
    people: People,
    price: Decimal,
    account: str = "",
    as_json: bool = False,
) -> None:
    """Simulates and prints. Raises LookupError with a sentence for an account that is not there."""
    assert organisation.id is not None
    alone = _account(office, organisation, account) if account else None
    wanted = [alone.id] if alone is not None and alone.id is not None else None
    with console.status("Telling what the coming days bring …"):
        told = simulate(office, organisation.id, days=days, payers=payers, people=people, account_ids=wanted)
    if as_json:
        print(json.dumps(in_json(told, price)))
    elif alone is not None:
        _one_account(told, alone.name, console)
    else:
        _calendar(told, price, console, missing=_missing_channels(office, told))


def _account(office: Office, organisation: OrganisationRow, named: str) -> AccountRow:
    try:
        return find(office, named, organisation.id)
    except LookupError as unknown:
        raise LookupError(f"{unknown} It was looked for at {organisation.name}.") from unknown


def _missing_channels(office: Office, told: Simulation) -> list[Channel]:
    """Media that the calendar counts on and that nothing is set up for. Calls are made by people."""
    used = by_channel(told.messages)
    return [channel for channel in used if channel is not Channel.CALL and office.carrier_of(channel) is None]


def _calendar(told: Simulation, price: Decimal, console: Console, *, missing: list[Channel]) -> None:
    tell(console, f"\n[bold]{escape(told.organisation)}[/bold]: {span(told)}\n")
    for line in (*headline(told), *assumptions(told)):
        tell(console, escape(line))
    if missing:
        what = " or ".join(f"{NAMES[channel]}s" for channel in missing)
        tell(console, f"Nothing is set up yet to carry {what}; until it is, they wait.")
    if told.messages:
        console.print()
        console.print(_table(by_day(told.messages, told.start, told.until), told.workers))
        console.print()
        for line in costs(told, price):
            tell(console, escape(line))
        _who_gets_most(told, console)
    if told.quiet:
        console.print("\n[bold]Who is overdue and gets nothing[/bold]")
        for why, accounts in told.quiet.items():
            tell(console, escape(why), behind=f"  {accounts:>5,}  ")
    console.print()


def _table(calendar: Sequence[CalendarDay], workers: int) -> Table:
    """A line a day. Where several people share the calls, how many each of them has to make."""
    used = [channel for channel in Channel if any(channel in day.counts for day in calendar)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for channel in used:
        table.add_column({Channel.SMS: "text"}.get(channel, channel.value), justify="right")
    shared = workers > 1 and Channel.CALL in used
    if shared:
        table.add_column("a person", justify="right")
    table.add_column("", no_wrap=True)
    most = max(day.messages for day in calendar)
    for day in calendar:
        counts = [f"{day.counts[channel]:,}" if channel in day.counts else "[dim]·[/dim]" for channel in used]
        if shared:
            calls = day.counts.get(Channel.CALL, 0)
            counts.append(f"{calls_a_person(calls, workers):,}" if calls else "[dim]·[/dim]")
        style = "" if day.messages else "dim"
        table.add_row(short(day.on), *counts, f"[green]{bar(day.messages, most)}[/green]", style=style)
    return table


def _who_gets_most(told: Simulation, console: Console) -> None:
    lines = by_account(told.messages)
    console.print("\n[bold]Who gets most[/bold]")
    for line in lines[:MOST]:
        what = ", ".join(many(count, NAMES[channel]) for channel, count in line.counts.items())
        when = _plain(line.first) if line.first == line.last else f"{_plain(line.first)} to {_plain(line.last)}"
        name = escape(told.names[int(line.account)])
        tell(console, f"{name}  [dim]{what}, {when}[/dim]", behind=f"  {line.messages:>5}  ")
    if len(lines) > MOST:
        console.print(f"         [dim]and {len(lines) - MOST:,} more accounts; --json names them all[/dim]")


def _one_account(told: Simulation, name: str, console: Console) -> None:
    """Everything of one account, day by day."""
    tell(console, f"\n[bold]{escape(name)}[/bold]: {span(told)}\n")
    for line in (*paused(told), *_habit(told), taken_for_granted(told)):
        tell(console, escape(line))
    console.print()
    for on, _, what, why in sorted([*_paid(told), *_noted(told), *_sent(told)]):
        tell(console, escape(what), behind=f"  {short(on)}  ")
        if why:
            tell(console, f"[dim]{escape(why)}.[/dim]", behind=" " * 14)
    if not told.messages:
        owes = "nothing of it is overdue for long enough" if told.owing else "it owes nothing"
        why = next(iter(told.quiet), owes)
        tell(console, f"Nothing would be sent: {escape(why)}.", behind="  ")
    console.print()


def _habit(told: Simulation) -> list[str]:
    """How the one account pays."""
    own = {
        Whose.ITS_OWN: "the median of the invoices that it has settled",
        Whose.EVERYBODY: "as all accounts together do, having settled fewer than three invoices itself",
    }
    return [
        f"It is taken to pay {_late(habit.lateness)}, {own[habit.whose]}; and what is later than that already, when "
        "half of those that were as late had been paid."
        if habit.whose in own
        else NOBODY_KNOWN.replace("every account is", "it is")
        for habit in told.habits.values()
    ]


def _late(lateness: int) -> str:
    if lateness == 0:
        return "on the due date"
    return f"{counted_days(abs(lateness))} {'after' if lateness > 0 else 'before'} the due date"


Event = tuple[date, int, str, str]
"""A day, its place among the events of that day, what happens, and why."""


def _paid(told: Simulation) -> Iterable[Event]:
    for payment in told.payments:
        named = and_([told.numbers[invoice] for invoice in payment.expected.invoices])
        verb = "is" if len(payment.expected.invoices) == 1 else "are"
        yield payment.expected.on, 0, f"{named} {verb} paid", ""


def _noted(told: Simulation) -> Iterable[Event]:
    for one in told.happenings:
        yield one.on, 3 if one.note.kind is NoteKind.IDLE else 1, one.note.text, ""


def _sent(told: Simulation) -> Iterable[Event]:
    for one in told.messages:
        if one.send.skipped:
            yield one.send.on, 2, f"{one.send.step} is skipped", "There is no mobile number that may be texted"
        else:
            yield one.send.on, 2, f"{one.send.step}, by {_BY[one.send.channel]}", one.because


_BY = {Channel.EMAIL: "email", Channel.SMS: "text message", Channel.CALL: "telephone"}


def in_json(told: Simulation, price: Decimal) -> dict[str, Any]:
    """All of it. Amounts and days are text, as in the other JSON that we write."""
    return {
        "organisation": told.organisation,
        "start": told.start.isoformat(),
        "until": told.until.isoformat(),
        "payers": told.payers.value,
        "people": next(name for name, people in PEOPLE.items() if people is told.people),
        "sending_is_paused": told.paused,
        "accounts_that_owe": told.owing,
        "totals": dict(by_channel(told.messages)),
        "text_segments": segments(told.messages),
        "text_price": str(price),
        "text_cost": str(cost(told.messages, price)),
        "people_who_call": told.workers,
        "calendar": [_day_in_json(day, told.workers) for day in by_day(told.messages, told.start, told.until)],
        "accounts": [
            {
                "id": line.account,
                "name": told.names[int(line.account)],
                "messages": line.messages,
                "channels": dict(line.counts),
                "first": line.first.isoformat(),
                "last": line.last.isoformat(),
            }
            for line in by_account(told.messages)
        ],
        "messages": [message_in_json(one, told.names, told.numbers) for one in told.messages],
        "payments": [
            {
                "on": one.expected.on.isoformat(),
                "account": one.account,
                "name": told.names[one.account],
                "invoices": [told.numbers[invoice] for invoice in one.expected.invoices],
                "usual_lateness": told.habits[one.account].lateness,
                "known_from": told.habits[one.account].whose.value,
            }
            for one in told.payments
        ],
        "history": [
            {"on": one.on.isoformat(), "account": one.account, "kind": one.note.kind.value, "text": one.note.text}
            for one in told.happenings
        ],
        "overdue_and_get_nothing": dict(told.quiet),
    }


def _day_in_json(day: CalendarDay, workers: int) -> dict[str, Any]:
    return {
        "on": day.on.isoformat(),
        "channels": dict(day.counts),
        "skipped": day.skipped,
        "text_segments": day.segments,
        "calls_a_person": calls_a_person(day.counts.get(Channel.CALL, 0), workers),
    }


def message_in_json(one: Foreseen, names: Mapping[int, str], numbers: Mapping[Any, str]) -> dict[str, Any]:
    """One message, for this command and for `backtest`."""
    return {
        "on": one.send.on.isoformat(),
        "account": one.account,
        "name": names[int(one.account)],
        "workflow": one.send.workflow,
        "step": one.send.step,
        "channel": one.send.channel.value,
        "skipped": one.send.skipped,
        "invoices": [numbers[name] for name in one.send.invoices],
        "because": one.because,
        "text_segments": one.segments,
    }


def bar(count: int, most: int) -> str:
    """To scale; whoever has one at all is seen."""
    return "█" * max(1, round(count / most * BAR)) if count else ""


def short(day: date) -> str:
    """`Mon  2 Mar`, in a column."""
    return f"{day:%a} {day.day:>2} {day:%b}"


def _plain(day: date) -> str:
    """`Mon 2 Mar`, inside a sentence."""
    return f"{day:%a} {day.day} {day:%b}"
