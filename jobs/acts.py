"""What people may do: about all sending, doubtful and refused reminders, and tasks.

Each act is one commit, leaves its mark, and is followed by a new look at the account. Acts on replies, on one account,
on invoices and on workflows are next door, in `reply_acts`, `account_acts`, `invoice_acts` and `assigning`.
"""

from sqlmodel import Session

from channels import Receipt
from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs.acting import NotAllowed, lift, open_holds, organisation_in
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.reply_acts import confirm, dismiss, match_reply, read_reply
from jobs.settle import note_on, settle_in
from store import audit, outbox, tasks
from store.tables import ReminderRow, TaskRow

__all__ = [
    "NotAllowed",
    "close_task",
    "confirm",
    "dismiss",
    "match_reply",
    "pause_organisation",
    "read_reply",
    "resume_organisation",
    "settle_unsure",
    "try_again",
]


def pause_organisation(office: Office, organisation_id: int, *, by: str, why: str = "") -> None:
    """Stops all sending. Syncs, positions and the plan go on."""
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        organisation.paused_at, organisation.paused_by, organisation.paused_why = office.clock(), by, why
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="sending paused", why=why)
        unit.flush()
        recalculate_in(unit, office, organisation_id)


def resume_organisation(office: Office, organisation_id: int, *, by: str) -> None:
    """Starts sending. What is due goes at the next sending time, one step an account."""
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        if organisation.ledger_as_of is None:
            raise NotAllowed("The ledger has not been read yet. Wait for the first sync, then start sending.")
        organisation.paused_at, organisation.paused_by, organisation.paused_why = None, by, ""
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="sending started")
        unit.flush()
        recalculate_in(unit, office, organisation_id)


def settle_unsure(office: Office, reminder_id: int, *, went: bool, by: str) -> None:
    """A person knows whether the doubtful reminder went out. If it did not, it is queued again."""
    with office.database.unit_of_work() as unit:
        reminder = _first_in_line(unit, reminder_id)
        message = outbox.last_message(unit, reminder_id)
        if reminder is None or message is None or reminder.state != ReminderState.UNSURE:
            raise NotAllowed("There is no doubt about this reminder any more.")
        key = f"unsure:reminder {reminder_id}"
        tasks.close_task(unit, organisation_id=reminder.organisation_id, key=key, at=office.clock(), by=by)
        if went:
            receipt = Receipt(f"{by} says that it went", office.clock(), note=f"{by} says that it went.")
            settle_in(unit, office, reminder_id, int(message.id or 0), receipt)
            return
        why, doubt = f"{by} says that it did not go", (ReminderState.UNSURE,)
        outbox.put_back(unit, reminder_id, why=why, next_attempt_at=None, from_states=doubt)
        kind = NoteKind.HELD if message.diverted_to else NoteKind.NOTE  # of a trial the ledger is told nothing
        note_on(unit, reminder, kind, f"{by} says that {reminder.step_name} did not go out.", office.clock())
        recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])


def try_again(office: Office, reminder_id: int, *, by: str) -> None:
    """A refused reminder is queued again, once a person has mended what was wrong."""
    with office.database.unit_of_work() as unit:
        reminder = _first_in_line(unit, reminder_id)
        if reminder is None or reminder.state != ReminderState.REFUSED:
            raise NotAllowed("This reminder was not refused, or has been tried again already.")
        outbox.put_back(unit, reminder_id, why="", next_attempt_at=None, from_states=(ReminderState.REFUSED,))
        key = f"refused:reminder {reminder_id}"
        tasks.close_task(unit, organisation_id=reminder.organisation_id, key=key, at=office.clock(), by=by)
        note_on(unit, reminder, NoteKind.NOTE, f"{by} asked to try {reminder.step_name} again.", office.clock())
        recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])


def _first_in_line(unit: Session, reminder_id: int) -> ReminderRow | None:
    """The reminder as it is once nobody else is writing about its organisation: its provider may speak up meanwhile."""
    reminder = unit.get(ReminderRow, reminder_id)
    if reminder is not None:
        organisation_in(unit, reminder.organisation_id)
        unit.refresh(reminder)
    return reminder


def close_task(office: Office, task_id: int, *, by: str) -> None:
    """A person has dealt with it. A hold that stood because of the same matter is lifted."""
    with office.database.unit_of_work() as unit:
        task = unit.get(TaskRow, task_id)
        if task is None:
            raise NotAllowed("There is no such task.")
        task.closed_at, task.closed_by = office.clock(), by
        kinds = {"template": HoldKind.TEMPLATE, "bounce": HoldKind.NO_ADDRESS}
        if task.account_id is not None and task.kind in kinds:
            lift(unit, office, open_holds(unit, task.account_id, kinds[task.kind]), by=by)
            recalculate_in(unit, office, task.organisation_id, [task.account_id])
