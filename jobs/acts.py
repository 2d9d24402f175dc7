"""What people may do: each act is one commit, leaves its mark, and is followed by a new look at the account."""

from datetime import time
from zoneinfo import available_timezones

from sqlalchemy import select, update
from sqlmodel import Session, col

from channels import Receipt
from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.receive import belongs
from jobs.settle import note_on, settle_in
from store import audit, outbox, tasks
from store.decisions import sending_moment
from store.facts import ground_of
from store.history import write_note
from store.leases import one_at_a_time
from store.tables import AccountRow, HoldRow, OrganisationRow, ReminderRow, ReplyRow, TaskRow


class NotAllowed(Exception):
    """This cannot be done, at least not now. The message is a sentence for the person who asked."""


def pause_organisation(office: Office, organisation_id: int, *, by: str, why: str = "") -> None:
    """Stops all sending. Syncs, positions and the plan go on."""
    with office.database.unit_of_work() as unit:
        organisation = _organisation(unit, organisation_id)
        organisation.paused_at, organisation.paused_by, organisation.paused_why = office.clock(), by, why
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="sending paused", why=why)
        unit.flush()
        recalculate_in(unit, office, organisation_id)


def resume_organisation(office: Office, organisation_id: int, *, by: str) -> None:
    """Starts sending. What is due goes at the next sending time, one step an account."""
    with office.database.unit_of_work() as unit:
        organisation = _organisation(unit, organisation_id)
        if organisation.ledger_as_of is None:
            raise NotAllowed("The ledger has not been read yet. Wait for the first sync, then start sending.")
        organisation.paused_at, organisation.paused_by, organisation.paused_why = None, by, ""
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="sending started")
        unit.flush()
        recalculate_in(unit, office, organisation_id)


def pause_account(office: Office, account_id: int, *, by: str, why: str = "") -> None:
    """Stops sending to one account until it is resumed. Its position still moves back when it pays."""
    with office.database.unit_of_work() as unit:
        account, organisation = _account(unit, account_id)
        if _open_holds(unit, account_id, HoldKind.PAUSED):
            return
        unit.add(
            HoldRow(
                organisation_id=account.organisation_id,
                account_id=account_id,
                kind=HoldKind.PAUSED,
                since=office.as_of(organisation),
                why=why,
                by=by,
            )
        )
        _note(unit, office, account, f"Paused by {by}" + (f": {why}" if why else "."), by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def resume_account(office: Office, account_id: int, *, by: str) -> None:
    """Lets reminders go again: one step, then the usual gaps."""
    with office.database.unit_of_work() as unit:
        account, _ = _account(unit, account_id)
        if _lift(unit, office, _open_holds(unit, account_id, HoldKind.PAUSED), by=by):
            _note(unit, office, account, f"Resumed by {by}.", by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def read_reply(office: Office, reply_id: int, *, by: str) -> None:
    """A person has read it: the hold that it put on the next step is lifted."""
    with office.database.unit_of_work() as unit:
        reply = _reply(unit, reply_id)
        reply.read_at, reply.read_by = reply.read_at or office.clock(), reply.read_by or by
        holds = unit.scalars(
            select(HoldRow).where(col(HoldRow.reply_id) == reply_id, col(HoldRow.lifted_at).is_(None))
        ).all()
        _lift(unit, office, [hold for hold in holds if hold.kind == HoldKind.REPLY], by=by)
        if reply.account_id is not None and reply.organisation_id is not None:
            recalculate_in(unit, office, reply.organisation_id, [reply.account_id])


def match_reply(office: Office, reply_id: int, *, account_id: int, by: str) -> None:
    """A person says whose reply this is."""
    with office.database.unit_of_work() as unit:
        reply = _reply(unit, reply_id)
        account, _ = _account(unit, account_id)
        if reply.account_id is not None:
            raise NotAllowed("This reply belongs to an account already.")
        if reply.organisation_id is not None:  # where it waited; it may turn out to be another organisation's
            key = f"reply:{reply_id}"
            tasks.close_task(unit, organisation_id=reply.organisation_id, key=key, at=office.clock(), by=by)
        reply.account_id, reply.organisation_id = account_id, account.organisation_id
        reply.matched_by, reply.candidates = "person", []
        belongs(unit, office, reply, account)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def settle_unsure(office: Office, reminder_id: int, *, went: bool, by: str) -> None:
    """A person knows whether the doubtful reminder went out. If it did not, it is queued again."""
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, reminder_id)
        message = outbox.last_message(unit, reminder_id)
        if reminder is None or message is None or reminder.state != ReminderState.UNSURE:
            raise NotAllowed("There is no doubt about this reminder any more.")
        _organisation(unit, reminder.organisation_id)
        key = f"unsure:reminder {reminder_id}"
        tasks.close_task(unit, organisation_id=reminder.organisation_id, key=key, at=office.clock(), by=by)
        if went:
            receipt = Receipt(f"{by} says that it went", office.clock())
            settle_in(unit, office, reminder_id, int(message.id or 0), receipt)
            return
        why, doubt = f"{by} says that it did not go", (ReminderState.UNSURE,)
        outbox.put_back(unit, reminder_id, why=why, next_attempt_at=None, from_states=doubt)
        note_on(unit, reminder, NoteKind.NOTE, f"{by} says that {reminder.step_name} did not go out.", office.clock())
        recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])


