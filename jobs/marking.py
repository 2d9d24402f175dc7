"""Marking: the last question before a message leaves, and the mark that it is leaving, in one commit.

What the ledger has just said is taken into the books, the same rule is applied to it once more, and then each gate is
asked: has an answer come in, has the debtor a number, is it an hour at which they may be reached, have as many left as
may. Only what has passed them all is put into words, kept exactly as it will be handed over, and marked.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlmodel import Session

from channels import Attachment, Message
from engine.facts import Decision
from engine.holds import HoldKind
from engine.letters import LETTER_CYCLE
from engine.reminders import Order, ReminderKey, ReminderState
from jobs import receive
from jobs.addressing import Addressees, addressees
from jobs.caps import too_many
from jobs.claiming import CLAIM, Claimed
from jobs.compose import files_of, listed_in, message_of, message_row, statement_of, step_of, words_of
from jobs.contact_times import closing
from jobs.first_contacts import not_its_turn
from jobs.last_gates import Leaving, made_by_a_person, no_carrier, not_at_this_hour, not_by_machine, without_a_number
from jobs.letters import held_letter, letter_without_words, order_of_letter
from jobs.links import keep_links
from jobs.looked import Looked, log_the_look
from jobs.looks import TOO_OLD, is_younger
from jobs.office import Office
from jobs.papers_along import Papers
from jobs.recalculate import Recalculated, recalculate_in
from jobs.settle import task_on
from jobs.trying_out import SHADOW, diversion
from store import outbox
from store.changes import Changes
from store.leases import one_at_a_time
from store.ledger_copy import TakenIn, take_in_invoices
from store.tables import AccountRow, HoldRow, MessageRow, OrganisationRow, ReminderRow
from wording import Rendered, TemplateProblem

GATES = (
    held_letter,
    without_a_number,
    made_by_a_person,
    not_by_machine,
    not_at_this_hour,
    no_carrier,
    not_its_turn,
    too_many,
)
"""In the order in which they are asked. Each has written down why, when it keeps a reminder back."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A reminder marked as being sent, with its message. `shadow`: it is handed to nobody."""

    claimed: Claimed
    message: Message
    carrier: str
    shadow: bool = False


class _ClaimLost(Exception):
    """We were too slow: another worker has this reminder now. Nothing of our unit is kept."""


def mark(office: Office, claimed: Claimed, fresh: Looked) -> Marked | None:
    """Applies the rule once more to what the ledger just said, and marks the reminder as being sent, with its words."""
    with suppress(_ClaimLost), office.database.unit_of_work() as unit:
        one_at_a_time(unit, claimed.organisation_id)
        taken = _take_in(unit, office, claimed, fresh)
        looked = recalculate_in(unit, office, claimed.organisation_id, {claimed.account_id, *taken.touched})
        if why := _too_early(unit, office, fresh):
            outbox.release(unit, claimed.reminder_id, by=claimed.claim, why=why)
            return None
        leaving = _leaving(unit, office, claimed, looked)
        if leaving is None:
            outbox.release(unit, claimed.reminder_id, by=claimed.claim)
            return None
        if any(gate(leaving) for gate in GATES):
            return None
        return _marked(leaving, fresh.papers)
    return None


def _too_early(unit: Session, office: Office, fresh: Looked) -> str:
    """Why it has to be looked at once more before anything is decided; empty when all is known."""
    if receive.waiting(unit, office.clock()):
        return "an answer came in that was not read yet"
    return "" if is_younger(fresh.at, TOO_OLD, office.clock()) else "what the ledger said of it had grown old"


def _take_in(unit: Session, office: Office, claimed: Claimed, fresh: Looked) -> TakenIn:
    now = office.clock()
    taken = TakenIn(changes=Changes(calls=fresh.records.carried_by))
    take_in_invoices(unit, claimed.organisation_id, fresh.records.invoices, taken, now=now)
    log_the_look(unit, claimed.organisation_id, fresh, taken, now=now)
    keep_links(unit, claimed.organisation_id, fresh.links)
    return taken


