"""Deliver: one queued reminder, one more look at the ledger, one message.

The order of the steps is the promise. The reminder is claimed; the ledger is asked once more about this account's
invoices; the same rule is applied to the answer; only then is the reminder marked as being sent, in the transaction
that keeps its exact words; only after that does anything leave the house; and what became of it is written last.
Killed between any two of these steps, nothing is ever sent twice, and nothing is lost without a mark.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Message, Outcome, Unsure
from connector import LedgerFailure, RateLimited
from engine.calendars import SENDING_WINDOW
from engine.facts import Decision, Facts
from engine.holds import HoldKind
from engine.limits import Opening
from engine.notes import NoteKind
from engine.receivables import InvoiceStatus
from engine.reminders import Order, ReminderKey, ReminderState
from engine.workflow import Channel
from jobs import receive
from jobs.calls import call_made
from jobs.compose import addressees, listed_in, message_of, message_row, statement_of, words_of
from jobs.contact_times import opening
from jobs.containing import contained
from jobs.ledgers import connection_of, remember
from jobs.links import Allowance, keep_links, links_for
from jobs.looked import Looked, log_the_look
from jobs.looks import Looks
from jobs.nightly import check_before_sending
from jobs.office import Office
from jobs.recalculate import recalculate_in, recalculate_new_days
from jobs.settle import WAITS, note_on, settle_in, silent_carrier, task_on
from jobs.voice import may_still_speak
from store import outbox
from store.changes import Changes
from store.decisions import sending_moment
from store.facts import ground_of
from store.leases import one_at_a_time
from store.ledger_copy import TakenIn, take_in_invoices
from store.tables import AccountRow, HoldRow, InvoiceRow, MessageRow, OrganisationRow, ReminderRow
from wording import TemplateProblem

CLAIM = timedelta(minutes=10)
"""Longer than the slowest look at the ledger and the slowest send together."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reminder that this worker alone is looking at, and the invoices to ask the ledger about."""

    reminder_id: int
    organisation_id: int
    account_id: int
    claim: str
    attempts: int
    invoices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A reminder marked as being sent, with its message."""

    claimed: Claimed
    message: Message
    carrier: str


class _ClaimLost(Exception):
    """We were too slow: another worker has this reminder now. Nothing of our unit is kept."""


def deliver_due(office: Office, organisation_id: int | None = None) -> int:
    """Delivers everything whose time has come. Returns how many reminders were looked at."""
    recalculate_new_days(office)
    settle_stranded(office)
    postpone_missed(office)
    if receive.deaf(office):
        return 0  # people may have answered, and we would not know
    receive.receive(office)  # an answer that has just come in may hold what is about to leave
    with office.database.reading() as session:
        ready = outbox.ready(session, now=office.clock(), organisation_id=organisation_id)
        senders = outbox.organisations_of(session, ready)
    check_before_sending(office, senders)
    looks, links = Looks(office, ready), Allowance(office.links_a_round)
    for reminder_id in ready:
        if office.stopping.is_set():
            break
        # One reminder that trips must not hold up the others. Its claim runs out, or its mark becomes a doubt.
        with contained("reminder not delivered", reminder=reminder_id):
            try:
                deliver(office, reminder_id, looks, links)
            except Exception as trouble:
                _tripped(office, reminder_id, trouble)
                raise
    return len(ready)


def _tripped(office: Office, reminder_id: int, trouble: Exception) -> None:
    """What has not left yet waits for an hour, and a person is told. What may have left is settled as a doubt."""
    now = office.clock()
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, reminder_id)
        if reminder is None or reminder.state != ReminderState.QUEUED:
            return
        why = f"something went wrong inside arrears ({type(trouble).__name__})"
        outbox.release(unit, reminder_id, by=reminder.claim, why=why, next_attempt_at=now + timedelta(hours=1))
        text = f"{reminder.step_name} was not sent: {why}. It is tried again each hour; the log says more."
        task_on(unit, reminder, "trouble", text, now)


def deliver(office: Office, reminder_id: int, looks: Looks | None = None, links: Allowance | None = None) -> None:
    """One reminder, from the claim to what became of it.

    `looks`: those of its round, of which one may have been about it already; `links`: how many may be asked for.
    """
    claimed = claim(office, reminder_id)
    if claimed is None:
        return
    fresh = look_again(office, claimed, looks, links)
    if fresh is None:
        return
    marked = mark(office, claimed, fresh)
    if marked is None:
        return
    outcome = send(office, marked)
    settle(office, marked, outcome)


def claim(office: Office, reminder_id: int) -> Claimed | None:
    """Takes the reminder for a while, so that no other worker touches it."""
    now = office.clock()
    by = secrets.token_hex(8)
    with office.database.unit_of_work() as unit:
        row = outbox.claim(unit, reminder_id, by=by, now=now, until=now + CLAIM)
        if row is None:
            return None
        invoices = unit.scalars(
            select(InvoiceRow.ledger_id).where(
                col(InvoiceRow.account_id) == row.account_id, col(InvoiceRow.status) == InvoiceStatus.OPEN
            )
        ).all()
        return Claimed(reminder_id, row.organisation_id, row.account_id, by, row.attempts, tuple(invoices))


def look_again(
    office: Office, claimed: Claimed, looks: Looks | None = None, links: Allowance | None = None
) -> Looked | None:
    """Asks the ledger how these invoices stand just now, and for links that were not asked for before.

    Unreachable: the reminder waits, and says why.
    """
    with office.database.reading() as session:
        connection = connection_of(session, claimed.organisation_id)
    try:
        if connection is None or connection.state != "active":
            raise LedgerFailure("the ledger is not connected")
        if connection.not_before is not None and connection.not_before > office.clock():
            raise RateLimited("the ledger has asked us to wait", connection.not_before)
        look = (looks or Looks(office)).of(connection, claimed.reminder_id, claimed.invoices)
        fresh = look.only(claimed.invoices)
    except LedgerFailure as failure:
        if connection is not None:
            remember(office, connection, failure)
        until = failure.until if isinstance(failure, RateLimited) else None
        wait(office, claimed, f"the ledger could not be asked once more: {failure}", until=until)
        return None
    missing = set(claimed.invoices) - {invoice.ledger_id for invoice in fresh.invoices}
    if missing:
        _missing(office, claimed, missing)
        return None
    links = links or Allowance(office.links_a_round)
    found = links_for(office, look.ledger, claimed.reminder_id, fresh.invoices, links)
    return Looked(fresh, look.ledger.calls, int(connection.id or 0), look.at, found)


def _missing(office: Office, claimed: Claimed, missing: set[str]) -> None:
    """An invoice that the ledger no longer shows is neither paid nor owed: a person has to look."""
    with office.database.reading() as session:
        numbers = session.scalars(select(InvoiceRow.number).where(col(InvoiceRow.ledger_id).in_(missing))).all()
    named = ", ".join(sorted(numbers))
    wait(office, claimed, f"the ledger no longer says how {named} stands")
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, claimed.reminder_id)
        assert reminder is not None
        text = f"The ledger no longer says how {named} stands. Until it does, nothing is sent to this account."
        task_on(unit, reminder, "missing invoice", text, office.clock())


def mark(office: Office, claimed: Claimed, fresh: Looked) -> Marked | None:
    """Applies the rule once more to what the ledger just said, and marks the reminder as being sent, with its words."""
    now = office.clock()
    with suppress(_ClaimLost), office.database.unit_of_work() as unit:
        one_at_a_time(unit, claimed.organisation_id)
        taken = TakenIn(changes=Changes(calls=fresh.records.carried_by))
        take_in_invoices(unit, claimed.organisation_id, fresh.records.invoices, taken, now=now)
        log_the_look(unit, claimed.organisation_id, fresh, taken, now=now)
        keep_links(unit, claimed.organisation_id, fresh.links)
        if receive.waiting(unit):
            outbox.release(unit, claimed.reminder_id, by=claimed.claim, why="an answer came in that was not read yet")
            return None
        looked = recalculate_in(unit, office, claimed.organisation_id, {claimed.account_id, *taken.touched})
        facts, decision = looked.decided[claimed.account_id]
        reminder = unit.get(ReminderRow, claimed.reminder_id, populate_existing=True)
        organisation = unit.get(OrganisationRow, claimed.organisation_id)
        account = unit.get(AccountRow, claimed.account_id)
        assert reminder is not None and organisation is not None and account is not None
        order = _still_ordered(reminder, decision)
        if order is None:
            outbox.release(unit, claimed.reminder_id, by=claimed.claim)
            return None
        as_of = office.as_of(organisation)
        if order.step.channel is Channel.SMS and Channel.SMS not in facts.reachable:
            _skip(unit, office, claimed, order, as_of)
            return None
        if order.step.channel is Channel.CALL and not reminder.by_machine:
            call_made(unit, office, reminder, on=as_of)
            recalculate_in(unit, office, claimed.organisation_id, [claimed.account_id])
            return None
        if order.step.channel is Channel.CALL and not may_still_speak(unit, office, organisation, account, reminder):
            return None
        open_at = opening(facts, organisation, account.time_zone, order.step.channel, now)
        if open_at.at > now:
            _not_at_this_hour(unit, claimed, reminder, open_at, now)
            return None
        carrier = office.carrier_of(order.step.channel)
        if carrier is None:
            why = f"no {order.step.channel} channel is set up; add its block to the configuration"
            silent_carrier(unit, claimed.organisation_id, order.step.channel, why, now)
            outbox.release(unit, claimed.reminder_id, by=claimed.claim, why=why, next_attempt_at=now + WAITS[-1])
            return None
        row = _worded(unit, office, organisation, account, reminder, facts, order, carrier, as_of)
        if row is None:
            return None
        if not outbox.mark_sending(unit, claimed.reminder_id, by=claimed.claim, until=now + CLAIM):
            raise _ClaimLost  # and with it goes the message that will never be
        if office.high_water is not None:
            office.high_water.rise(int(row.id or 0))
        return Marked(claimed, message_of(unit, office, organisation, row), carrier)
    return None


def send(office: Office, marked: Marked) -> Outcome:
    """The one moment at which something leaves the house."""
    return office.channel(marked.carrier).send(marked.message)


def settle(office: Office, marked: Marked, outcome: Outcome) -> None:
    """Writes what became of it, and looks at the account again in the same commit."""
    with office.database.unit_of_work() as unit:
        settle_in(unit, office, marked.claimed.reminder_id, int(marked.message.attempt), outcome)


def postpone_missed(office: Office) -> None:
    """What could not leave for most of a day (we were down, or the ledger was) waits for the next sending time."""
    now = office.clock()
    with office.database.unit_of_work() as unit:
        for reminder in outbox.missed(unit, before=now - SENDING_WINDOW):
            ground = ground_of(unit, reminder.organisation_id)
            as_of = office.as_of(ground.organisation)
            reminder.send_after = sending_moment(ground, as_of, now, window=SENDING_WINDOW)
            if reminder.send_after <= now:
                continue  # late by a day or more, but this is a good time of day for it
            text = f"{reminder.step_name} missed its sending time; it waits for {reminder.send_after:%d.%m.%Y}."
            note_on(unit, reminder, NoteKind.HELD, text, now)


def settle_stranded(office: Office) -> None:
    """Reminders that were being sent when a process died: evidence settles them, else they are marked as unsure."""
    with office.database.reading() as session:
        stranded = [(row.id, row.organisation_id) for row in outbox.stranded(session, now=office.clock())]
    for reminder_id, organisation_id in stranded:
        with contained("doubt not settled", reminder=reminder_id):
            _settle_stranded(office, reminder_id, organisation_id)


def _settle_stranded(office: Office, reminder_id: int, organisation_id: int) -> None:
    with office.database.reading() as session:
        row = outbox.last_message(session, reminder_id)
        organisation = session.get(OrganisationRow, organisation_id)
        assert row is not None and organisation is not None
        message = message_of(session, office, organisation, row)
    found = office.channel(row.channel).find(message)
    outcome: Outcome = found or Unsure("the process ended while it was being handed over")
    with office.database.unit_of_work() as unit:
        settle_in(unit, office, reminder_id, int(message.attempt), outcome)


def wait(office: Office, claimed: Claimed, why: str, *, until: datetime | None = None) -> None:
    """Not now: the reminder stays queued, is tried again later, and history says once why.

    `until`: the ledger named the moment. It is tried again then, and within the hour in any case.
    """
    now = office.clock()
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, claimed.reminder_id)
        assert reminder is not None
        if reminder.why != why:
            note_on(unit, reminder, NoteKind.HELD, f"{reminder.step_name} was not sent yet: {why}.", now)
        outbox.release(unit, claimed.reminder_id, by=claimed.claim, why=why, next_attempt_at=_next_try(now, until))


def _next_try(now: datetime, until: datetime | None) -> datetime:
    return now + WAITS[0] if until is None else min(max(until, now), now + timedelta(hours=1))


def _still_ordered(reminder: ReminderRow, decision: Decision) -> Order | None:
    """The order for this reminder, if the rule still says that it is to leave now."""
    key = ReminderKey(reminder.cycle, reminder.step_id, reminder.invoice_id or None)
    for order in decision.orders:
        if order.key == key and not order.held_because:
            return order if reminder.state == ReminderState.QUEUED else None
    return None


def _worded(
    unit: Session,
    office: Office,
    organisation: OrganisationRow,
    account: AccountRow,
    reminder: ReminderRow,
    facts: Facts,
    order: Order,
    carrier: str,
    as_of: date,
) -> MessageRow | None:
    """The message, or None when its words cannot be rendered: then a hold says why, until a person has looked."""
    statement = statement_of(unit, organisation, account, facts, order, as_of)
    try:
        words = words_of(unit, reminder, statement)
    except (TemplateProblem, LookupError) as problem:
        now = office.clock()
        unit.add(
            HoldRow(
                organisation_id=reminder.organisation_id,
                account_id=reminder.account_id,
                kind=HoldKind.TEMPLATE,
                since=as_of,
                why=str(problem),
                by="arrears",
            )
        )
        task_on(unit, reminder, "template", f"{reminder.step_name} cannot be put into words: {problem}", now)
        unit.flush()
        recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])
        outbox.release(unit, int(reminder.id or 0), by=reminder.claim, why=str(problem))
        return None
    whom = addressees(unit, account)
    return message_row(unit, office, reminder, whom, words, listed_in(statement), carrier=carrier, now=office.clock())


def _not_at_this_hour(unit: Session, claimed: Claimed, reminder: ReminderRow, open_at: Opening, now: datetime) -> None:
    """Nobody may be reached now where the debtor lives. It waits for the opening, and history says once why."""
    if reminder.why != open_at.because:
        note_on(unit, reminder, NoteKind.HELD, f"{reminder.step_name} was not sent yet: {open_at.because}.", now)
    reminder.send_after = open_at.at
    unit.flush()
    outbox.release(unit, claimed.reminder_id, by=claimed.claim, why=open_at.because, next_attempt_at=open_at.at)


def _skip(unit: Session, office: Office, claimed: Claimed, order: Order, as_of: date) -> None:
    """A text message without a number: the step is done, nobody was reminded, the sequence goes on."""
    now = office.clock()
    reminder = unit.get(ReminderRow, claimed.reminder_id)
    assert reminder is not None
    outbox.settle(
        unit,
        claimed.reminder_id,
        ReminderState.SENT,
        now=now,
        why="skipped: no usable number",
        performed_on=as_of,
        heard=False,
        from_states=(ReminderState.QUEUED,),
    )
    text = f"{order.step.name} was skipped: the account has no usable mobile number."
    note_on(unit, reminder, NoteKind.REMINDER_SKIPPED, text, now)
    recalculate_in(unit, office, claimed.organisation_id, [claimed.account_id])
