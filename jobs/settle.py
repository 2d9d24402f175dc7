"""Settle: what became of a message that left, or may have left, written down once and for all.

A doubt can be settled later by evidence (a reply to that very message, the provider's word) or by a person, through
this same function, so the account's position moves on exactly once.
"""

from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from channels import Outcome, Receipt, Refused, Unavailable, Unsure, medium_of
from engine.calendars import civil_date
from engine.notes import NoteKind
from engine.reminders import ANSWER_CYCLE, ReminderState
from jobs.compose import summary, would_have
from jobs.looking_up import plan_looks
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.stops import stop_address
from jobs.trying_out import where_to
from store import outbox, stops
from store.contact_facts import ONLY_TRIED_OUT
from store.history import write_note
from store.leases import one_at_a_time
from store.tables import MessageRow, OrganisationRow, ReminderRow
from store.tasks import close_task, key_of, open_task

PASSING = ("trouble", "missing invoice")
"""Tasks that are over by themselves once a reminder has gone to the account."""

_UNDER_WAY = (ReminderState.SENDING, ReminderState.UNSURE)
"""A trial that speaks up late settles nothing that waits to be sent for real by now."""

WAITS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))


def settle_in(unit: Session, office: Office, reminder_id: int, attempt: int, outcome: Outcome) -> None:
    """Writes the outcome of one attempt, in the unit of work of whoever knows it, and looks at the account again.

    Only the latest attempt decides about the reminder. One that was given up on and speaks up late is kept with its
    message; if it says that it went after all, the reminder has gone, whatever was planned since.
    """
    reminder = unit.get(ReminderRow, reminder_id)
    message = unit.get(MessageRow, attempt)
    assert reminder is not None and message is not None
    outcome = _as_it_can_be_kept(outcome)
    one_at_a_time(unit, reminder.organisation_id)
    latest = outbox.last_message(unit, reminder_id)
    match outcome:
        case Receipt():
            _went(unit, office, reminder, message, outcome)
        case _ if latest is None or latest.id != attempt:
            message.outcome = f"spoke up late: {outcome.why}"
        case Refused():
            _refused(unit, office, reminder, message, outcome)
        case Unsure(why=why):
            _unsure(unit, office, reminder, message, why)
        case Unavailable():
            _unavailable(unit, office, reminder, message, outcome)
    recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])


def _as_it_can_be_kept(outcome: Outcome) -> Outcome:
    """Its words come from a stranger's server. Neither a zero byte nor half a character in them, of which a database
    takes none, may keep what became of a message from being written down.
    """
    said = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    plain = {name: text.replace("\0", " ") for name, text in said.items() if isinstance(text, str)}
    return replace(outcome, **{name: text.encode("utf-8", "replace").decode() for name, text in plain.items()})


def day_of(unit: Session, message: MessageRow) -> date:
    """The day that a message counts for: when it was handed over, on the organisation's own wall calendar."""
    organisation = unit.get(OrganisationRow, message.organisation_id)
    assert organisation is not None
    return civil_date(message.created_at, ZoneInfo(organisation.time_zone))


def _went(unit: Session, office: Office, reminder: ReminderRow, message: MessageRow, receipt: Receipt) -> None:
    """It went. What went to ourselves instead counts as a step that nobody heard, and the ledger is not told of it."""
    now, tried_out = office.clock(), bool(message.diverted_to)
    message.sent_at, message.provider_id, message.outcome = receipt.at, receipt.provider_id, "sent"
    message.evidence_next_at = None
    settled = outbox.settle(
        unit,
        reminder.id,
        ReminderState.SENT,
        now=now,
        why=f"{ONLY_TRIED_OUT}{where_to(message.diverted_to)}" if tried_out else "",
        performed_on=day_of(unit, message),
        heard=not tried_out,
        from_states=_UNDER_WAY if tried_out else (*_UNDER_WAY, ReminderState.QUEUED),
    )
    if settled:
        if tried_out:
            text = (
                f"{reminder.step_name} was tried out: {where_to(message.diverted_to)}. {would_have(message, reminder)}"
            )
            note_on(unit, reminder, NoteKind.REMINDER_SKIPPED, text, now)
        else:
            text = " ".join(filter(None, (summary(message, reminder), *message.left_out, receipt.note)))
            kind = NoteKind.NOTE if reminder.cycle == ANSWER_CYCLE else NoteKind.REMINDER_SENT
            note_on(unit, reminder, kind, text, now)
        over = (
            f"unsure:reminder {reminder.id}",
            f"carrier:{reminder.channel}",
            *(f"{kind}:{reminder.account_id}" for kind in PASSING),
        )
        for key in over:
            close_task(unit, organisation_id=reminder.organisation_id, key=key, at=now, by="arrears")


