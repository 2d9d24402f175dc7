"""Deliver: one queued reminder, one more look at the ledger, one message.

The order of the steps is the promise. The reminder is claimed; the ledger is asked once more about this account's
invoices; the same rule is applied to the answer; only then is the reminder marked as being sent, in the transaction
that keeps its exact words; only after that does anything leave the house; and what became of it is written last.
Killed between any two of these steps, nothing is ever sent twice, and nothing is lost without a mark.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Outcome, Receipt
from connector import LedgerFailure, RateLimited
from engine.calendars import SENDING_WINDOW
from engine.notes import NoteKind
from engine.reminders import ANSWER_CYCLE, ReminderState
from engine.words import in_words
from jobs import answering, receive
from jobs.call_doubts import settle_doubtful_calls
from jobs.claiming import Claimed, claim
from jobs.containing import contained
from jobs.first_contacts import spread
from jobs.ledgers import connection_of, remember
from jobs.letters import queue_letters
from jobs.links import Allowance, links_for
from jobs.looked import Looked
from jobs.looks import GOOD_FOR, Look, Looks, is_younger
from jobs.marking import Marked, mark
from jobs.nightly import check_before_sending
from jobs.office import Office
from jobs.papers_along import Papers, papers_for
from jobs.recalculate import recalculate_new_days
from jobs.settle import WAITS, note_on, settle_in, task_on
from jobs.stranded import seek_evidence, settle_stranded
from store import outbox
from store.decisions import sending_moment
from store.facts import ground_of
from store.ground import Ground
from store.leases import one_at_a_time
from store.tables import InvoiceRow, ReminderRow

__all__ = ["Claimed", "Marked", "claim", "deliver", "deliver_due", "look_again", "mark", "send", "settle"]


def deliver_due(office: Office, organisation_id: int | None = None) -> int:
    """Delivers everything whose time has come. Returns how many reminders were looked at."""
    recalculate_new_days(office)
    settle_stranded(office)
    seek_evidence(office)
    settle_doubtful_calls(office)
    postpone_missed(office)
    if receive.deaf(office):
        return 0  # people may have answered, and we would not know
    receive.receive(office)  # an answer that has just come in may hold what is about to leave
    queue_letters(office)
    spread(office)
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
    if claimed.cycle == ANSWER_CYCLE:
        answering.leave(office, claimed)
        return
    papers = _papers(office, claimed)
    fresh = look_again(office, claimed, looks, links) if papers is not None else None
    if papers is None or fresh is None:
        return
    receive.understand_all(office)  # what came in since the round began: an answer may hold this one
    marked = mark(office, claimed, fresh._replace(papers=papers))
    if marked is None:
        return
    outcome = send(office, marked)
    settle(office, marked, outcome)


def _papers(office: Office, claimed: Claimed) -> Papers | None:
    """The invoices that go along. None: the ledger did not answer, and the reminder waits and says so."""
    try:
        return papers_for(office, claimed.reminder_id)
    except LedgerFailure as failure:
        until = failure.until if isinstance(failure, RateLimited) else None
        wait(office, claimed, f"the ledger did not hand out the invoices that go along: {failure}", until=until)
        return None


def look_again(
    office: Office, claimed: Claimed, looks: Looks | None = None, links: Allowance | None = None
) -> Looked | None:
    """Asks the ledger how these invoices stand just now, and for links that were not asked for before.

    Unreachable: the reminder waits, and says why.
    """
    looks, links = looks or Looks(office), links or Allowance(office.links_a_round)
    look = _asked(office, claimed, looks)
    if look is None:
        return None
    found = links_for(office, look.ledger, claimed.reminder_id, look.only(claimed.invoices).invoices, links)
    if not is_younger(look.at, GOOD_FOR, office.clock()):  # the links have taken their time
        look = _asked(office, claimed, looks)
        if look is None:
            return None
    return Looked(look.only(claimed.invoices), look.ledger.calls, look.connection_id, look.at, found)


def _asked(office: Office, claimed: Claimed, looks: Looks) -> Look | None:
    """What the ledger says of all of these invoices. None: the reminder waits, and says why."""
    with office.database.reading() as session:
        connection = connection_of(session, claimed.organisation_id)
    try:
        if connection is None or connection.state != "active":
            raise LedgerFailure("the ledger is not connected")
        if connection.not_before is not None and connection.not_before > office.clock():
            raise RateLimited("the ledger has asked us to wait", connection.not_before)
        look = looks.of(connection, claimed.reminder_id, claimed.invoices)
    except LedgerFailure as failure:
        if connection is not None:
            remember(office, connection, failure)
        until = failure.until if isinstance(failure, RateLimited) else None
        wait(office, claimed, f"the ledger could not be asked once more: {failure}", until=until)
        return None
    missing = set(claimed.invoices) - {invoice.ledger_id for invoice in look.records.invoices}
    if missing:
        _missing(office, claimed, missing)
        return None
    return look


def _missing(office: Office, claimed: Claimed, missing: set[str]) -> None:
    """An invoice that the ledger no longer shows is neither paid nor owed: a person has to look."""
    with office.database.reading() as session:
        ours = col(InvoiceRow.organisation_id) == claimed.organisation_id
        numbers = session.scalars(select(InvoiceRow.number).where(ours, col(InvoiceRow.ledger_id).in_(missing))).all()
    named = ", ".join(sorted(numbers))
    wait(office, claimed, f"the ledger no longer says how {named} stands")
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, claimed.reminder_id)
        assert reminder is not None
        text = f"The ledger no longer says how {named} stands. Until it does, nothing is sent to this account."
        task_on(unit, reminder, "missing invoice", text, office.clock())


def send(office: Office, marked: Marked) -> Outcome:
    """The one moment at which something leaves the house. In shadow mode it does not."""
    if marked.shadow:
        return Receipt("shadow", office.clock())
    return office.channel(marked.carrier).send(marked.message)


def settle(office: Office, marked: Marked, outcome: Outcome) -> None:
    """Writes what became of it, and looks at the account again in the same commit."""
    with office.database.unit_of_work() as unit:
        settle_in(unit, office, marked.claimed.reminder_id, int(marked.message.attempt), outcome)


def postpone_missed(office: Office) -> None:
    """What could not leave for most of a day (we were down, or the ledger was) waits for the next sending time."""
    now = office.clock()
    before = now - SENDING_WINDOW
    with office.database.reading() as session:
        organisations = outbox.organisations_that_missed(session, before=before)
    for organisation_id in organisations:
        with office.database.unit_of_work() as unit:
            one_at_a_time(unit, organisation_id)  # several workers begin their rounds together
            _postpone(unit, office, ground_of(unit, organisation_id), now, before)


def _postpone(unit: Session, office: Office, ground: Ground, now: datetime, before: datetime) -> None:
    moment = sending_moment(ground, office.as_of(ground.organisation), now, window=SENDING_WINDOW)
    for reminder in outbox.missed(unit, ground.number, before=before):
        reminder.send_after = moment
        if moment <= now:
            continue  # late by a day or more, but this is a good time of day for it
        text = f"{reminder.step_name} missed its sending time; it waits for {in_words(moment.date())}."
        note_on(unit, reminder, NoteKind.HELD, text, now)


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
