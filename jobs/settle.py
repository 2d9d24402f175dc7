"""Settle: what became of a message that left, or may have left, written down once and for all.

A doubt can be settled later by evidence (a reply to that very message, the provider's word) or by a person, through
this same function, so the account's position moves on exactly once.
"""

from datetime import date, datetime, timedelta

from sqlmodel import Session

from channels import Outcome, Receipt, Refused, Unavailable, Unsure
from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs.compose import summary
from jobs.office import Office
from jobs.recalculate import recalculate_in
from store import outbox
from store.history import write_note
from store.leases import one_at_a_time
from store.tables import MessageRow, ReminderRow
from store.tasks import close_task, open_task

WAITS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))


def settle_in(unit: Session, office: Office, reminder_id: int, attempt: int, outcome: Outcome, *, on: date) -> None:
    """Writes the outcome of one attempt, in the unit of work of whoever knows it, and looks at the account again."""
    now = office.clock()
    reminder = unit.get(ReminderRow, reminder_id)
    assert reminder is not None
    one_at_a_time(unit, reminder.organisation_id)
    message = unit.get(MessageRow, attempt)
    assert message is not None
    doubtful = (ReminderState.SENDING, ReminderState.UNSURE)
    match outcome:
        case Receipt(provider_id=provider_id, at=at):
            settled = outbox.settle(
                unit, reminder_id, ReminderState.SENT, now=now, performed_on=on, from_states=doubtful
            )
            message.sent_at, message.provider_id, message.outcome = at, provider_id, "sent"
            if settled:
                note_on(unit, reminder, NoteKind.REMINDER_SENT, summary(message, reminder), now)
                close_task(
                    unit,
                    organisation_id=reminder.organisation_id,
                    key=f"unsure:reminder {reminder_id}",
                    at=now,
                    by="arrears",
                )
        case Refused(why=why):
            settled = outbox.settle(unit, reminder_id, ReminderState.REFUSED, now=now, why=why)
            message.outcome = f"refused: {why}"
            if settled:
                text = f"{reminder.step_name} to {message.to} was refused: {why}."
                note_on(unit, reminder, NoteKind.REFUSED, text, now)
                task_on(unit, reminder, "refused", f"{text} Correct the address in the ledger, then try again.", now)
        case Unsure(why=why):
            settled = outbox.settle(unit, reminder_id, ReminderState.UNSURE, now=now, why=why)
            message.outcome = f"unsure: {why}"
            if settled:
                text = f"Nobody knows whether {reminder.step_name} to {message.to} went out: {why}."
                note_on(unit, reminder, NoteKind.UNSURE, text, now)
                task_on(
                    unit, reminder, "unsure", f"{text} Ask the customer, then say on the account what happened.", now
                )
        case Unavailable(why=why):
            message.outcome = f"did not leave: {why}"
            wait_until = now + WAITS[min(reminder.attempts, len(WAITS)) - 1]
            outbox.put_back(unit, reminder_id, why=why, next_attempt_at=wait_until)
    recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])


def note_on(unit: Session, reminder: ReminderRow, kind: NoteKind, text: str, now: datetime) -> None:
    """A line in the history of this reminder's account."""
    write_note(
        unit,
        organisation_id=reminder.organisation_id,
        account_id=reminder.account_id,
        kind=kind,
        text=text,
        at=now,
        by="arrears",
        reminder_id=reminder.id,
    )


def task_on(unit: Session, reminder: ReminderRow, kind: str, text: str, now: datetime) -> None:
    """A task for a person about this reminder."""
    open_task(
        unit,
        organisation_id=reminder.organisation_id,
        account_id=reminder.account_id,
        key=f"{kind}:{reminder.account_id}" if kind == "template" else f"{kind}:reminder {reminder.id}",
        kind=kind,
        text=text,
        at=now,
    )