def _leaving(unit: Session, office: Office, claimed: Claimed, looked: Recalculated) -> Leaving | None:
    """The reminder with all that is known of it, if the rule still says that it is to leave now."""
    facts, decision = looked.decided[claimed.account_id]
    reminder = unit.get(ReminderRow, claimed.reminder_id, populate_existing=True)
    organisation = unit.get(OrganisationRow, claimed.organisation_id)
    account = unit.get(AccountRow, claimed.account_id)
    assert reminder is not None and organisation is not None and account is not None
    if reminder.cycle == LETTER_CYCLE:
        queued = reminder.state == ReminderState.QUEUED
        order = order_of_letter(reminder, facts, office.as_of(organisation)) if queued else None
    else:
        order = _still_ordered(reminder, decision)
    if order is None:
        return None
    return Leaving(unit, office, claimed, reminder, organisation, account, facts, order)


def _still_ordered(reminder: ReminderRow, decision: Decision) -> Order | None:
    key = ReminderKey(reminder.cycle, reminder.step_id, reminder.invoice_id or None)
    for order in decision.orders:
        if order.key == key and not order.held_because:
            return order if reminder.state == ReminderState.QUEUED else None
    return None


def _marked(leaving: Leaving, papers: Papers) -> Marked | None:
    unit, office, claimed = leaving.unit, leaving.office, leaving.claimed
    worded = _worded(leaving, papers)
    if worded is None:
        return None
    row, files = worded
    if not outbox.mark_sending(unit, claimed.reminder_id, by=claimed.claim, until=office.clock() + CLAIM):
        raise _ClaimLost  # and with it goes the message that will never be
    if office.high_water is not None:
        office.high_water.rise(int(row.id or 0))
    zone, channel = leaving.account.time_zone, leaving.order.step.channel
    until = closing(leaving.facts, leaving.organisation, zone, channel, office.clock())
    message = message_of(unit, office, leaving.organisation, row, files, valid_until=until)
    return Marked(claimed, message, row.channel, shadow=row.diverted_to == SHADOW)


def _worded(leaving: Leaving, papers: Papers) -> tuple[MessageRow, Sequence[Attachment]] | None:
    """The message and its files, or None when it has no words or no address: then a person is told."""
    unit, organisation, account = leaving.unit, leaving.organisation, leaving.account
    statement = statement_of(unit, organisation, account, leaving.facts, leaving.order, leaving.as_of)
    try:
        step = step_of(unit, leaving.reminder)
        words = words_of(unit, organisation, step, statement)
        files = files_of(unit, organisation, step, statement)
    except (TemplateProblem, LookupError) as problem:
        _without_words(leaving, problem)
        return None
    whom = addressees(unit, organisation, account, leaving.order.step.channel, step.cc)
    if not whom.to:  # the rule has just said that there is an address; if there is none, it is asked again later
        leaving.release("there is no address to send it to")
        return None
    numbers = [line.number for line in statement.lines]
    files = (*files, *papers.of(numbers))
    row = _kept(leaving, whom, words, listed_in(statement), files)
    row.attached = [*row.attached, *papers.told_of_lacking(numbers)]
    return row, files


def _kept(
    leaving: Leaving, whom: Addressees, words: Rendered, invoices: list[dict[str, object]], files: Sequence[Attachment]
) -> MessageRow:
    channel = leaving.order.step.channel
    carrier = leaving.office.carrier_of(channel)
    assert carrier is not None
    return message_row(
        leaving.unit,
        leaving.office,
        leaving.reminder,
        whom,
        words,
        invoices,
        carrier=carrier,
        now=leaving.now,
        files=files,
        diverted_to=diversion(leaving.organisation, channel),
    )


def _without_words(leaving: Leaving, problem: Exception) -> None:
    """A hold says why, until a person has looked. A letter that cannot be worded holds back no reminder."""
    unit, reminder = leaving.unit, leaving.reminder
    if reminder.cycle == LETTER_CYCLE:
        letter_without_words(leaving, str(problem))
        return
    unit.add(
        HoldRow(
            organisation_id=reminder.organisation_id,
            account_id=reminder.account_id,
            kind=HoldKind.TEMPLATE,
            since=leaving.as_of,
            why=str(problem),
            by="arrears",
        )
    )
    text = f"{reminder.step_name} cannot be put into words: {problem}"
    task_on(unit, reminder, "template", text, leaving.now)
    unit.flush()
    recalculate_in(unit, leaving.office, reminder.organisation_id, [reminder.account_id])
    leaving.release(str(problem))
