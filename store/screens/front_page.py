"""The front page: what is owed and how late, what a person has to do, what is coming, and what was lately paid."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from store.screens._owing import OPEN, sum_where
from store.tables import AccountRow, InvoiceRow, PositionRow, TaskRow
from store.tasks import told_beside_its_reminder


class Ageing(NamedTuple):
    """What is open in one currency, by age: not yet due, 1 to 30 days, 31 to 60, 61 to 90, and over 90."""

    currency: str
    buckets: tuple[Decimal, ...]
    open: Decimal
    overdue: Decimal
    invoices: int


class Coming(NamedTuple):
    """How many accounts reach a step on a day to come."""

    day: date
    step: str
    accounts: int


def ageing(session: Session, organisation_id: int, as_of: date) -> tuple[Ageing, ...]:
    """One line a currency, the largest first."""
    today, *edges = [as_of - timedelta(days=days) for days in (0, 30, 60, 90)]
    due = col(InvoiceRow.due_on)
    spans = [and_(due < upper, due >= lower) for upper, lower in pairwise((today, *edges))]
    columns = [sum_where(span) for span in (due >= today, *spans, due < edges[-1])]
    query: Any = select(col(InvoiceRow.currency), func.count(), *columns)
    query = query.where(col(InvoiceRow.organisation_id) == organisation_id, *OPEN).group_by(InvoiceRow.currency)
    lines = [
        Ageing(currency, tuple(buckets), sum(buckets, Decimal(0)), sum(buckets[1:], Decimal(0)), count)
        for currency, count, *buckets in session.execute(query)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.open, line.currency)))


def tasks(session: Session, organisation_id: int, limit: int = 12) -> tuple[tuple[TaskRow, str], ...]:
    """The open tasks but those about a reminder that is shown itself, oldest first, each with its account's name."""
    query: Any = (
        select(TaskRow, func.coalesce(AccountRow.name, ""))
        .outerjoin(AccountRow, col(AccountRow.id) == TaskRow.account_id)
        .where(col(TaskRow.organisation_id) == organisation_id, col(TaskRow.closed_at).is_(None))
        .where(~told_beside_its_reminder())
        .order_by(col(TaskRow.opened_at), col(TaskRow.id))
        .limit(limit)
    )
    return tuple((task, name) for task, name in session.execute(query))


def coming(session: Session, organisation_id: int, *, after: date, until: date) -> tuple[Coming, ...]:
    """What the schedule reaches in the days to come, if nobody pays."""
    day, step = col(PositionRow.next_due_on), col(PositionRow.next_step)
    query: Any = select(day, step, func.count()).where(
        col(PositionRow.organisation_id) == organisation_id,
        col(PositionRow.state) == "waiting",
        day > after,
        day <= until,
    )
    return tuple(Coming(*row) for row in session.execute(query.group_by(day, step).order_by(day, step)))


def settled(
    session: Session, organisation_id: int, *, since: datetime, limit: int = 6
) -> tuple[tuple[InvoiceRow, str], ...]:
    """The invoices that we lately learnt to be settled, the newest first, each with the name of its account."""
    query: Any = select(InvoiceRow, AccountRow.name).join(AccountRow, col(AccountRow.id) == InvoiceRow.account_id)
    query = query.where(col(InvoiceRow.organisation_id) == organisation_id, col(InvoiceRow.settled_seen_at) >= since)
    newest = query.order_by(col(InvoiceRow.settled_seen_at).desc(), col(InvoiceRow.id).desc()).limit(limit)
    return tuple((row, name) for row, name in session.execute(newest))
