"""What came of a call, in the words of whoever made it.

*Submit* writes the result down and keeps the account on the list. *Submit and next step* says that the call is done:
the workflow goes on from there. *Snooze* puts it off, and it comes back by itself. Whatever is written becomes a line
in the Debtor history and goes into the ledger; a promise or a dispute becomes the hold that it would be anywhere else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.receivables import InvoiceStatus
from engine.reminders import ReminderState
from engine.words import in_words
from engine.workflow import Channel
from jobs.account_acts import promise_in
from jobs.acting import NotAllowed, account_in, hold, open_holds
from jobs.calls import CallState, reached
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.settle import note_on
from jobs.unknown_calls import nobody_need_ask
from store import outbox
from store.history import write_note
from store.numbers import dialled, home_of, shown
from store.stops import WRONG_NUMBER, stop
from store.tables import AccountRow, InvoiceRow, OrganisationRow, PhoneCallRow, ReminderRow
from store.tasks import open_task

LONGEST_SNOOZE = timedelta(days=366)
LONGEST_NOTE = 2000


class Result(StrEnum):
    NO_ANSWER = "no answer"
    RECEPTION = "reception"
    LEFT_MESSAGE = "left message"
    SPOKE = "spoke"
    PAYMENT_EXPECTED = "payment expected"
    DISPUTE = "dispute"
    WRONG_NUMBER = "wrong number"


CONVERSATIONS = (Result.SPOKE, Result.PAYMENT_EXPECTED, Result.DISPUTE)
"""Somebody who can decide was spoken to: some countries then want no call for a while."""

UNHEARD = (Result.NO_ANSWER, Result.WRONG_NUMBER)
"""The debtor has not been reminded by such a call."""

_TOLD = {
    Result.NO_ANSWER: "nobody answered",
    Result.RECEPTION: "reached the reception",
    Result.LEFT_MESSAGE: "left a message",
    Result.SPOKE: "spoke to them",
    Result.PAYMENT_EXPECTED: "spoke to them",
    Result.DISPUTE: "spoke to them",
    Result.WRONG_NUMBER: "it is the wrong number",
}


class Then(StrEnum):
    """What becomes of the call: it stays on the list, the step is done, or it is put off."""

    STAY = "stay"
    NEXT_STEP = "next step"
    SNOOZE = "snooze"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One call as it was written down. `number` and `name`: who was rung; `promised_on` and `invoices` (our own ids) go
    with a promise or a dispute; `until` with a snooze. `last_seen` is the newest call that the page showed, 0 for none.
    """

    result: Result | None
    then: Then = Then.STAY
    note: str = ""
    number: str = ""
    name: str = ""
    promised_on: date | None = None
    invoices: Collection[int] = ()
    until: datetime | None = None
    last_seen: int = 0


def write_down(office: Office, reminder_id: int, told: Told, *, by: str) -> None:
    """Writes down one call, with all that follows from it, in one commit. Written down twice, it is there once.

    Raises NotAllowed with a sentence when it cannot be.
    """
    with office.database.unit_of_work() as unit:
        reminder, account, organisation = waiting_call(unit, reminder_id)
        if told.result is None and told.then is not Then.SNOOZE:
            raise NotAllowed("Say what came of the call, or snooze it.")
        if _twice(unit, reminder, told, by):
            return
        if told.result is not None:
            _write_down(unit, office, reminder, account, organisation, told, told.result, by)
        if told.then is Then.SNOOZE:
            _snooze(unit, office, reminder, organisation, told.until, by)
        recalculate_in(unit, office, account.organisation_id, [reminder.account_id])


def wake(office: Office, reminder_id: int, *, by: str) -> None:
    """A call that was put off is back on the list, before its time."""
    with office.database.unit_of_work() as unit:
        reminder, _, _ = waiting_call(unit, reminder_id)
        if reminder.snoozed_until is not None and reminder.snoozed_until > office.clock():
            reminder.snoozed_until, reminder.snoozed_by = None, ""
            text = f"{reminder.step_name}: {by} put the call back on the list."
            note_on(unit, reminder, NoteKind.HELD, text, office.clock())


def waiting_call(unit: Session, reminder_id: int) -> tuple[ReminderRow, AccountRow, OrganisationRow]:
    """The call, once nobody else writes about its organisation. Raises NotAllowed when it does not wait any more."""
    reminder = unit.get(ReminderRow, reminder_id)
    if reminder is None or reminder.channel != Channel.CALL:
        raise NotAllowed("There is no such call.")
    account, organisation = account_in(unit, reminder.account_id)
    unit.refresh(reminder)
    if reminder.state != ReminderState.QUEUED or reminder.approved_at is not None:
        raise NotAllowed(f"{reminder.step_name} does not wait for a call any more. See the account for what happened.")
    return reminder, account, organisation


