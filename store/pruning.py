"""What is old is let go: calls and changes after some months, sync runs after more than a year. Little by little.

Each batch is meant for a transaction of its own, so that nobody waits for a large clearing-out. An invoice goes on
naming the moment at which we learnt that it was settled, also when the run that said so is gone.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, delete, func, select, update
from sqlmodel import Session, col

from store.tables import ChangeRow, SetAsideRow, SyncRunRow

BATCH = 500
"""Rows of each kind that go at once."""


def prune_details(session: Session, before: datetime) -> int:
    """Lets go of changes, and of the calls of runs, from before that moment. Returns how many; 0: none is left."""
    old: Any = select(ChangeRow.id).where(col(ChangeRow.at) < before).order_by(col(ChangeRow.at)).limit(BATCH)
    changes = session.execute(delete(ChangeRow).where(col(ChangeRow.id).in_(old)))
    with_calls: Any = (
        select(SyncRunRow.id)
        .where(*_over(before), func.length(cast(SyncRunRow.calls, Text)) > len("[]"))
        .order_by(col(SyncRunRow.started_at))
        .limit(BATCH)
    )
    calls = session.execute(update(SyncRunRow).where(col(SyncRunRow.id).in_(with_calls)).values(calls=[]))
    return int(changes.rowcount + calls.rowcount)


def prune_runs(session: Session, before: datetime) -> int:
    """Lets go of sync runs from before that moment, with all that hangs on them. Returns how many; 0: none is left.

    The last good run of each organisation stays: it says how old the copy of the ledger is.
    """
    newest = select(func.max(SyncRunRow.id)).where(col(SyncRunRow.state) == "done").group_by(SyncRunRow.organisation_id)
    old: Any = select(SyncRunRow.id).where(*_over(before), col(SyncRunRow.id).not_in(newest))
    chosen = list(session.scalars(old.order_by(col(SyncRunRow.started_at)).limit(BATCH)))
    for table in (ChangeRow, SetAsideRow):
        session.execute(delete(table).where(col(table.sync_run_id).in_(chosen)))
    session.execute(delete(SyncRunRow).where(col(SyncRunRow.id).in_(chosen)))
    return len(chosen)


def _over(before: datetime) -> tuple[Any, Any]:
    return col(SyncRunRow.started_at) < before, col(SyncRunRow.state) != "running"
