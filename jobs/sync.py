"""Sync: read what has changed in the ledger, and look again at every account it touches.

Everything is read first and written afterwards, in one commit: records, cursor, positions and the sync run's figures.
A sync that dies half-way has therefore changed nothing but the sync log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from connector import Call, ConsentNeeded, Cursor, Ledger, LedgerFailure, RateLimited, Records, Refused, SetAside
from engine.calendars import civil_date
from jobs.carried import put_down_calls, with_their_calls
from jobs.containing import contained
from jobs.ledgers import connection_of, learn_who_it_is, ledger_of, remember_in
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.reopened import tell_of_reopened
from store.changes import Changes, keep_changes
from store.leases import end_lease, renew_lease, take_lease
from store.ledger_copy import TakenIn, take_in_accounts, take_in_credits, take_in_invoices, unknown_accounts
from store.moves import note_moves, stood
from store.tables import ConnectionRow, OrganisationRow, SetAsideRow, SyncRunRow
from store.tasks import close_task

log = structlog.get_logger()

LEASE = timedelta(minutes=10)


class Progress(Protocol):
    """Told after each page: how many rows so far, and how many the ledger announced, if it did."""

    def __call__(self, done: int, expected: int | None) -> None: ...


@dataclass(frozen=True, slots=True)
class _Run:
    id: int
    organisation_id: int
    generation: int
    connection: ConnectionRow
    known: bool


def sync(office: Office, organisation_id: int, *, trigger: str, progress: Progress | None = None) -> SyncRunRow | None:
    """One reading of the organisation's ledger. None when it is not connected, must wait, or is being read already."""
    run = _begun(office, organisation_id, trigger)
    if run is None:
        return None
    calls: Sequence[Call] = ()
    try:
        ledger = ledger_of(office, run.connection)
        calls = ledger.calls
        pages = _read(office, run, ledger, progress)
        return _taken_in(office, run, calls, pages)
    except LedgerFailure as failure:
        return _failed(office, run, calls, failure)
    except Exception as trouble:
        # Whatever it was, the log must say so and not blame a crash, and the next sync must not have to wait for us.
        log.exception("sync failed", organisation=organisation_id)
        return _failed(office, run, calls, LedgerFailure(f"Something went wrong inside arrears: {_named(trouble)}"))


def sync_due(office: Office) -> None:
    """Syncs every organisation whose time has come."""
    now = office.clock()
    with office.database.reading() as session:
        due = session.scalars(
            select(OrganisationRow.id).where(
                or_(col(OrganisationRow.next_sync_at).is_(None), col(OrganisationRow.next_sync_at) <= now)
            )
        ).all()
    for organisation_id in due:
        with contained("sync died", organisation=organisation_id):
            sync(office, organisation_id, trigger="schedule")


def _begun(office: Office, organisation_id: int, trigger: str) -> _Run | None:
    now = office.clock()
    with office.database.unit_of_work() as unit:
        connection = connection_of(unit, organisation_id)
        if connection is None or connection.state != "active" or (connection.not_before or now) > now:
            return None
        generation = take_lease(unit, organisation_id, now=now, until=now + LEASE)
        if generation is None:
            return None
        _bury_the_dead(unit, organisation_id, now)
        row = SyncRunRow(
            organisation_id=organisation_id,
            connection_id=connection.id,
            trigger=trigger,
            started_at=now,
            cursor_before=connection.cursor,
        )
        unit.add(row)
        unit.flush()
        organisation = unit.get(OrganisationRow, organisation_id)
        assert organisation is not None
        return _Run(row.id, organisation_id, generation, connection, known=bool(organisation.currency))


def _bury_the_dead(unit: Session, organisation_id: int, now: datetime) -> None:
    """Whoever held the lease before us and left a run open has died in the middle of it."""
    unit.execute(
        update(SyncRunRow)
        .where(col(SyncRunRow.organisation_id) == organisation_id, col(SyncRunRow.state) == "running")
        .values(
            state="died",
            ended_at=now,
            error="The sync was cut short: the process ended. Nothing of it was kept.",
            next_act="Nothing to do: the next sync reads the same again.",
        )
    )


def _read(office: Office, run: _Run, ledger: Ledger, progress: Progress | None) -> list[Records]:
    """All pages since the cursor, and the accounts that the invoices among them name and we do not know."""
    if not run.known:
        learn_who_it_is(office, run.organisation_id, ledger)
    pages: list[Records] = []
    done = 0
    for page in with_their_calls(ledger.calls, ledger.pull(run.connection.cursor)):
        _still_ours(office, run)
        pages.append(page)
        done += len(page.accounts) + len(page.invoices) + len(page.credits)
        if progress:
            progress(done, page.expected)
    named = {invoice.account_ledger_id for page in pages for invoice in page.invoices}
    shown = {account.ledger_id for page in pages for account in page.accounts}
    with office.database.reading() as session:
        missing = unknown_accounts(session, run.organisation_id, named - shown)
    if missing:
        pages.extend(with_their_calls(ledger.calls, map(ledger.fetch_accounts, [missing])))
    return pages


