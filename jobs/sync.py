"""Sync: read what has changed in the ledger, and look again at every account it touches.

Everything is read first and written afterwards, in one commit: records, cursor, positions and the sync run's figures.
A sync that dies half-way has therefore changed nothing but the sync log. One that the ledger cut short keeps what was
read and goes on from there, and so does a first reading that dies; until it has come to the end, our copy is as old as
before, and says so.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import or_, select
from sqlmodel import Session, col

from connector import (
    WHOLE_CHECK_DUE,
    ConsentNeeded,
    Ledger,
    LedgerFailure,
    Purpose,
    RateLimited,
    Records,
    Refused,
)
from engine.calendars import civil_date
from jobs import brakes
from jobs.carried import put_down_calls
from jobs.containing import contained
from jobs.governors import governor_of
from jobs.ledgers import connection_of, ledger_of, remember_in
from jobs.office import Office
from jobs.polling import next_reading
from jobs.reading import LEASE, Asks, Progress, Reading, Run, read
from jobs.recalculate import recalculate_in
from jobs.reopened import tell_of_reopened
from jobs.taking_in import keep_so_far, put_down_counts, take_in
from store import rings
from store.brake_figures import drivers, open_credit_ids, open_ids
from store.changes import keep_changes
from store.leases import end_lease, take_lease
from store.moves import note_moves, stood
from store.tables import ConnectionRow, OrganisationRow, SyncRunRow
from store.tasks import close_task

log = structlog.get_logger()

NIGHTLY = "nightly check"
SOON = timedelta(minutes=1)
"""After a ledger fell silent in the middle of a reading."""


def sync(office: Office, organisation_id: int, *, trigger: str, progress: Progress | None = None) -> SyncRunRow | None:
    """One reading of the organisation's ledger. None when it is not connected, must wait, or is being read already."""
    run = _begun(office, organisation_id, trigger)
    return _done(office, run, _changes, progress) if run is not None else None


def check(office: Office, organisation_id: int, *, trigger: str = NIGHTLY) -> SyncRunRow | None:
    """Compares every open invoice with the ledger, whatever the ledger calls changed. None as with `sync`.

    The changes themselves are read by `sync`, so this moves no cursor and makes our copy no younger.
    """
    run = _begun(office, organisation_id, trigger, is_check=True)
    return _done(office, run, _everything_open, None) if run is not None else None


def _changes(_office: Office, run: Run, ledger: Ledger) -> Iterator[Records]:
    return ledger.pull(run.connection.cursor, also=sorted({name for name in run.rings.values() if name}))


def _everything_open(office: Office, run: Run, ledger: Ledger) -> Iterator[Records]:
    may_lack = WHOLE_CHECK_DUE in (run.connection.cursor or {})
    with office.database.reading() as session:
        known = open_ids(session, run.organisation_id)
        in_favour = open_credit_ids(session, run.organisation_id) if may_lack else None
    return ledger.whole_check(known, in_favour)


def _done(office: Office, run: Run, asks: Asks, progress: Progress | None) -> SyncRunRow | None:
    ledger: Ledger | None = None
    try:
        ledger = ledger_of(
            office, run.connection, governor_of(office, run.connection, Purpose.READING, waits=run.waits)
        )
        reading = read(office, run, ledger, asks, keep_so_far, progress)
        return _taken_in(office, run, ledger, reading)
    except LedgerFailure as failure:
        return _failed(office, run, ledger, failure)
    except Exception as trouble:
        # Whatever it was, the log must say so and not blame a crash, and the next sync must not have to wait for us.
        log.exception("sync failed", organisation=run.organisation_id)
        failure = LedgerFailure(f"Something went wrong inside arrears: {_named(trouble)}")
        return _failed(office, run, ledger, failure)


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


def _begun(office: Office, organisation_id: int, trigger: str, *, is_check: bool = False) -> Run | None:
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
        first = organisation.ledger_as_of is None
        if is_check:
            connection.check_tried_at = now
        waiting = [] if is_check else rings.unanswered(unit, int(connection.id or 0))
        rings.tried(unit, waiting, now)
        return Run(
            row.id,
            organisation_id,
            generation,
            connection,
            [],
            known=bool(organisation.currency),
            first=first,
            resumed=(first and connection.cursor is not None) or _last_state(unit, organisation_id) == "partial",
            rings={int(ring.id or 0): ring.ledger_id if ring.list == "invoices" else "" for ring in waiting},
            is_check=is_check,
        )


def _last_state(unit: Session, organisation_id: int) -> str | None:
    """How the last reading ended that came to anything."""
    query = select(SyncRunRow.state).where(
        col(SyncRunRow.organisation_id) == organisation_id,
        col(SyncRunRow.state).in_(("done", "partial")),
        col(SyncRunRow.trigger) != NIGHTLY,
    )
    return unit.scalars(query.order_by(col(SyncRunRow.id).desc()).limit(1)).first()


def _bury_the_dead(unit: Session, organisation_id: int, now: datetime) -> None:
    """Whoever held the lease before us and left a run open has died in the middle of it."""
    running = (col(SyncRunRow.organisation_id) == organisation_id, col(SyncRunRow.state) == "running")
    for row in unit.scalars(select(SyncRunRow).where(*running)):
        row.state, row.ended_at = "died", now
        if row.cursor_after is None:
            row.error = "The sync was cut short: the process ended. Nothing of it was kept."
            row.next_act = "Nothing to do: the next sync reads the same again."
        else:
            row.error = "The first reading was cut short: the process ended. What was written down is kept."
            row.next_act = "Nothing to do: the next sync goes on from there."