def _refused(unit: Session, office: Office, reminder: ReminderRow, message: MessageRow, refused: Refused) -> None:
    now, why = office.clock(), refused.why
    message.outcome, message.evidence_next_at = f"refused: {why}", None
    if refused.opted_out and not message.diverted_to:
        stop_address(
            unit,
            office,
            organisation_id=message.organisation_id,
            account_id=message.account_id,
            medium=medium_of(message.channel),
            address=message.to,
            kind=stops.OPT_OUT,
            source="the provider",
            said=why,
            reminder_id=reminder.id,
            message_id=message.id,
        )
    doubtful = (ReminderState.SENDING, ReminderState.UNSURE)
    if outbox.settle(unit, reminder.id, ReminderState.REFUSED, now=now, why=why, from_states=doubtful):
        text = f"{reminder.step_name} to {_reached(message)} was refused: {why}."
        # The ledger is told nothing of what was only tried out.
        note_on(unit, reminder, NoteKind.HELD if message.diverted_to else NoteKind.REFUSED, text, now)
        where = "under Settings → Sending" if message.diverted_to else "in the ledger"
        task_on(unit, reminder, "refused", f"{text} Correct the address {where}, then try again.", now)


def _unsure(unit: Session, office: Office, reminder: ReminderRow, message: MessageRow, why: str) -> None:
    now = office.clock()
    message.outcome = f"unsure: {why}"
    if outbox.settle(unit, reminder.id, ReminderState.UNSURE, now=now, why=why):
        plan_looks(office, message, now)
        text = f"Nobody knows whether {reminder.step_name} to {_reached(message)} went out: {why}."
        note_on(unit, reminder, NoteKind.UNSURE, text, now)
        if message.evidence_next_at is None:
            doubt_for_a_person(unit, reminder, message, f"{_sentence(why)}.", now)
            return
        todo = "The provider is asked whether it took it. If that finds nothing, you are asked to find out."
        task_on(unit, reminder, "unsure", f"{text} {todo}", now)


def doubt_for_a_person(unit: Session, reminder: ReminderRow, message: MessageRow, known: str, now: datetime) -> None:
    """Nothing is left that a machine could ask. `known`: what it has found out, in a sentence."""
    them = "Ask the customer, or look for it in the log of your mail server or provider"
    ask = "Look in your own inbox" if message.diverted_to else them
    text = f"Nobody knows whether {reminder.step_name} to {_reached(message)} went out. {known}"
    todo = f"{ask}; then say whether it went."
    task_on(unit, reminder, "unsure", f"{text} {todo}", now)


def _reached(message: MessageRow) -> str:
    """The address that the provider was really given."""
    return message.diverted_to or message.to


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}".rstrip(".")


def _unavailable(
    unit: Session, office: Office, reminder: ReminderRow, message: MessageRow, silent: Unavailable
) -> None:
    """It certainly did not go. It is tried again with growing waits, and never before the provider wants it."""
    now = office.clock()
    message.outcome = f"did not leave: {silent.why}"
    silent_carrier(unit, reminder.organisation_id, reminder.channel, silent.why, now)
    ours = now + WAITS[max(0, min(reminder.attempts, len(WAITS)) - 1)]
    outbox.put_back(unit, int(reminder.id or 0), why=silent.why, next_attempt_at=max(ours, silent.until or ours))


def silent_carrier(unit: Session, organisation_id: int, medium: str, why: str, now: datetime) -> None:
    """Reminders cannot leave at all: a person is told once, until the next one gets through."""
    text = f"Reminders by {medium} cannot be sent: {why}. They are tried again, and wait until then."
    open_task(unit, organisation_id=organisation_id, key=f"carrier:{medium}", kind="carrier", text=text, at=now)


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
        key=key_of(reminder, kind) if kind in ("unsure", "refused") else f"{kind}:{reminder.account_id}",
        kind=kind,
        text=text,
        at=now,
    )
