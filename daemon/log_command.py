"""`arrears log`: what the syncs did, for somebody who is tired and has a customer on the telephone.

The list says of each run what came of it and, if it failed, what to do. One run is told whole: every call, everything
that changed, every row that was set aside. An invoice is told by its story: when we learnt what, and from which call.
"""

import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from sqlmodel import Session

from daemon.lines import tell
from daemon.sync_command import figures
from jobs.office import Office
from jobs.told import Saying, about, accounts_named, lines
from store import screens
from store.screens import InvoiceStory, Learnt, Told
from store.tables import OrganisationRow, SetAsideRow, SyncRunRow

LIST = 25
"""Runs in a list without --since; with it, the list goes back that far, and to this many at most."""

FAR = 5_000
_LOUD = {"failed": "FAILED", "died": "CUT SHORT", "partial": "PART ONLY"}


def tell_runs(
    office: Office, organisation: OrganisationRow, console: Console, *, failed: bool, since: date | None, as_json: bool
) -> None:
    """The newest runs, the newest first."""
    begins = datetime(since.year, since.month, since.day, tzinfo=ZoneInfo(organisation.time_zone)) if since else None
    with office.database.reading() as session:
        runs = screens.runs_since(
            session,
            int(organisation.id or 0),
            which="failed" if failed else "all",
            since=begins,
            limit=FAR if since else LIST,
        )
    if as_json:
        _print_json(console, [_facts(run) for run in runs])
        return
    console.print(f"{escape(organisation.name)}, times as in {organisation.time_zone}\n", soft_wrap=True)
    if not runs:
        console.print("  No run that failed or set rows aside." if failed else "  The ledger has not been read yet.")
    for run in runs:
        _tell_in_short(console, organisation, run)


def tell_run(office: Office, number: int, organisation: str, console: Console, *, as_json: bool) -> None:
    """One run, whole. Raises LookupError when there is none of that number, or it is another organisation's."""
    with office.database.reading() as session:
        run = session.get(SyncRunRow, number)
        whose = session.get(OrganisationRow, run.organisation_id) if run is not None else None
        if run is None or whose is None:
            raise LookupError(f"There is no sync run {number}. 'arrears log' lists those that are kept.")
        if organisation and organisation.lower() not in (str(whose.id), whose.name.lower()):
            raise LookupError(f"Sync run {number} belongs to another organisation.")
        aside = screens.set_aside(session, run.organisation_id, number)
        told = screens.changes_of(session, run.organisation_id, number, limit=FAR)
        saying = _saying(session, whose, told)
    if as_json:
        changes = [_change(one) for one in told]
        rows = [row.model_dump(exclude={"id", "sync_run_id"}) for row in aside]
        _print_json(console, {**_facts(run), "calls": run.calls, "changes": changes, "rows_set_aside": rows})
        return
    _tell_in_short(console, whose, run)
    _tell_figures(console, run)
    _tell_changes(console, run, told, saying)
    _tell_aside(console, aside)
    _tell_calls(console, whose, run)


def tell_invoice(
    office: Office, organisation: OrganisationRow, number: str, console: Console, *, as_json: bool
) -> None:
    """The story of each invoice of that number. Raises LookupError when there is none."""
    mine = int(organisation.id or 0)
    with office.database.reading() as session:
        found = screens.invoices_numbered(session, mine, number)
        stories = [screens.invoice_story(session, mine, int(row.id or 0)) for row in found]
        known = [story for story in stories if story is not None]
        moved = accounts_named(one.change for story in known for one in story.learnt)
        saying = Saying(_money, _day, screens.names_of(session, mine, moved))
    if not known:
        raise LookupError(f"No invoice has the number '{number}'. Write it as the ledger does.")
    if as_json:
        _print_json(console, [_story(story) for story in known])
        return
    for story in known:
        _tell_story(console, organisation, story, saying)


def _tell_in_short(console: Console, organisation: OrganisationRow, run: SyncRunRow) -> None:
    loud = f"[red]{_LOUD[run.state]:<9}[/red]" if run.state in _LOUD else f"{run.state:<9}"
    what = escape(run.error.rstrip(".") + ".") if run.error else escape(figures(run))
    head = f"  {run.id:>6}  {_moment(organisation, run.started_at)}  {loud}  {escape(run.trigger):<18}"
    tell(console, what, behind=f"{head}  ")
    if run.error and run.next_act:
        tell(console, escape(run.next_act), behind=" " * 53)


def _tell_figures(console: Console, run: SyncRunRow) -> None:
    took = f"{(run.ended_at - run.started_at).total_seconds():.1f} s" if run.ended_at else "still running"
    console.print(f"\n  Took      {took}")
    touched = f"{run.accounts_touched} account{'' if run.accounts_touched == 1 else 's'}"
    console.print(f"  Touched   {touched}; gone from the ledger: {run.gone}")
    console.print(f"  Cursor    {_cursor(run.cursor_before) or 'none: a first reading'}", soft_wrap=True)
    console.print(f"  then      {_cursor(run.cursor_after) or 'not moved'}", soft_wrap=True)
    for wait in run.waits:
        console.print(
            f"  Waited    {escape(', '.join(f'{name} {value}' for name, value in wait.items()))}", soft_wrap=True
        )
    if run.goes_on_at:
        console.print(f"  Goes on   not before {run.goes_on_at:%d %b %H:%M} UTC, from where it was cut short")
    if run.brake:
        console.print(f"  [red]Brake[/red]     {escape(run.brake)}", soft_wrap=True)