def last_settled(session: Session, reminder_id: int) -> PhoneCallRow | None:
    """The newest call for this step of which it is written down what came of it."""
    query = select(PhoneCallRow).where(
        col(PhoneCallRow.reminder_id) == reminder_id, col(PhoneCallRow.settled_at).is_not(None)
    )
    return session.scalars(query.order_by(col(PhoneCallRow.settled_at).desc()).limit(1)).one_or_none()


def _twice(unit: Session, reminder: ReminderRow, told: Told, by: str) -> bool:
    """Whether this very result is written down already. Raises NotAllowed when somebody else wrote another one."""
    last = last_settled(unit, int(reminder.id or 0))
    if last is None or last.id == told.last_seen:
        return False
    if told.result is not None and (last.by, last.result, last.note) == (by, told.result, told.note.strip()):
        return True
    raise NotAllowed(f"{last.by or 'Somebody'} has written down a call meanwhile. Load the page again and look at it.")


def _write_down(
    unit: Session,
    office: Office,
    reminder: ReminderRow,
    account: AccountRow,
    organisation: OrganisationRow,
    told: Told,
    result: Result,
    by: str,
) -> None:
    now, as_of = office.clock(), office.as_of(organisation)
    call = _the_call(unit, reminder, told, organisation, by, now)
    call.result, call.note, call.settled_at = result, told.note.strip()[:LONGEST_NOTE], now
    call.conversation = result in CONVERSATIONS
    if call.state == CallState.UNSURE:
        nobody_need_ask(unit, office, call, by=by)
    if result is not Result.WRONG_NUMBER:
        reached(call, call.answered_at or now, ZoneInfo(organisation.time_zone))
    unit.flush()
    follows = _follows(unit, office, account, organisation, told, result, by, call)
    text = f"{_sentence(reminder, call, result, by, home_of(organisation))}{follows}"
    if told.then is not Then.NEXT_STEP:
        _note(unit, reminder, NoteKind.NOTE, text, now, by)
        return
    outbox.settle(
        unit,
        int(reminder.id or 0),
        ReminderState.SENT,
        now=now,
        why=_TOLD[result],
        performed_on=as_of,
        heard=result not in UNHEARD,
        from_states=(ReminderState.QUEUED,),
    )
    unit.refresh(reminder)
    _note(unit, reminder, NoteKind.REMINDER_SENT, text, now, by)


def _the_call(
    unit: Session, reminder: ReminderRow, told: Told, organisation: OrganisationRow, by: str, now: datetime
) -> PhoneCallRow:
    """The call that this person had put through last and has not written about, or else one made by hand."""
    query = select(PhoneCallRow).where(
        col(PhoneCallRow.reminder_id) == reminder.id,
        col(PhoneCallRow.settled_at).is_(None),
        col(PhoneCallRow.by) == by,
        col(PhoneCallRow.by_machine).is_(False),
        col(PhoneCallRow.state) != CallState.NOT_MADE,
    )
    call = unit.scalars(query.order_by(col(PhoneCallRow.id).desc()).limit(1)).one_or_none()
    if call is None:
        home = home_of(organisation)
        call = PhoneCallRow(
            organisation_id=reminder.organisation_id,
            account_id=reminder.account_id,
            reminder_id=reminder.id,
            number=dialled(told.number, home) or told.number.strip(),
            by=by,
            begun_at=now,
            state=CallState.NOTED,
        )
        unit.add(call)
    call.name = told.name.strip() or call.name
    return call


def _follows(
    unit: Session,
    office: Office,
    account: AccountRow,
    organisation: OrganisationRow,
    told: Told,
    result: Result,
    by: str,
    call: PhoneCallRow,
) -> str:
    """The hold or the stop that the result asks for, and what the note says of it."""
    match result:
        case Result.PAYMENT_EXPECTED:
            return _promise(unit, office, account, organisation, told, by, call)
        case Result.DISPUTE:
            return _dispute(unit, office, account, organisation, told, by)
        case Result.WRONG_NUMBER:
            return _wrong_number(unit, office, account, organisation, call, by)
        case _:
            return ""


