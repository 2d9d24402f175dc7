"""Tasks: whatever needs a person is a line that stays open until somebody has dealt with it. Never silence."""

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from store.tables import TaskRow


def open_task(
    session: Session,
    *,
    organisation_id: int,
    key: str,
    kind: str,
    text: str,
    at: datetime,
    account_id: int | None = None,
) -> None:
    """Opens a task, or opens it again when the same matter comes back. One matter is one task."""
    task = session.scalars(
        select(TaskRow).where(col(TaskRow.organisation_id) == organisation_id, col(TaskRow.key) == key)
    ).one_or_none()
    if task is None:
        session.add(
            TaskRow(organisation_id=organisation_id, account_id=account_id, key=key, kind=kind, text=text, opened_at=at)
        )
    elif task.closed_at is not None:
        task.closed_at, task.closed_by, task.opened_at, task.text = None, "", at, text
    else:
        task.text = text
    session.flush()


def is_open(session: Session, *, organisation_id: int, key: str) -> bool:
    """Whether somebody has been asked already, and has not dealt with it yet."""
    query = select(TaskRow.id).where(
        col(TaskRow.organisation_id) == organisation_id, col(TaskRow.key) == key, col(TaskRow.closed_at).is_(None)
    )
    return session.scalars(query).first() is not None


def close_task(session: Session, *, organisation_id: int, key: str, at: datetime, by: str) -> None:
    """Closes the task of this matter, if one is open."""
    session.execute(
        update(TaskRow)
        .where(
            col(TaskRow.organisation_id) == organisation_id, col(TaskRow.key) == key, col(TaskRow.closed_at).is_(None)
        )
        .values(closed_at=at, closed_by=by)
    )
