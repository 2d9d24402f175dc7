"""What every page reads: how much waits for a person, and a row of a given number, if it is our own.

A number typed into the address bar may be another organisation's; it is then as if there were no such row.
"""

from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from engine.reminders import ReminderState
from engine.replies import ReplyKind
from store.tables import ReminderRow, ReplyRow, TaskRow
from store.tasks import told_beside_its_reminder

PAGE = 25


class Needs(NamedTuple):
    """How much waits for a person; what is unsure or refused is no task besides."""

    tasks: int
    unread: int
    unmatched: int
    unsure: int
    refused: int


def needs(session: Session, organisation_id: int) -> Needs:
    def count(table: Any, *where: Any) -> Any:
        query = select(func.count()).select_from(table).where(table.organisation_id == organisation_id, *where)
        return query.scalar_subquery()

    unread, known = col(ReplyRow.read_at).is_(None), col(ReplyRow.account_id).is_not(None)
    counts: Any = select(
        count(TaskRow, col(TaskRow.closed_at).is_(None), ~told_beside_its_reminder()),
        count(ReplyRow, unread, known, col(ReplyRow.kind) == ReplyKind.HUMAN),
        count(ReplyRow, unread, ~known),
        count(ReminderRow, col(ReminderRow.state) == ReminderState.UNSURE),
        count(ReminderRow, col(ReminderRow.state) == ReminderState.REFUSED),
    )
    return Needs(*session.execute(counts).one())


def one(session: Session, table: Any, organisation_id: int, number: int) -> Any | None:
    """The row of this number if it is the organisation's own, else None."""
    return session.scalars(own_row(table, organisation_id, number)).one_or_none()


def own_row(table: Any, organisation_id: int, number: int) -> Select[Any]:
    return select(table).where(table.id == number, table.organisation_id == organisation_id)