def try_again(office: Office, reminder_id: int, *, by: str) -> None:
    """A refused reminder is queued again, once a person has mended what was wrong."""
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, reminder_id)
        if reminder is None or reminder.state != ReminderState.REFUSED:
            raise NotAllowed("This reminder was not refused, or has been tried again already.")
        outbox.put_back(unit, reminder_id, why="", next_attempt_at=None, from_states=(ReminderState.REFUSED,))
        key = f"refused:reminder {reminder_id}"
        tasks.close_task(unit, organisation_id=reminder.organisation_id, key=key, at=office.clock(), by=by)
        note_on(unit, reminder, NoteKind.NOTE, f"{by} asked to try {reminder.step_name} again.", office.clock())
        recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])


def add_note(office: Office, account_id: int, *, text: str, by: str) -> None:
    """A note by a person, kept in history and written into the ledger."""
    if not text.strip():
        raise NotAllowed("The note is empty. Write something first.")
    with office.database.unit_of_work() as unit:
        account, _ = _account(unit, account_id)
        _note(unit, office, account, text.strip(), by=by)


def close_task(office: Office, task_id: int, *, by: str) -> None:
    """A person has dealt with it. A hold that stood because of the same matter is lifted."""
    with office.database.unit_of_work() as unit:
        task = unit.get(TaskRow, task_id)
        if task is None:
            raise NotAllowed("There is no such task.")
        task.closed_at, task.closed_by = office.clock(), by
        kinds = {"template": HoldKind.TEMPLATE, "bounce": HoldKind.NO_ADDRESS}
        if task.account_id is not None and task.kind in kinds:
            _lift(unit, office, _open_holds(unit, task.account_id, kinds[task.kind]), by=by)
            recalculate_in(unit, office, task.organisation_id, [task.account_id])


def save_reminder_settings(
    office: Office,
    organisation_id: int,
    *,
    by: str,
    reassess_on_payment: bool,
    sending_time: time,
    sending_weekdays: list[int],
    min_days_between_reminders: int,
    reply_holds: bool,
    time_zone: str,
    locale: str,
    sender_name: str,
) -> None:
    """Settings → Reminders. Positions stay where they are; the plan is worked out anew."""
    if not sending_weekdays:
        raise NotAllowed("Choose at least one weekday on which reminders may leave.")
    if time_zone not in available_timezones():
        raise NotAllowed(f"'{time_zone}' is not a time zone. Write it like Europe/London.")
    if not 1 <= min_days_between_reminders <= 90:
        raise NotAllowed("Between two reminders there may be 1 to 90 days.")
    with office.database.unit_of_work() as unit:
        organisation = _organisation(unit, organisation_id)
        if organisation.reassess_locked and not reassess_on_payment:
            raise NotAllowed("Smart workflows are always on for this organisation.")
        audit.record(
            unit,
            organisation_id=organisation_id,
            at=office.clock(),
            by=by,
            what="reminder settings saved",
            reassess_on_payment=reassess_on_payment,
            sending_time=sending_time.isoformat(),
            sending_weekdays=sending_weekdays,
            min_days_between_reminders=min_days_between_reminders,
            reply_holds=reply_holds,
            time_zone=time_zone,
        )
        organisation.reassess_on_payment = reassess_on_payment
        organisation.sending_time = sending_time
        organisation.sending_weekdays = sorted(set(sending_weekdays))
        organisation.min_days_between_reminders = min_days_between_reminders
        organisation.reply_holds = reply_holds
        organisation.time_zone, organisation.locale = time_zone, locale
        organisation.sender_name = sender_name.strip()
        unit.flush()
        recalculate_in(unit, office, organisation_id)
        ground = ground_of(unit, organisation_id)
        moment = sending_moment(ground, office.as_of(organisation), office.clock())
        unit.execute(
            update(ReminderRow)
            .where(col(ReminderRow.organisation_id) == organisation_id, col(ReminderRow.state) == ReminderState.QUEUED)
            .values(send_after=moment)
        )


def _organisation(unit: Session, organisation_id: int) -> OrganisationRow:
    one_at_a_time(unit, organisation_id)
    organisation = unit.get(OrganisationRow, organisation_id)
    if organisation is None:
        raise NotAllowed("There is no such organisation.")
    return organisation


def _account(unit: Session, account_id: int) -> tuple[AccountRow, OrganisationRow]:
    account = unit.get(AccountRow, account_id)
    if account is None:
        raise NotAllowed("There is no such account.")
    return account, _organisation(unit, account.organisation_id)


def _reply(unit: Session, reply_id: int) -> ReplyRow:
    reply = unit.get(ReplyRow, reply_id)
    if reply is None:
        raise NotAllowed("There is no such reply.")
    return reply


def _open_holds(unit: Session, account_id: int, kind: HoldKind) -> list[HoldRow]:
    query = select(HoldRow).where(
        col(HoldRow.account_id) == account_id, col(HoldRow.kind) == kind, col(HoldRow.lifted_at).is_(None)
    )
    return list(unit.scalars(query))


def _lift(unit: Session, office: Office, holds: list[HoldRow], *, by: str) -> int:
    numbers = [hold.id for hold in holds]
    unit.execute(update(HoldRow).where(col(HoldRow.id).in_(numbers)).values(lifted_at=office.clock(), lifted_by=by))
    return len(numbers)


def _note(unit: Session, office: Office, account: AccountRow, text: str, *, by: str) -> None:
    assert account.id is not None
    write_note(
        unit,
        organisation_id=account.organisation_id,
        account_id=account.id,
        kind=NoteKind.NOTE,
        text=text,
        at=office.clock(),
        by=by,
    )
