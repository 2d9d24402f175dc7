"""The gates between a step that has come due and the customer: a person, the holds, the calendar, the gap, the limits.

Each gate is asked in the same order, for a reminder of the sequence, for a courtesy note and for a move to a linked
workflow alike, so that nothing can slip past one of them by another way.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from engine.facts import Facts
from engine.holds import Hold, HoldKind, sentence
from engine.limits import cap_reached
from engine.looking import Look
from engine.position import Due, Held, Pending, Position, Waiting
from engine.reminders import Order, Outcome, ReminderKey, ReminderState, Standing, Withdrawal
from engine.words import days, in_words
from engine.workflow import Channel, Step


def at_the_gates(
    facts: Facts, seen: Look, step: Step, due_on: date, *, key: ReminderKey, spaced: bool = True
) -> Waiting | Pending | Held | Due:
    """What becomes today of a step that has come due. `spaced`: the gap since the last reminder counts for it."""
    if step.by_person and not approved(facts, key):
        return Pending(step, due_on)
    if holds := holds_of(facts, seen, step, key):
        return Held(step, due_on, holds)
    if not facts.rules.sending.allows(seen.as_of) or (spaced and not rested(facts, seen.as_of)):
        return Waiting(step, due_on)
    return Due(step, due_on)


def held_because(facts: Facts, key: ReminderKey, state: Waiting | Pending | Held | Due, as_of: date) -> str | None:
    """What the queued reminder of a step in this state says of itself; "" when it may leave, None for no reminder.

    One that a person has approved stays queued while it waits for a sending day or the gap: the word is not forgotten.
    """
    if isinstance(state, Due):
        return ""
    if isinstance(state, Held):
        return sentence(state.holds[0])
    if isinstance(state, Pending):
        return "it waits for a person"
    if state.due_on <= as_of and facts.standing and approved(facts, key):
        return "it is approved, and waits for the next possible day"
    return None


def approved(facts: Facts, key: ReminderKey) -> bool:
    """Whether a person has let this waiting step go."""
    known = standing_of(facts, key)
    return known is not None and known.approved


def standing_of(facts: Facts, key: ReminderKey) -> Standing | None:
    return next((one for one in facts.standing if one.key == key), None)


def told_before(facts: Facts, order: Order) -> bool:
    """Whether history says already why this reminder does not go: for the same reason, or that it was refused."""
    known = standing_of(facts, order.key)
    return known is not None and (known.state is not ReminderState.QUEUED or known.held_because == order.held_because)


def holds_of(facts: Facts, seen: Look, step: Step, key: ReminderKey) -> tuple[Hold, ...]:
    """What stops this step today: what people and debtors said, then what the outbox, the limits and the ledger say."""
    holds = [*account_holds(facts, seen)]
    refused = standing_of(facts, key) if facts.standing else None
    if refused is not None and refused.state is ReminderState.REFUSED:
        holds.append(Hold(HoldKind.REFUSED, seen.as_of, refused.why))
    if step.channel is Channel.EMAIL and Channel.EMAIL not in facts.reachable:
        stopped = dict(facts.stopped).get(Channel.EMAIL, "add an email address in the ledger")
        holds.append(Hold(HoldKind.NO_ADDRESS, seen.as_of, stopped))
    if facts.rules.limits is not None:
        reached = cap_reached(facts.rules.limits, step.channel, seen.as_of, facts.contacted)
        if reached is not None:
            until = reached.open_on - timedelta(days=1)
            holds.append(Hold(HoldKind.LIMITS, seen.as_of, reached.why, until=until))
    return tuple(holds)


def account_holds(facts: Facts, seen: Look) -> tuple[Hold, ...]:
    """What stops anything at all for this account today, a move to a linked workflow included."""
    holds = list(seen.holds)
    if facts.standing:
        under_way = (ReminderState.UNSURE, ReminderState.SENDING)
        holds += [Hold(HoldKind.UNSURE, seen.as_of, one.why) for one in facts.standing if one.state in under_way]
    if facts.rules.pause_when_in_credit and facts.credits and (words := in_credit(facts)):
        holds.append(Hold(HoldKind.IN_CREDIT, seen.as_of, words))
    known = facts.ledger_as_of
    if known is None or (seen.as_of - known).days > facts.rules.stale_after_days:
        words = f"last read on {in_words(known)}" if known else "it has never been read"
        holds.append(Hold(HoldKind.STALE_LEDGER, seen.as_of, words))
    return tuple(holds)


def in_credit(facts: Facts) -> str:
    """By how much the account is in credit, in words; empty when it is not.

    A balance of exactly nil is not in credit. With several currencies the account is in credit only if nothing is
    open in another one, because money of two currencies is never added up.
    """
    nets: dict[str, Decimal] = {}
    for invoice in facts.invoices:
        nets[invoice.currency] = nets.get(invoice.currency, Decimal(0)) + invoice.balance
    owed = {currency for currency, amount in nets.items() if amount > 0}
    for credit in facts.credits:
        nets[credit.currency] = nets.get(credit.currency, Decimal(0)) - credit.amount
    for currency, amount in sorted(nets.items()):
        if amount < 0 and not owed - {currency}:
            return f"by {-amount:,.2f} {currency}".rstrip()
    return ""


def rested(facts: Facts, as_of: date) -> bool:
    """Whether the account may get a step today: not a second one on a day, and not before the gap is over."""
    if facts.last_step_on is not None and facts.last_step_on >= as_of:
        return False
    gap, last = max(1, facts.rules.min_days_between_reminders), last_reminder(facts.last_reminded_on, facts.tried_out)
    return last is None or (as_of - last).days >= gap


def last_reminder(heard_on: date | None, tried_out: Sequence[Outcome]) -> date | None:
    """The day from which the gap counts: what was only tried out counts in a trial as what was heard will."""
    if not tried_out:
        return heard_on
    return max([one.on for one in tried_out] + ([heard_on] if heard_on is not None else []))


def gap_in_words(facts: Facts, as_of: date) -> str:
    """Why `rested` says no."""
    gap, last = max(1, facts.rules.min_days_between_reminders), last_reminder(facts.last_reminded_on, facts.tried_out)
    if last is not None and (as_of - last).days < gap:
        went = "went" if last == facts.last_reminded_on else "was tried out"
        return f"the last reminder {went} on {in_words(last)}, and {days(gap)} must lie between two"
    return f"a step was performed on {in_words(facts.last_step_on)} already, and one a day is the most"


def taken_back(facts: Facts, position: Position, keep: tuple[Order, ...], why: str = "") -> tuple[Withdrawal, ...]:
    """Whatever is queued and no longer ordered, for the reason of the position unless another one is given."""
    kept = [order.key for order in keep]
    queued = ReminderState.QUEUED
    return tuple(
        [
            Withdrawal(one.key, why or position.because)
            for one in facts.standing
            if one.state is queued and one.key not in kept
        ]
    )
