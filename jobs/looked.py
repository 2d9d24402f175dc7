"""A look before sending that learnt something stands in the sync log too, with its calls.

Most looks find what we know already, and nothing is written of those. One that finds an invoice paid is where we learnt
it. Its state is "looked", so that it is never taken for a reading of everything.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import update
from sqlmodel import Session, col

from connector import Call, Records
from jobs.carried import put_down_calls
from jobs.papers_along import NONE, Papers
from store.changes import keep_changes
from store.ledger_copy import TakenIn
from store.tables import InvoiceRow, SyncRunRow

LOOKED = "looked"
BEFORE_SENDING = "look before sending"


class Looked(NamedTuple):
    """What a look found, with the calls that it took and when it began.

    `links` are those that were asked for with it, by the ledger's id of the invoice; `papers` were fetched before it.
    """

    records: Records
    calls: Sequence[Call]
    connection_id: int
    at: datetime
    links: Mapping[str, str] = {}
    papers: Papers = NONE


def log_the_look(unit: Session, organisation_id: int, look: Looked, taken: TakenIn, *, now: datetime) -> None:
    """Writes the look down if anything was new or different."""
    if not taken.new + taken.changed:
        return
    row = SyncRunRow(
        organisation_id=organisation_id,
        connection_id=look.connection_id,
        trigger=BEFORE_SENDING,
        state=LOOKED,
        started_at=look.at,
        ended_at=now,
        seen=taken.seen,
        new=taken.new,
        changed=taken.changed,
        unchanged=taken.unchanged,
        accounts_touched=len(taken.touched),
        left_out=taken.changes.left_out,
    )
    put_down_calls(row, look.calls)
    unit.add(row)
    unit.flush()
    assert row.id is not None
    keep_changes(unit, organisation_id, taken.changes, run=row.id, at=now)
    mine = col(InvoiceRow.organisation_id) == organisation_id
    learnt = col(InvoiceRow.settled_by_run).is_(None) & (col(InvoiceRow.settled_seen_at) == now)
    told = col(InvoiceRow.ledger_id).in_([one.ledger_id for one in look.records.invoices])
    unit.execute(update(InvoiceRow).where(mine, learnt, told).values(settled_by_run=row.id))
