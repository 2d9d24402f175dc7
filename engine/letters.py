"""Letters that are no steps of a workflow: the monthly statement, and a thank-you after payment.

They never move a position: the rule does not even see them. Everything that would hold a reminder back holds them too,
and one that could not leave within a week is not sent any more, because it would speak of yesterday.
"""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

from engine.calendars import SendingDays
from engine.facts import Facts
from engine.gates import holds_of, in_credit
from engine.holds import Hold, HoldKind, sentence
from engine.looking import Look, look
from engine.reminders import Order, ReminderKey
from engine.workflow import Step

LETTER_CYCLE = -1
"""The cycle of every letter's key. The runs of an account count from 1, and courtesy notes are of 0."""

LAST_DAY = 31
"""As a statement's day: the last day of each month."""

KEEPS = timedelta(days=7)
"""How long a letter may wait for whatever holds it."""


class LetterKind(StrEnum):
    STATEMENT = "statement"
    THANKS = "thank-you"


def kind_of_letter(key: str) -> LetterKind:
    """`statement 2026-11` is a statement."""
    return LetterKind.STATEMENT if key.startswith(LetterKind.STATEMENT) else LetterKind.THANKS


def statement_day_in(day: int, month: date) -> date:
    """The day of the statement in the month of this date; the last day where the month is shorter."""
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def latest_statement_day(day: int, as_of: date) -> date:
    """The newest day of the statement that is not ahead."""
    this_month = statement_day_in(day, as_of)
    return this_month if this_month <= as_of else statement_day_in(day, as_of.replace(day=1) - timedelta(days=1))


def statement_due(day: int, sending: SendingDays, as_of: date) -> date | None:
    """The statement's day (before weekends and holidays are counted) whose letters may leave today; None without one.

    The week in which a letter keeps begins on the first sending day from then on.
    """
    if not day:
        return None
    nominal = latest_statement_day(day, as_of)
    first = sending.first_from(nominal)
    return nominal if first <= as_of < first + KEEPS else None


def letter_order(facts: Facts, as_of: date, key: ReminderKey, step: Step, due_on: date) -> Order:
    """The letter as it would leave today, with every open invoice that is not muted, or why it must not leave yet."""
    seen = look(facts, as_of)
    return Order(key, step, due_on, tuple(invoice.id for invoice in seen.listed), _held(facts, seen, step, key))


def pointless(facts: Facts, as_of: date, kind: LetterKind, due_on: date) -> str:
    """Why this letter is not sent any more, in words; empty while it has a point."""
    if as_of - due_on >= KEEPS:
        return f"it could not leave within {KEEPS.days} days"
    if kind is LetterKind.STATEMENT:
        if credit := in_credit(facts):
            return f"the account is in credit {credit}"
        return "" if look(facts, as_of).listed else "nothing is open any more"
    least = facts.rules.ignore_below
    overdue = any(invoice.due_on < as_of and invoice.balance >= least for invoice in facts.invoices)
    return "something else is overdue" if overdue else ""


def _held(facts: Facts, seen: Look, step: Step, key: ReminderKey) -> str:
    if holds := holds_of(facts, seen, step, key):
        return sentence(holds[0])
    if seen.listed and all(invoice.id in seen.disputed for invoice in seen.listed):
        return sentence(Hold(HoldKind.DISPUTE, seen.as_of))
    return "" if facts.rules.sending.allows(seen.as_of) else "it waits for the next sending day"
