"""Calls: a person makes them. Nothing leaves from here; what counts is that the call was made, by whom and when."""

from datetime import date

from sqlmodel import Session

from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs.office import Office
from jobs.settle import note_on
from store import outbox
from store.tables import ReminderRow


def call_made(unit: Session, office: Office, reminder: ReminderRow, *, on: date) -> None:
    """The call that this queued reminder stands for was made that day, on the organisation's own calendar."""
    now = office.clock()
    made, waited = "the call was made", (ReminderState.QUEUED,)
    outbox.settle(unit, reminder.id, ReminderState.SENT, now=now, why=made, performed_on=on, from_states=waited)
    by = f" by {reminder.approved_by}" if reminder.approved_by else ""
    note_on(unit, reminder, NoteKind.REMINDER_SENT, f"{reminder.step_name}: the call was made{by}.", now)
