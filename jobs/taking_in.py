"""What one reading of a ledger brought, written into our books.

A reading is written down in one go, when it has come to its end. Only a first reading, which may bring tens of
thousands of rows, is written down in portions, each together with the place from which another reading can go on: so it
needs no more room for a large ledger than for a small one, and when the process dies in the middle, the next goes on
from there. Nothing is decided before it is whole.
"""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from connector import LedgerFailure, Records
from jobs.office import Office
from jobs.reading import LEASE, Reading, Run
from jobs.uncollected import uncollected
from store.applied import take_in_applied
from store.departures import take_out
from store.leases import renew_lease
from store.ledger_copy import TakenIn, follow_merges, take_in_accounts, take_in_credits, take_in_invoices
from store.payers import settle_payers
from store.tables import ConnectionRow, SetAsideRow, SyncRunRow


def keep_so_far(office: Office, run: Run, reading: Reading) -> None:
    """Writes the pages of a first reading down, and where it can go on; then it holds them no longer.

    Raises LedgerFailure when another worker has begun to read the same ledger.
    """
    now = office.clock()
    with office.database.unit_of_work() as unit:
        if not renew_lease(unit, run.organisation_id, run.generation, until=now + LEASE):
            raise LedgerFailure("another worker has begun to read this ledger meanwhile")
        take_in(unit, run, reading.pages, reading.taken, now)
        connection, row = unit.get(ConnectionRow, run.connection.id), unit.get(SyncRunRow, run.id)
        assert connection is not None and row is not None
        reading.kept = reading.resume
        connection.cursor = row.cursor_after = dict(reading.kept or {})
        put_down_counts(row, reading.taken)
    reading.ours_until = now + LEASE
    reading.pages.clear()


def take_in(unit: Session, run: Run, pages: list[Records], taken: TakenIn, now: datetime) -> None:
    """Accounts first, because documents name them; what payments settle last, because it names documents."""
    with uncollected():
        _take_in(unit, run, pages, taken, now)


def _take_in(unit: Session, run: Run, pages: list[Records], taken: TakenIn, now: datetime) -> None:
    for page in pages:
        taken.changes.calls = page.carried_by
        take_in_accounts(unit, run.organisation_id, page.accounts, taken)
    follow_merges(unit, run.organisation_id, taken)
    if any(page.accounts for page in pages):
        taken.touched |= settle_payers(unit, run.organisation_id)
    for place, page in enumerate(pages):
        # Whatever is taken in is let go of, so that it is not held beside all that follows from it.
        pages[place] = replace(page, accounts=(), invoices=(), credits=())
        _take_in_documents(unit, run, page, taken, now)
    for page in pages:
        taken.changes.calls = page.carried_by
        take_in_applied(unit, run.organisation_id, page.applied, taken, settled_by=page.settled_by)
        _put_aside(unit, run, page, taken)


def put_down_counts(row: SyncRunRow, taken: TakenIn) -> None:
    """What a reading has come to so far, as its log keeps it."""
    row.seen, row.new, row.changed, row.unchanged = taken.seen, taken.new, taken.changed, taken.unchanged
    row.accounts_touched, row.set_aside, row.gone = len(taken.touched), taken.set_aside, taken.gone
    row.left_out = taken.changes.left_out


def _take_in_documents(unit: Session, run: Run, page: Records, taken: TakenIn, now: datetime) -> None:
    taken.changes.calls = page.carried_by
    take_in_invoices(unit, run.organisation_id, page.invoices, taken, now=now, run=run.id)
    take_in_credits(unit, run.organisation_id, page.credits, taken)
    names = [(one.list, one.ledger_id) for one in page.gone]
    taken.gone += take_out(unit, run.organisation_id, names, taken, now=now, run=run.id)


def _put_aside(unit: Session, run: Run, page: Records, taken: TakenIn) -> None:
    taken.set_aside += len(page.set_aside)
    for aside in page.set_aside:
        unit.add(
            SetAsideRow(
                sync_run_id=run.id, list=aside.list, ledger_id=aside.ledger_id, reason=aside.reason, raw=aside.raw
            )
        )