def _promise(
    unit: Session,
    office: Office,
    account: AccountRow,
    organisation: OrganisationRow,
    told: Told,
    by: str,
    call: PhoneCallRow,
) -> str:
    if told.promised_on is None:
        raise NotAllowed("Give the day by which the payment is expected.")
    call.promised_on = told.promised_on
    why = f"{told.name.strip() or 'they'} said so on the telephone"
    until, invoices = told.promised_on, told.invoices
    of = promise_in(unit, office, account, organisation, until=until, by=by, why=why, invoices=invoices)
    return f" Payment{of} is expected by {in_words(told.promised_on)}."


def _dispute(
    unit: Session, office: Office, account: AccountRow, organisation: OrganisationRow, told: Told, by: str
) -> str:
    if not told.note.strip():
        raise NotAllowed("Write what they dispute, in a few words. Whoever looks at this account later needs to know.")
    wanted = select(InvoiceRow).where(
        col(InvoiceRow.account_id) == account.id,
        col(InvoiceRow.id).in_(told.invoices),
        col(InvoiceRow.status) == InvoiceStatus.OPEN,
    )
    invoices = unit.scalars(wanted.order_by(col(InvoiceRow.number))).all()
    if not invoices:
        raise NotAllowed("Tick the invoices that they dispute.")
    assert account.id is not None
    why = told.note.strip()
    for invoice in invoices:
        if not open_holds(unit, account.id, HoldKind.DISPUTE, invoice_id=invoice.id):
            kind = HoldKind.DISPUTE
            hold(unit, office, account, organisation, kind, why=why, by=by, invoice_id=invoice.id)
    numbers = [invoice.number or "an invoice without a number" for invoice in invoices]
    return f" {' and '.join(numbers)} {'is' if len(numbers) == 1 else 'are'} marked as disputed."


def _wrong_number(
    unit: Session,
    office: Office,
    account: AccountRow,
    organisation: OrganisationRow,
    call: PhoneCallRow,
    by: str,
) -> str:
    if not call.number:
        raise NotAllowed("Say which number is wrong.")
    number = shown(call.number, home_of(organisation))
    stop(
        unit,
        organisation_id=account.organisation_id,
        medium=Channel.CALL,
        address=call.number,
        kind=WRONG_NUMBER,
        source="a person",
        said=call.note,
        at=office.clock(),
        by=by,
    )
    text = f"{number} is not a number of {account.name}. Correct it in the ledger; it is not rung any more."
    open_task(
        unit,
        organisation_id=account.organisation_id,
        account_id=account.id,
        key=f"wrong number:{account.id}:{call.number}",
        kind="wrong number",
        text=text,
        at=office.clock(),
    )
    return " It is not rung any more."


def _snooze(
    unit: Session,
    office: Office,
    reminder: ReminderRow,
    organisation: OrganisationRow,
    until: datetime | None,
    by: str,
) -> None:
    now = office.clock()
    if until is None:
        raise NotAllowed("Say until when the call is put off.")
    if until <= now:
        raise NotAllowed("That moment has passed. Say a later one, or leave the call on the list.")
    if until > now + LONGEST_SNOOZE:
        raise NotAllowed("A call can be put off for a year at most. Pause the account instead.")
    if reminder.snoozed_until == until:
        return
    reminder.snoozed_until, reminder.snoozed_by = until, by
    local = until.astimezone(ZoneInfo(organisation.time_zone))
    text = f"{reminder.step_name}: {by} put the call off until {in_words(local.date())} at {local:%H:%M}."
    note_on(unit, reminder, NoteKind.HELD, text, now)


def _sentence(reminder: ReminderRow, call: PhoneCallRow, result: Result, by: str, home: str) -> str:
    """`Final call: Anna Reed rang Jo Marsh (020 7946 0018) and left a message: “…”`"""
    whom = call.name
    if call.number:
        number = shown(call.number, home)
        whom = f"{whom} ({number})" if whom else number
    told = _TOLD[result]
    lasted = f" for {_minutes(call.seconds)}" if call.seconds and result in CONVERSATIONS else ""
    nevertheless = f" Something spoke against it; they rang because: {call.nevertheless}." if call.nevertheless else ""
    note = f": “{call.note}”" if call.note else "."
    joined = "and" if result in (*CONVERSATIONS, Result.RECEPTION, Result.LEFT_MESSAGE) else "but"
    return f"{reminder.step_name}: {by} rang {whom or 'them'} {joined} {told}{lasted}{note}{nevertheless}"


def _minutes(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _note(unit: Session, reminder: ReminderRow, kind: NoteKind, text: str, now: datetime, by: str) -> None:
    write_note(
        unit,
        organisation_id=reminder.organisation_id,
        account_id=reminder.account_id,
        reminder_id=reminder.id,
        kind=kind,
        text=text,
        at=now,
        by=by,
    )