def _still_ours(office: Office, run: _Run) -> None:
    """A long reading keeps its lease alive, so that nobody else begins the same again."""
    with office.database.unit_of_work() as unit:
        if not renew_lease(unit, run.organisation_id, run.generation, until=office.clock() + LEASE):
            raise LedgerFailure("another worker has begun to read this ledger meanwhile")


def _taken_in(office: Office, run: _Run, calls: Sequence[Call], pages: Sequence[Records]) -> SyncRunRow | None:
    now = office.clock()
    with office.database.unit_of_work() as unit:
        if not end_lease(unit, run.organisation_id, run.generation):
            return None  # another worker has taken over and reads the same again
        organisation = unit.get(OrganisationRow, run.organisation_id)
        assert organisation is not None
        # Of a first reading everything is new: its counts say enough.
        taken = TakenIn() if organisation.ledger_as_of else TakenIn(changes=Changes(most=0))
        for page in pages:
            taken.changes.calls = page.carried_by
            take_in_accounts(unit, run.organisation_id, page.accounts, taken)
        for page in pages:
            taken.changes.calls = page.carried_by
            take_in_invoices(unit, run.organisation_id, page.invoices, taken, now=now, run=run.id)
            take_in_credits(unit, run.organisation_id, page.credits, taken)
        cursor = next((page.cursor for page in reversed(pages) if page.cursor is not None), None)
        a_new_day = _as_of(organisation) != office.as_of(organisation)
        organisation.ledger_as_of = now
        organisation.next_sync_at = now + timedelta(minutes=organisation.sync_every_minutes)
        connection = unit.get(ConnectionRow, run.connection.id)
        assert connection is not None
        connection.not_before = None
        if cursor is not None:
            connection.cursor = dict(cursor)
        close_task(unit, organisation_id=run.organisation_id, key="sync", at=now, by="arrears")
        # Data of a new day lifts the hold on stale data from whoever is held, touched or not.
        before = stood(unit, taken.touched if taken.changes.most else ())
        looked = recalculate_in(unit, office, run.organisation_id, taken.touched, restless=a_new_day)
        note_moves(unit, taken.changes, before)
        keep_changes(unit, run.organisation_id, taken.changes, run=run.id, at=now)
        tell_of_reopened(unit, office, run.organisation_id, taken.reopened, looked, run=run.id)
        set_aside = [row for page in pages for row in page.set_aside]
        return _closed(unit, run, calls, now, taken=taken, set_aside=set_aside, cursor=cursor)


def _closed(
    unit: Session,
    run: _Run,
    calls: Sequence[Call],
    now: datetime,
    *,
    taken: TakenIn,
    set_aside: Sequence[SetAside],
    cursor: Cursor | None,
) -> SyncRunRow:
    row = unit.get(SyncRunRow, run.id)
    assert row is not None
    put_down_calls(row, calls)
    row.state, row.ended_at = "done", now
    row.cursor_after = dict(cursor) if cursor is not None else None
    row.seen, row.new, row.changed, row.unchanged = taken.seen, taken.new, taken.changed, taken.unchanged
    row.accounts_touched, row.set_aside = len(taken.touched), len(set_aside)
    row.left_out = taken.changes.left_out
    for aside in set_aside:
        unit.add(
            SetAsideRow(
                sync_run_id=run.id, list=aside.list, ledger_id=aside.ledger_id, reason=aside.reason, raw=aside.raw
            )
        )
    return row


def _failed(office: Office, run: _Run, calls: Sequence[Call], failure: LedgerFailure) -> SyncRunRow | None:
    now = office.clock()
    with office.database.unit_of_work() as unit:
        if not end_lease(unit, run.organisation_id, run.generation):
            return None
        row = unit.get(SyncRunRow, run.id)
        assert row is not None
        put_down_calls(row, calls)
        row.state, row.ended_at, row.error = "failed", now, str(failure)
        row.next_act = _next_act(unit, office, run, failure, now)
        return row


def _next_act(unit: Session, office: Office, run: _Run, failure: LedgerFailure, now: datetime) -> str:
    organisation = unit.get(OrganisationRow, run.organisation_id)
    assert organisation is not None
    organisation.next_sync_at = now + timedelta(minutes=organisation.sync_every_minutes)
    remember_in(unit, office, run.connection, failure)
    match failure:
        case RateLimited(until=until):
            organisation.next_sync_at = max(organisation.next_sync_at, until)
            return f"Nothing to do: the next sync waits until {until:%H:%M} UTC, as the ledger asks."
        case ConsentNeeded():
            return "Connect again on the page Connections."
        case Refused():
            return "Send this run to support: the ledger does not accept what was asked."
        case _:
            return "Nothing to do now: the next sync tries again. No reminder is sent on data that is too old."


def _as_of(organisation: OrganisationRow) -> date | None:
    """The date of the last good reading, on the organisation's own wall calendar."""
    seen = organisation.ledger_as_of
    return civil_date(seen, ZoneInfo(organisation.time_zone)) if seen else None


def _named(trouble: Exception) -> str:
    """The kind of trouble in one line. Its own words may hold personal data, so only a ValueError's are shown."""
    return f"{type(trouble).__name__}: {trouble}" if isinstance(trouble, ValueError) else type(trouble).__name__
