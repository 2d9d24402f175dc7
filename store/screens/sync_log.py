"""The sync log: when the ledger was read, what came of it, what was set aside, and whether we are still connected."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlmodel import Session, col

from store.screens.every_page import PAGE
from store.tables import (
    AccountRow,
    ChangeRow,
    ConnectionRow,
    CreditRow,
    InvoiceRow,
    SetAsideRow,
    SyncRunRow,
)

SHOWN = 300
"""Changes of one run that a page shows."""

WHICH = ("all", "changed", "failed")


class Told(NamedTuple):
    """One change, with the names of what it is about. `invoice` is our number of it, where it is about one."""

    change: ChangeRow
    account: str
    invoice: int | None
    number: str
    currency: str


def sync_runs(session: Session, organisation_id: int, *, page: int, which: str = "all") -> tuple[SyncRunRow, ...]:
    """One page of the sync log, the newest first, and one run more when there is a next page."""
    query = select(SyncRunRow).where(col(SyncRunRow.organisation_id) == organisation_id, _only(which))
    query = query.order_by(col(SyncRunRow.started_at).desc(), col(SyncRunRow.id).desc())
    return tuple(session.scalars(query.limit(PAGE + 1).offset((page - 1) * PAGE)))


def runs_since(
    session: Session, organisation_id: int, *, which: str = "all", since: datetime | None = None, limit: int = 25
) -> tuple[SyncRunRow, ...]:
    """The newest runs, back to that moment."""
    query = select(SyncRunRow).where(col(SyncRunRow.organisation_id) == organisation_id, _only(which))
    query = query.where(col(SyncRunRow.started_at) >= since) if since is not None else query
    newest = query.order_by(col(SyncRunRow.started_at).desc(), col(SyncRunRow.id).desc())
    return tuple(session.scalars(newest.limit(limit)))


def _only(which: str) -> ColumnElement[bool]:
    if which == "failed":
        unfinished = col(SyncRunRow.state).in_(("failed", "died", "partial"))
        return or_(unfinished, col(SyncRunRow.set_aside) > 0, col(SyncRunRow.brake) != "")
    if which == "changed":
        return col(SyncRunRow.new) + col(SyncRunRow.changed) + col(SyncRunRow.gone) > 0
    return true()


def last_reading(session: Session, organisation_id: int) -> SyncRunRow | None:
    """The newest run that was to read the ledger, not just a few invoices before a reminder was sent."""
    query = select(SyncRunRow).where(
        col(SyncRunRow.organisation_id) == organisation_id, col(SyncRunRow.state) != "looked"
    )
    newest = query.order_by(col(SyncRunRow.started_at).desc(), col(SyncRunRow.id).desc())
    return session.scalars(newest.limit(1)).one_or_none()


def set_aside(session: Session, organisation_id: int, run_id: int) -> tuple[SetAsideRow, ...]:
    query = select(SetAsideRow).join(SyncRunRow, col(SyncRunRow.id) == SetAsideRow.sync_run_id)
    query = query.where(col(SyncRunRow.organisation_id) == organisation_id, col(SetAsideRow.sync_run_id) == run_id)
    return tuple(session.scalars(query.order_by(col(SetAsideRow.id)).limit(200)))


def changes_of(session: Session, organisation_id: int, run_id: int, *, limit: int = SHOWN) -> tuple[Told, ...]:
    """What one run changed, in the order in which it was noted: accounts, invoices, credits, positions."""
    query = _told(organisation_id).where(col(ChangeRow.sync_run_id) == run_id)
    return tuple(Told(*row) for row in session.execute(query.order_by(col(ChangeRow.id)).limit(limit)))


def count_changes(session: Session, organisation_id: int, run_id: int) -> int:
    """How many of its changes are kept field by field."""
    query = select(func.count()).select_from(ChangeRow)
    query = query.where(col(ChangeRow.organisation_id) == organisation_id, col(ChangeRow.sync_run_id) == run_id)
    return session.scalars(query).one()


def _told(organisation_id: int) -> Any:
    """Changes with the account, invoice or credit that they are about, as far as we still have it."""
    same = col(ChangeRow.organisation_id) == organisation_id
    invoice = and_(
        col(ChangeRow.list) == "invoices",
        col(InvoiceRow.organisation_id) == organisation_id,
        col(InvoiceRow.ledger_id) == ChangeRow.ledger_id,
    )
    credit = and_(
        col(ChangeRow.list) == "credits",
        col(CreditRow.organisation_id) == organisation_id,
        col(CreditRow.ledger_id) == ChangeRow.ledger_id,
    )
    account = and_(col(AccountRow.id) == ChangeRow.account_id, col(AccountRow.organisation_id) == organisation_id)
    return (
        select(
            ChangeRow,
            func.coalesce(AccountRow.name, ""),
            InvoiceRow.id,
            func.coalesce(InvoiceRow.number, CreditRow.number, ""),
            func.coalesce(InvoiceRow.currency, CreditRow.currency, ""),
        )
        .outerjoin(AccountRow, account)
        .outerjoin(InvoiceRow, invoice)
        .outerjoin(CreditRow, credit)
        .where(same)
    )


def names_of(session: Session, organisation_id: int, account_ids: Iterable[int]) -> dict[int, str]:
    """The names of these of our accounts."""
    query = select(AccountRow.id, AccountRow.name).where(
        col(AccountRow.organisation_id) == organisation_id, col(AccountRow.id).in_(sorted(set(account_ids)))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def connection(session: Session, organisation_id: int) -> ConnectionRow | None:
    query = select(ConnectionRow).where(col(ConnectionRow.organisation_id) == organisation_id)
    return session.scalars(query).one_or_none()
