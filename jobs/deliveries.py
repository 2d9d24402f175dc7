"""Deliveries: what a provider says later of a message that it took: delivered, delayed, come back, complained about.

It comes late, twice and in any order, so each word only ever adds to what is known. It is evidence: it settles a doubt
about whether the message went. It may stop an address. It never moves an account by itself.
"""

from datetime import datetime

from sqlmodel import Session

from channels import Delivery, DeliveryEvent, Receipt, medium_of, read_token
from engine.notes import NoteKind
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs.calls import call_heard
from jobs.office import Office
from jobs.settle import note_on, settle_in, task_on
from jobs.stops import stop_address
from store import stops
from store.leases import one_at_a_time
from store.tables import MessageRow, ReminderRow

_FURTHER = (
    Delivery.ACCEPTED,
    Delivery.DEFERRED,
    Delivery.DELIVERED,
    Delivery.FAILED,
    Delivery.OPTED_OUT,
    Delivery.COMPLAINT,
)
"""What weighs more than what, whatever came first: a mail that was delivered may still come back, never the reverse."""

_TAKEN = (Delivery.ACCEPTED, Delivery.DEFERRED, Delivery.DELIVERED, Delivery.COMPLAINT)
"""Words of a provider that has the message, and has not given up on it."""

_STOPS = {
    Delivery.FAILED: stops.BOUNCE,
    Delivery.OPTED_OUT: stops.OPT_OUT,
    Delivery.COMPLAINT: stops.COMPLAINT,
}
_NEWS = {
    Delivery.FAILED: "{} to {} did not arrive",
    Delivery.OPTED_OUT: "{} was not delivered to {}, who asked not to get any more",
    Delivery.COMPLAINT: "{} was reported as unwanted by {}",
}


def take_note(unit: Session, office: Office, kind: str, event: DeliveryEvent) -> None:
    """Writes down what became of a message, and settles a doubt about it. Of a message that we do not know, nothing."""
    message = _message_of(unit, office, kind, event)
    if message is not None:
        told(unit, office, message, event)
    if medium_of(kind) == Channel.CALL:
        call_heard(unit, office, event)


def told(unit: Session, office: Office, message: MessageRow, event: DeliveryEvent) -> None:
    """The same, of a message that is known already."""
    one_at_a_time(unit, message.organisation_id)
    unit.refresh(message)  # another worker may have heard of it while we waited
    reminder = unit.get(ReminderRow, message.reminder_id, populate_existing=True)
    if reminder is None or message.id is None:
        return
    if _settles(reminder, message, event):
        receipt = Receipt(event.provider_id or message.provider_id, event.at or office.clock())
        settle_in(unit, office, message.reminder_id, message.id, receipt)
    message.seen_as = message.seen_as or (event.message_id if event.message_id != message.message_id else "")
    recipient = event.recipient or message.to
    # What happens to a copy, or to a mail that went to ourselves instead, says nothing about the debtor's own address.
    own = stops.plainly(recipient) == stops.plainly(message.diverted_to or message.to)
    news = own and added_to(message, event, event.at or office.clock())
    unit.flush()
    by_telephone = medium_of(message.channel) == Channel.CALL  # of which `call_heard` tells
    if event.kind in _STOPS and not message.diverted_to and not by_telephone:
        _bad_news(unit, office, reminder, message, event, recipient, news=news)


def _settles(reminder: ReminderRow, message: MessageRow, event: DeliveryEvent) -> bool:
    """Whatever is told of a doubt, its provider had taken it: it went, even if it came back.

    It went as well when somebody had given up on this attempt and it waits to be sent again; but then not if it came
    back, whichever word came first, because it is for the next one to arrive.
    """
    if reminder.state == ReminderState.QUEUED:
        came_back = message.delivery not in ("", *_TAKEN)
        return event.kind in _TAKEN and not came_back and medium_of(message.channel) != Channel.CALL
    return reminder.state in (ReminderState.SENDING, ReminderState.UNSURE)


def added_to(message: MessageRow, event: DeliveryEvent, at: datetime) -> bool:
    """Adds one word to what is known of this message. True when it weighs more than all before, and so is news."""
    if event.kind not in _FURTHER:
        return False
    known = _FURTHER.index(Delivery(message.delivery)) if message.delivery else -1
    coming = _FURTHER.index(event.kind)
    if coming > known:
        message.delivery, message.delivery_at, message.delivery_why = event.kind, at, event.why
    elif coming == known:  # told twice, perhaps in other words: the same ones stay, whichever came first
        message.delivery_why = max(message.delivery_why, event.why)
        message.delivery_at = min(at, message.delivery_at or at)
    return coming > known


def _bad_news(
    unit: Session,
    office: Office,
    reminder: ReminderRow,
    message: MessageRow,
    event: DeliveryEvent,
    recipient: str,
    *,
    news: bool,
) -> None:
    """It came to nothing: history says so once; the address is stopped where the provider says that it is the cause."""
    stopping = event.stops_address and stop_address(
        unit,
        office,
        organisation_id=message.organisation_id,
        account_id=message.account_id,
        medium=medium_of(message.channel),
        address=recipient,
        kind=_STOPS[event.kind],
        source="the provider",
        said=event.why,
        reminder_id=message.reminder_id,
        message_id=message.id,
    )
    because = f": {event.why.rstrip('.')}" if event.why else ""
    text = f"{_NEWS[event.kind].format(reminder.step_name, recipient)}{because}."
    if news or stopping:
        note_on(unit, reminder, NoteKind.REFUSED, text, office.clock())
    if news and not event.stops_address:
        task_on(unit, reminder, "undelivered", f"{text} Find out why, and reach them in another way.", office.clock())


def _message_of(unit: Session, office: Office, kind: str, event: DeliveryEvent) -> MessageRow | None:
    token = read_token(event.token, keys=office.reply_keys) if event.token else None
    attempt = str(token.attempt) if token is not None else event.attempt
    message = unit.get(MessageRow, int(attempt)) if attempt.isascii() and attempt.isdigit() else None
    if message is None or message.channel != kind:
        return None
    # Before a database was restored, this number may have been another account's attempt.
    return message if token is None or token.account == message.account_id else None
