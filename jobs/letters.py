"""Letters: which accounts get the monthly statement or a thank-you, each put into the outbox once.

A letter is a row of the outbox like any reminder, under a key that can exist once: the account and the month, or the
account and the invoice that was paid. From there it goes the way of every reminder: claimed, looked at again, asked at
each gate, marked with its exact words, sent and settled. Only the rule of the workflows knows nothing of it.
"""

from datetime import date, datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from engine.calendars import SENDING_WINDOW
from engine.facts import Facts
from engine.letters import (
    KEEPS,
    LETTER_CYCLE,
    LetterKind,
    kind_of_letter,
    latest_statement_day,
    letter_order,
    pointless,
    statement_due,
)
from engine.notes import NoteKind
from engine.receivables import InvoiceStatus
from engine.reminders import Order, ReminderKey, ReminderState
from engine.workflow import Channel, Step
from jobs.containing import contained
from jobs.last_gates import Leaving
from jobs.office import Office
from jobs.settle import note_on
from store import outbox
from store.decisions import sending_moment
from store.facts import ground_of
from store.ground import Ground
from store.leases import one_at_a_time
from store.letters import accounts_to_be_told, letter_keys, to_be_thanked
from store.tables import InvoiceRow, OrganisationRow, ReminderRow
from store.tasks import open_task


def queue_letters(office: Office) -> None:
    """Queues what has become due of either kind, in every organisation that wants it."""
    with office.database.reading() as session:
        query = select(OrganisationRow).where(
            or_(col(OrganisationRow.statement_day) > 0, col(OrganisationRow.thanks).is_(True)),
            col(OrganisationRow.default_workflow_id).is_not(None),
            col(OrganisationRow.ledger_as_of).is_not(None),  # a first reading may be under way
        )
        asking = [int(one.id or 0) for one in session.scalars(query) if _may_owe_letters(one, office.as_of(one))]
    for organisation_id in asking:
        with contained("letters not queued", organisation=organisation_id), office.database.unit_of_work() as unit:
            one_at_a_time(unit, organisation_id)
            ground = ground_of(unit, organisation_id, now=office.clock())
            unit.refresh(ground.organisation)
            _queue_statements(unit, office, ground)
            _queue_thanks(unit, office, ground)


def _may_owe_letters(organisation: OrganisationRow, as_of: date) -> bool:
    """Whether it is worth a closer look: a statement day has come, or the ledger was read since the last thanks."""
    day, told = organisation.statement_day, organisation.statements_for
    if day and (told is None or told < latest_statement_day(day, as_of)):
        return True
    return organisation.thanks and organisation.thanks_as_of != organisation.ledger_as_of


def order_of_letter(reminder: ReminderRow, facts: Facts, as_of: date) -> Order:
    """The letter as the gates see it."""
    key = ReminderKey(reminder.cycle, reminder.step_id, reminder.invoice_id or None)
    step = Step(reminder.step_id, reminder.step_name, 0, Channel.EMAIL)
    return letter_order(facts, as_of, key, step, reminder.due_on)


def held_letter(leaving: Leaving) -> bool:
    """A letter that has lost its point is withdrawn; one that something holds waits for the next sending time."""
    reminder = leaving.reminder
    if reminder.cycle != LETTER_CYCLE:
        return False
    if why := _pointless(leaving):
        settled = (ReminderState.QUEUED,)
        outbox.settle(
            leaving.unit,
            leaving.claimed.reminder_id,
            ReminderState.WITHDRAWN,
            now=leaving.now,
            why=why,
            from_states=settled,
        )
        note_on(leaving.unit, reminder, NoteKind.HELD, f"{reminder.step_name} is not sent: {why}.", leaving.now)
        return True
    if why := leaving.order.held_because:
        _wait(leaving, why.rstrip("."))
        return True
    return False


def letter_without_words(leaving: Leaving, problem: str) -> None:
    """The letter waits for a person to mend its words, which are the same for everybody."""
    kind = kind_of_letter(leaving.reminder.step_id)
    text = f"The {kind} cannot be put into words: {problem.rstrip('.')}. Correct it under Settings → Letters."
    number = leaving.claimed.organisation_id
    open_task(leaving.unit, organisation_id=number, key=f"letter:{kind}", kind="letter", text=text, at=leaving.now)
    _wait(leaving, f"it cannot be put into words: {problem.rstrip('.')}")


def _wait(leaving: Leaving, why: str) -> None:
    """Not today: it is tried again at the next sending time, and history says once why."""
    ground = ground_of(leaving.unit, leaving.claimed.organisation_id, now=leaving.now)
    leaving.wait(why, sending_moment(ground, leaving.as_of, leaving.now))


def _pointless(leaving: Leaving) -> str:
    kind = kind_of_letter(leaving.reminder.step_id)
    if why := pointless(leaving.facts, leaving.as_of, kind, leaving.reminder.due_on):
        return why
    if kind is LetterKind.STATEMENT:
        return "the account is to get no statements" if leaving.account.no_statements_since is not None else ""
    paid = leaving.unit.get(InvoiceRow, leaving.reminder.invoice_id, populate_existing=True)
    still = paid is not None and paid.status == InvoiceStatus.PAID
    return "" if still else "the ledger says that it was not paid after all"


def _queue_statements(unit: Session, office: Office, ground: Ground) -> None:
    organisation, as_of = ground.organisation, office.as_of(ground.organisation)
    nominal = statement_due(organisation.statement_day, ground.rules.sending, as_of)
    if nominal is None or (organisation.statements_for is not None and nominal <= organisation.statements_for):
        return
    key, name = f"{LetterKind.STATEMENT} {nominal:%Y-%m}", f"Statement for {nominal:%B %Y}"
    first = ground.rules.sending.first_from(nominal)
    moment = sending_moment(ground, as_of, office.clock(), window=SENDING_WINDOW)
    owing = accounts_to_be_told(unit, ground.number, least=ground.rules.ignore_below)
    known = letter_keys(unit, ground.number, key)
    unit.add_all(_letter(ground, one, key, name, first, moment, office.clock()) for one in owing if one not in known)
    organisation.statements_for = nominal


def _queue_thanks(unit: Session, office: Office, ground: Ground) -> None:
    organisation, now = ground.organisation, office.clock()
    if not organisation.thanks or organisation.thanks_since is None:
        return
    as_of, since = office.as_of(organisation), max(organisation.thanks_since, now - KEEPS)
    paid = to_be_thanked(unit, ground.number, since=since, as_of=as_of, least=ground.rules.ignore_below)
    moment = sending_moment(ground, as_of, now)
    for account, invoice in paid:
        row = _letter(ground, account, LetterKind.THANKS, "Thank-you", as_of, moment, now)
        row.invoice_id = invoice
        unit.add(row)
    organisation.thanks_as_of = organisation.ledger_as_of


def _letter(
    ground: Ground, account: int, key: str, name: str, due_on: date, moment: datetime, now: datetime
) -> ReminderRow:
    return ReminderRow(
        organisation_id=ground.number,
        account_id=account,
        cycle=LETTER_CYCLE,
        step_id=key,
        step_name=name,
        workflow_id=int(ground.organisation.default_workflow_id or 0),
        channel=Channel.EMAIL,
        due_on=due_on,
        send_after=moment,
        queued_at=now,
    )
