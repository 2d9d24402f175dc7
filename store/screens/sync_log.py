"""The sync log: when the ledger was read, what came of it, what was set aside, and whether we are still connected."""

from sqlalchemy import select
from sqlmodel import Session, col

from store.screens.every_page import PAGE
from store.tables import ConnectionRow, SetAsideRow, SyncRunRow


def sync_runs(session: Session, organisation_id: int, *, page: int) -> tuple[SyncRunRow, ...]:
    """One page of the sync log, the newest first, and one run more when there is a next page."""
    query = select(SyncRunRow).where(col(SyncRunRow.organisation_id) == organisation_id)
    query = query.order_by(col(SyncRunRow.started_at).desc(), col(SyncRunRow.id).desc())
    return tuple(session.scalars(query.limit(PAGE + 1).offset((page - 1) * PAGE)))


def set_aside(session: Session, organisation_id: int, run_id: int) -> tuple[SetAsideRow, ...]:
    query = select(SetAsideRow).join(SyncRunRow, col(SyncRunRow.id) == SetAsideRow.sync_run_id)
    query = query.where(col(SyncRunRow.organisation_id) == organisation_id, col(SetAsideRow.sync_run_id) == run_id)
    return tuple(session.scalars(query.order_by(col(SetAsideRow.id)).limit(200)))


def connection(session: Session, organisation_id: int) -> ConnectionRow | None:
    query = select(ConnectionRow).where(col(ConnectionRow.organisation_id) == organisation_id)
    return session.scalars(query).one_or_none()
