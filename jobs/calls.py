"""Calls: how far each one has come, by what the telephone provider tells of it.

A call is a line in our books before anything rings. What the provider tells afterwards comes late, twice and in any
order, so each word is only ever added to what is known: a call that has ended stays ended. Once the debtor's telephone
has rung it counts as a contact, whoever picked up. What was said is written down by a person, in `call_results`; what
a debtor chose on a call by machine becomes a task, a hold or a stop, and never touches money.
"""

from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Delivery, DeliveryEvent, medium_of, read_token
from engine.calendars import civil_date
from engine.notes import NoteKind
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs.call_choices import chosen, no_more_calls
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.settle import note_on
from jobs.unknown_calls import nobody_need_ask
from store import outbox
from store.history import write_note
from store.leases import one_at_a_time
from store.tables import MessageRow, OrganisationRow, PhoneCallRow, ReminderRow

AGENT, DEBTOR = "agent", "debtor"
"""The two legs of a call: our own person, and whoever owes."""

NOT_PRESSED = "you picked up and did not press 1, so they were not rung"
NOT_ANSWERED = "your own telephone was not answered, so they were not rung"

_IT_RANG = ("completed", "busy", "no-answer")


class CallState(StrEnum):
    """How far a call has come, in the order in which that happens.

    `NOTED` was made by hand and only written down; `DIALLING` is being handed to the provider; `UNSURE` may have been
    taken or not; `NOT_MADE` certainly was not.
    """

    NOTED = "noted"
    DIALLING = "dialling"
    UNSURE = "unsure"
    RINGING_US = "ringing us"
    RINGING_THEM = "ringing them"
    CONNECTED = "connected"
    ENDED = "ended"
    NOT_MADE = "not made"


_ORDER = list(CallState)
UNDER_WAY = (CallState.DIALLING, CallState.RINGING_US, CallState.RINGING_THEM, CallState.CONNECTED)


def call_made(unit: Session, office: Office, reminder: ReminderRow, *, on: date) -> None:
    """The call that this queued reminder stands for was made that day, on the organisation's own calendar.

    Somebody says so without saying what came of it: it counts as a contact.
    """
    now = office.clock()
    made, waited = "the call was made", (ReminderState.QUEUED,)
    if not outbox.settle(unit, reminder.id, ReminderState.SENT, now=now, why=made, performed_on=on, from_states=waited):
        return
    unit.add(
        PhoneCallRow(
            organisation_id=reminder.organisation_id,
            account_id=reminder.account_id,
            reminder_id=reminder.id,
            by=reminder.approved_by,
            begun_at=now,
            state=CallState.NOTED,
            reached_at=now,
            counted_on=on,
            settled_at=now,
        )
    )
    by = f" by {reminder.approved_by}" if reminder.approved_by else ""
    note_on(unit, reminder, NoteKind.REMINDER_SENT, f"{reminder.step_name}: the call was made{by}.", now)


def call_heard(unit: Session, office: Office, event: DeliveryEvent) -> None:
    """Takes in what the provider tells of one call, and looks at its account again. Of a call that is not ours,
    nothing.
    """
    message = _message_of(unit, office, event)
    if message is None:
        return
    one_at_a_time(unit, message.organisation_id)
    call = _call_of(unit, message)
    over, unknown = call.ended_at is not None, call.state == CallState.UNSURE
    _take_in(call, event, event.at or office.clock(), _zone_of(unit, call))
    unit.flush()
    if unknown and call.state != CallState.UNSURE:
        nobody_need_ask(unit, office, call)
    if call.by_machine:
        if choice := event.details.get("choice", ""):
            chosen(unit, office, call, choice)
        if call.ended_at is not None and not over:
            _machine_is_done(unit, office, call)
    if event.kind is Delivery.OPTED_OUT:
        no_more_calls(unit, office, call, by="the debtor, on the telephone")
    recalculate_in(unit, office, call.organisation_id, [call.account_id])