def _tell_changes(console: Console, run: SyncRunRow, told: tuple[Told, ...], saying: Saying) -> None:
    if not told:
        return
    console.print("\n  What changed")
    for one in told:
        what = f" ({one.change.what})" if one.change.what != "changed" else ""
        console.print(
            f"   {escape(one.account)}: {escape(about(one.change, one.number))}{what}{_by(one)}", soft_wrap=True
        )
        _tell_lines(console, one.change, one.currency, saying)
    if run.left_out:
        console.print(f"   and {run.left_out:,} more, which were not kept field by field")


def _tell_lines(console: Console, change: Any, currency: str, saying: Saying) -> None:
    for line in lines(change, currency, saying):
        console.print(f"     {line.name:<18} {escape(line.old or '–')} → {escape(line.new or '–')}", soft_wrap=True)


def _tell_aside(console: Console, aside: tuple[SetAsideRow, ...]) -> None:
    if aside:
        console.print("\n  Set aside; the other rows went on")
    for row in aside:
        console.print(f"   {escape(row.list)} {escape(row.ledger_id)}: {escape(row.reason)}", soft_wrap=True)
        console.print(f"     {escape(row.raw)}", soft_wrap=True)


def _tell_calls(console: Console, organisation: OrganisationRow, run: SyncRunRow) -> None:
    if not run.calls:
        console.print("\n  " + ("The calls of this run are no longer kept." if run.call_count else "No call was made."))
        return
    console.print("\n  Calls")
    for number, call in enumerate(run.calls, start=1):
        at = f"{datetime.fromisoformat(call['at']).astimezone(ZoneInfo(organisation.time_zone)):%H:%M:%S}"
        told = f"{call['status'] or 'none':>4}  {call['bytes']:>9,} B  {call['seconds']:>6.2f} s"
        console.print(f"   {number:>4}  {at}  {told}  {escape(call['method'])} {escape(call['path'])}", soft_wrap=True)
        if call["request_id"]:
            console.print(f"{'':45}request id {escape(call['request_id'])}", soft_wrap=True)


def _tell_story(console: Console, organisation: OrganisationRow, story: InvoiceStory, saying: Saying) -> None:
    row = story.invoice
    balance = f"{_money(row.balance, row.currency)} of {_money(row.total, row.currency)} open"
    console.print(
        f"\n[bold]{escape(row.number)}[/bold]  {escape(story.account.name)}  {row.status}, {balance}", soft_wrap=True
    )
    if row.settled_seen_at is not None:
        by = f", from sync run {story.settled_by.id}" if story.settled_by else ""
        seen = _moment(organisation, row.settled_seen_at, seconds=True)
        console.print(f"  We learnt that it was {row.status} on {seen}{by}.", soft_wrap=True)
    if not story.learnt:
        console.print("  Nothing has changed since the first reading of the ledger, or it is no longer kept.")
    for one in story.learnt:
        kind = "look" if one.run.state == "looked" else "sync run"
        console.print(
            f"\n  {_moment(organisation, one.change.at, seconds=True)}  {kind} {one.run.id} ({escape(one.run.trigger)})"
        )
        _tell_lines(console, one.change, row.currency, saying)
        for call in one.calls:
            console.print(f"     {escape(call['method'])} {escape(call['path'])}", soft_wrap=True)
            console.print(f"     request id {escape(call['request_id'] or 'none')}", soft_wrap=True)


def _by(one: Told) -> str:
    first, last = one.change.first_call, one.change.last_call
    if not first:
        return ""
    return f", call {first}" if first == last else f", one of the calls {first} to {last}"


def _facts(run: SyncRunRow) -> dict[str, Any]:
    return run.model_dump(exclude={"calls", "connection_id"})


def _change(one: Told) -> dict[str, Any]:
    kept = one.change.model_dump(exclude={"id", "organisation_id", "sync_run_id", "at", "fields"})
    return {**kept, "fields": one.change.fields, "account": one.account, "number": one.number, "currency": one.currency}


def _story(story: InvoiceStory) -> dict[str, Any]:
    return {
        "invoice": story.invoice.model_dump(),
        "account": story.account.name,
        "learnt": [_learnt(one) for one in story.learnt],
    }


def _learnt(one: Learnt) -> dict[str, Any]:
    return {
        "at": one.change.at,
        "run": one.run.id,
        "trigger": one.run.trigger,
        "what": one.change.what,
        "fields": one.change.fields,
        "calls": one.calls,
    }


def _saying(session: Session, organisation: OrganisationRow, told: tuple[Told, ...]) -> Saying:
    moved = accounts_named(one.change for one in told)
    return Saying(_money, _day, screens.names_of(session, int(organisation.id or 0), moved))


def _money(amount: Any, currency: str) -> str:
    return f"{amount:,.2f} {currency}".rstrip()


def _day(day: date) -> str:
    return f"{day:%d %b %Y}".lstrip("0")


def _moment(organisation: OrganisationRow, instant: datetime, *, seconds: bool = False) -> str:
    local = instant.astimezone(ZoneInfo(organisation.time_zone))
    return f"{local:%d %b %Y %H:%M:%S}" if seconds else f"{local:%d %b %H:%M}"


def _cursor(cursor: dict[str, str] | None) -> str:
    return escape(", ".join(f"{name} {at}" for name, at in (cursor or {}).items()))


def _print_json(console: Console, what: Any) -> None:
    text = json.dumps(what, indent=2, ensure_ascii=False, default=str)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
