"""Tasks: whatever needs a person is a line that stays open until somebody has dealt with it. Never silence."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, select, update
from sqlmodel import Session, col

from store.tables import ReminderRow, TaskRow


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


def key_of(reminder: ReminderRow, kind: str) -> str:
    """The matter of a reminder that is in doubt or was refused: each is one of its own."""
    return f"{kind}:reminder {reminder.id}"


def told_beside_its_reminder() -> ColumnElement[bool]:
    """Whether a task asks about a reminder that is still in doubt or refused, and is shown with it."""
    state: Any = col(ReminderRow.state)
    return exists().where(
        col(ReminderRow.account_id) == col(TaskRow.account_id),
        state.in_(("unsure", "refused")),
        state + ":reminder " + cast(col(ReminderRow.id), String) == col(TaskRow.key),
    )


def asked_about(session: Session, reminders: Collection[ReminderRow]) -> Mapping[int, str]:
    """What a person is asked about each of these, in doubt or refused, by the reminder's number."""
    keys = {key_of(one, one.state): int(one.id or 0) for one in reminders}
    own = col(TaskRow.organisation_id).in_({one.organisation_id for one in reminders})
    query = select(TaskRow).where(own, col(TaskRow.key).in_(keys), col(TaskRow.closed_at).is_(None))
    return {keys[task.key]: task.text for task in session.scalars(query)} if keys else {}