def _taken_in(office: Office, run: Run, ledger: Ledger, reading: Reading) -> SyncRunRow | None:
    now = office.clock()
    with office.database.unit_of_work() as unit:
        if not end_lease(unit, run.organisation_id, run.generation):
            return None  # another worker has taken over and reads the same again
        organisation = unit.get(OrganisationRow, run.organisation_id)
        connection = unit.get(ConnectionRow, run.connection.id)
        assert organisation is not None and connection is not None
        watch = brakes.watch(unit, office, organisation, reading.pages, whole=run.is_check)
        taken = reading.taken
        take_in(unit, run, reading.pages, taken, now)
        a_new_day = _as_of(organisation) != office.as_of(organisation)
        next_act = _go_on(unit, office, run, organisation, connection, reading)
        # Data of a new day lifts the hold on stale data from whoever is held, touched or not.
        before = stood(unit, taken.touched if taken.changes.most else ())
        were = drivers(unit, taken.touched) if len(taken.touched) >= office.brakes.least else {}
        why = watch.seen(unit, organisation, office, run.id)
        if not (run.first and reading.cut_short):  # of half the books nothing can be decided yet
            looked = recalculate_in(
                unit,
                office,
                run.organisation_id,
                None if run.first and run.resumed else taken.touched,
                restless=a_new_day,
                answer={account for account, _ in taken.reopened},
            )
            note_moves(unit, taken.changes, before)
            tell_of_reopened(unit, office, run.organisation_id, taken.reopened, looked, run=run.id)
        keep_changes(unit, run.organisation_id, taken.changes, run=run.id, at=now)
        row = _closed(unit, run, ledger, reading, now)
        row.next_act = next_act
        row.brake = " ".join(part for part in (why, watch.moved(unit, office, taken.touched, were)) if part)
        if row.brake:
            brakes.pull(unit, office, organisation, row.brake)
        return row


def _go_on(
    unit: Session,
    office: Office,
    run: Run,
    organisation: OrganisationRow,
    connection: ConnectionRow,
    reading: Reading,
) -> str:
    """Cursor, age and the next reading. Returns what happens next, in words, where that is not plain."""
    now = office.clock()
    if run.is_check:
        connection.checked_at = now
        kept = connection.cursor or {}
        connection.cursor = {name: value for name, value in kept.items() if name != WHOLE_CHECK_DUE} or None
        return ""
    if reading.cursor is not None:
        connection.cursor = dict(reading.cursor)
    if reading.cut_short is not None:
        remember_in(unit, office, run.connection, reading.cut_short)
        until = reading.cut_short.until if isinstance(reading.cut_short, RateLimited) else now + SOON
        organisation.next_sync_at = until
        return (
            f"Nothing to do: what was read is kept, and it goes on from there at {until:%H:%M:%S} UTC. "
            "Until it is read to its end, the ledger counts as read when it last was."
        )
    organisation.ledger_as_of = now
    organisation.next_sync_at = next_reading(organisation, connection, office.webhooks, now)
    connection.not_before = None
    rings.answered(unit, [*run.rings], now)
    close_task(unit, organisation_id=run.organisation_id, key="sync", at=now, by="arrears")
    return ""


def _closed(unit: Session, run: Run, ledger: Ledger, reading: Reading, now: datetime) -> SyncRunRow:
    row = unit.get(SyncRunRow, run.id)
    assert row is not None
    _put_down(row, run, ledger)
    cut, cursor = reading.cut_short, reading.cursor
    row.state, row.ended_at = "done" if cut is None else "partial", now
    row.error = str(cut or "")
    if cut is not None:
        row.goes_on_at = cut.until if isinstance(cut, RateLimited) else now + SOON
    row.cursor_after = dict(cursor) if cursor is not None else None
    put_down_counts(row, reading.taken)
    return row


def _put_down(row: SyncRunRow, run: Run, ledger: Ledger | None) -> None:
    put_down_calls(row, ledger.calls if ledger is not None else ())
    row.waits = list(run.waits)


def _failed(office: Office, run: Run, ledger: Ledger | None, failure: LedgerFailure) -> SyncRunRow | None:
    now = office.clock()
    with office.database.unit_of_work() as unit:
        if not end_lease(unit, run.organisation_id, run.generation):
            return None
        row = unit.get(SyncRunRow, run.id)
        assert row is not None
        _put_down(row, run, ledger)
        row.state, row.ended_at, row.error = "failed", now, str(failure)
        row.next_act = _next_act(unit, office, run, failure, now)
        return row


def _next_act(unit: Session, office: Office, run: Run, failure: LedgerFailure, now: datetime) -> str:
    organisation = unit.get(OrganisationRow, run.organisation_id)
    assert organisation is not None
    if not run.is_check:
        organisation.next_sync_at = now + timedelta(minutes=organisation.sync_every_minutes)
    remember_in(unit, office, run.connection, failure)
    match failure:
        case RateLimited(until=until):
            organisation.next_sync_at = max(organisation.next_sync_at or until, until)
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
