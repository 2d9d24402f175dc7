"""Deliveries: what a provider says later of a message that it took: delivered, delayed, come back, complained about.

It is evidence: it settles a doubt. It may stop an address. It never moves an account by itself.
"""

from sqlmodel import Session

from channels import Delivery, DeliveryEvent, Receipt, Refused, read_token
from engine.reminders import ReminderState
from jobs.office import Office
from jobs.settle import settle_in
from store.tables import MessageRow, ReminderRow

_TAKEN = (Delivery.ACCEPTED, Delivery.DEFERRED, Delivery.DELIVERED, Delivery.COMPLAINT)


def take_note(unit: Session, office: Office, kind: str, event: DeliveryEvent) -> None:
    """Writes down what became of a message, and settles a doubt about it. Of a message that we do not know, nothing."""
    message = _message_of(unit, office, kind, event)
    reminder = unit.get(ReminderRow, message.reminder_id) if message is not None else None
    if message is None or message.id is None or reminder is None:
        return
    if reminder.state not in (ReminderState.SENDING, ReminderState.UNSURE):
        return
    if event.kind in _TAKEN:
        settle_in(unit, office, message.reminder_id, message.id, Receipt(event.provider_id, event.at or office.clock()))
    elif event.kind is Delivery.FAILED:
        settle_in(unit, office, message.reminder_id, message.id, Refused(event.why or "the provider says so"))


def _message_of(unit: Session, office: Office, kind: str, event: DeliveryEvent) -> MessageRow | None:
    token = read_token(event.token, keys=office.reply_keys) if event.token else None
    attempt = str(token.attempt) if token is not None else event.attempt
    message = unit.get(MessageRow, int(attempt)) if attempt.isascii() and attempt.isdigit() else None
    return message if message is not None and message.channel == kind else None