def _message_of(unit: Session, office: Office, event: DeliveryEvent) -> MessageRow | None:
    token = read_token(event.token, keys=office.reply_keys) if event.token else None
    attempt = str(token.attempt) if token is not None else event.attempt
    if not (attempt.isascii() and attempt.isdigit()):
        return None
    message = unit.get(MessageRow, int(attempt))
    if message is None or medium_of(message.channel) != Channel.CALL:
        return None
    # Before a database was restored, this number may have been another account's attempt.
    return message if token is None or token.account == message.account_id else None


def _call_of(unit: Session, message: MessageRow) -> PhoneCallRow:
    """The call of this attempt. One that a machine makes is sent like any message, and has its line made here."""
    call = unit.scalars(select(PhoneCallRow).where(col(PhoneCallRow.message_id) == message.id)).one_or_none()
    if call is None:
        call = PhoneCallRow(
            organisation_id=message.organisation_id,
            account_id=message.account_id,
            reminder_id=message.reminder_id,
            message_id=message.id,
            number=message.to,
            name=message.to_name,
            begun_at=message.created_at,
            state=CallState.DIALLING,
            by_machine=True,
        )
        unit.add(call)
        unit.flush()
    return call


def _zone_of(unit: Session, call: PhoneCallRow) -> ZoneInfo:
    organisation = unit.get(OrganisationRow, call.organisation_id)
    assert organisation is not None
    return ZoneInfo(organisation.time_zone)


def _take_in(call: PhoneCallRow, event: DeliveryEvent, at: datetime, zone: ZoneInfo) -> None:
    """Adds what is told to what is known. Nothing that happened is undone by a word that comes late."""
    call.provider_id = call.provider_id or event.provider_id
    leg, status = event.details.get("leg", DEBTOR), event.details.get("status", "")
    match event.kind, leg:
        case Delivery.ACCEPTED, _:
            _further(call, CallState.RINGING_US if leg == AGENT else CallState.RINGING_THEM)
        case Delivery.RINGING, _:
            reached(call, at, zone)
            _further(call, CallState.RINGING_THEM)
        case Delivery.ANSWERED, _:
            reached(call, at, zone)
            call.answered_at = call.answered_at or at
            _further(call, CallState.CONNECTED)
        case Delivery.ENDED, "debtor":
            if status in _IT_RANG:
                reached(call, at, zone)
            call.seconds = max(call.seconds, _number(event.details.get("seconds", "")))
            call.why = call.why or {"busy": "the line was busy", "no-answer": "nobody answered"}.get(status, "")
            _end(call, at)
        case Delivery.ENDED, _:
            if call.reached_at is None:
                call.why = call.why or _never_put_through(status)
            _end(call, at)
        case Delivery.FAILED, _:
            call.why = call.why or event.why or "the number could not be called"
            _end(call, at)
    if call.reached_at is not None and call.why in (NOT_PRESSED, NOT_ANSWERED):
        call.why = ""  # the word that the debtor was rung came late


def reached(call: PhoneCallRow, at: datetime, zone: ZoneInfo) -> None:
    """The debtor's telephone rang. The first time counts, on that day."""
    if call.reached_at is None or at < call.reached_at:
        call.reached_at = at
        call.counted_on = civil_date(at, zone)


def _further(call: PhoneCallRow, state: CallState) -> None:
    known = CallState(call.state)
    if known is CallState.NOT_MADE or _ORDER.index(state) > _ORDER.index(known):
        call.state = state


def _end(call: PhoneCallRow, at: datetime) -> None:
    call.state = CallState.ENDED
    call.ended_at = call.ended_at or at


def _never_put_through(status: str) -> str:
    return NOT_PRESSED if status == "completed" else NOT_ANSWERED


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _machine_is_done(unit: Session, office: Office, call: PhoneCallRow) -> None:
    """The line in history that says what became of a call by machine; what was chosen on it has a line of its own."""
    now = office.clock()
    call.settled_at = now
    what = f"was answered, and lasted {call.seconds} seconds" if call.answered_at is not None else "came to nothing"
    because = f": {call.why}" if call.why else ""
    write_note(
        unit,
        organisation_id=call.organisation_id,
        account_id=call.account_id,
        reminder_id=call.reminder_id,
        kind=NoteKind.NOTE,
        text=f"The automatic call to {call.number} {what}{because}.",
        at=now,
        by="arrears",
    )
