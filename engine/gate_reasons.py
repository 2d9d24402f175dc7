"""Every gate between a step and the customer, asked once more for whoever wants to know why.

Each says what it was asked about and what would open it. They stand in the order in which a decision asks them, so
that the first one that is shut is the one that decided.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from engine.calendars import WEEKDAYS
from engine.facts import Facts
from engine.gates import account_holds, approved, gap_in_words, holds_of, last_reminder, rested
from engine.holds import Hold, HoldKind, sentence
from engine.limits import cap_reached
from engine.looking import Look
from engine.reminders import ReminderKey
from engine.words import days, in_words
from engine.workflow import Channel, Step


class Reason(NamedTuple):
    """One rule that was asked. `passed`: as far as this rule goes, a reminder may leave. `inputs` are what it was asked
    about, as pairs of name and value; `change` says what would turn a no into a yes.
    """

    rule: str
    passed: bool
    text: str
    inputs: tuple[tuple[str, str], ...] = ()
    change: str = ""


def gates_of(facts: Facts, seen: Look, step: Step, key: ReminderKey, gap: Reason | None) -> list[Reason]:
    """Every gate before this step, whether or not an earlier one is shut. `gap` is the one between two
    reminders; None where none has to lie there.
    """
    everything = holds_of(facts, seen, step, key)
    whole = len(account_holds(facts, seen))
    return [
        *_person(facts, step, key),
        *_nothing_holds(everything),
        *_held(everything[:whole], facts),
        _fresh(facts, seen),
        *_held(everything[whole:], facts),
        *_limits(facts, seen, step, everything),
        _sending_day(facts, seen),
        *([gap] if gap is not None else []),
    ]


def gates_of_the_link(facts: Facts, seen: Look) -> list[Reason]:
    """Every gate before a move to the linked workflow whose day has come."""
    return [*holds_of_the_account(facts, seen), _fresh(facts, seen), _sending_day(facts, seen), *_moment(facts, seen)]


def holds_of_the_account(facts: Facts, seen: Look) -> list[Reason]:
    """What stops anything at all for this account."""
    holds = account_holds(facts, seen)
    return [*_nothing_holds(holds), *_held(holds, facts)]


def gap_of_the_account(facts: Facts, seen: Look) -> Reason:
    """The gap since the last reminder of the account, whatever it was about."""
    last = last_reminder(facts.last_reminded_on, facts.tried_out)
    return gap_reason(facts, last, "" if rested(facts, seen.as_of) else gap_in_words(facts, seen.as_of))


def gap_reason(facts: Facts, last: date | None, shut: str) -> Reason:
    """The gap since `last`; `shut` is why it is not over, empty where it is."""
    gap = max(1, facts.rules.min_days_between_reminders)
    inputs = (("last reminded", in_words(last) if last else "never"), ("at least", f"{days(gap)} between two"))
    if shut:
        return Reason("gap", False, shut, inputs, "It goes when the gap is over.")
    text = "the last reminder is long enough ago" if last is not None else "nothing was sent to it before"
    return Reason("gap", True, text, inputs)


def _person(facts: Facts, step: Step, key: ReminderKey) -> list[Reason]:
    if not step.by_person:
        return []
    if approved(facts, key):
        return [Reason("person", True, f"{step.name} was approved by a person")]
    waits = "a call by a person" if step.channel is Channel.CALL else "a person's approval"
    change = "Make the call and record it." if step.channel is Channel.CALL else "Approve it."
    return [Reason("person", False, f"{step.name} waits for {waits}", (("step", step.name),), change)]


_OF_THEIR_OWN = (HoldKind.STALE_LEDGER, HoldKind.LIMITS)
"""Kinds of holds that are rules of their own, and asked about even where they hold nothing."""


def _nothing_holds(holds: Sequence[Hold]) -> list[Reason]:
    if any(hold.kind not in _OF_THEIR_OWN for hold in holds):
        return []
    return [Reason("holds", True, "nothing holds it")]


def _held(holds: Sequence[Hold], facts: Facts) -> list[Reason]:
    return [
        Reason(f"hold: {hold.kind}", False, sentence(hold), _about(hold), _change(hold, facts))
        for hold in holds
        if hold.kind not in _OF_THEIR_OWN
    ]


def _about(hold: Hold) -> tuple[tuple[str, str], ...]:
    about = [("since", in_words(hold.since))]
    if hold.until is not None:
        about.append(("until", in_words(hold.until)))
    if hold.by:
        about.append(("by", hold.by))
    return tuple(about)


def _change(hold: Hold, facts: Facts) -> str:
    if hold.kind is HoldKind.NO_ADDRESS and Channel.EMAIL in dict(facts.stopped):
        return (
            "Correct the address in the ledger, or lift the stop on the account page if they may be written to again."
        )
    return _CHANGES[hold.kind]


_CHANGES: dict[HoldKind, str] = {
    HoldKind.ORGANISATION_PAUSED: "Start sending, on the front page.",
    HoldKind.BRAKE: "Look at the ledger, then release the brake on the front page.",
    HoldKind.CAP: "Look at the plan, then release the rest on the front page, or raise the cap in Settings → Sending.",
    HoldKind.PAUSED: "Resume the account.",
    HoldKind.MUTED: "Unmute the account; it then begins again.",
    HoldKind.DISPUTE: "Settle the dispute.",
    HoldKind.PROMISE: "It goes on the day after, if nothing was paid; or remove the expected payment date.",
    HoldKind.QUESTION: "Answer the question on the account page.",
    HoldKind.REPLY: "Read the reply.",
    HoldKind.IN_CREDIT: "It goes on by itself when the account owes again, or when the credit is used up.",
    HoldKind.HANDED_OVER: "Take the account back from collections.",
    HoldKind.LIMITS: "It goes on the next open day.",
    HoldKind.STALE_LEDGER: "It goes on after the next good sync.",
    HoldKind.NO_ADDRESS: "Add or correct the address in the ledger; the next sync brings it.",
    HoldKind.TEMPLATE: "Mend the wording of the step, then close the task.",
    HoldKind.REFUSED: "Correct the address in the ledger, then try again.",
    HoldKind.UNSURE: "Say on the account page whether the doubtful reminder went out.",
}


def _fresh(facts: Facts, seen: Look) -> Reason:
    known, most = facts.ledger_as_of, facts.rules.stale_after_days
    inputs = (("last read", in_words(known) if known else "never"), ("may be", f"{days(most)} old"))
    stale = next((hold for hold in account_holds(facts, seen) if hold.kind is HoldKind.STALE_LEDGER), None)
    if stale is not None:
        return Reason("fresh data", False, sentence(stale), inputs, _CHANGES[HoldKind.STALE_LEDGER])
    return Reason("fresh data", True, "the ledger data is fresh", inputs)


def _limits(facts: Facts, seen: Look, step: Step, holds: Sequence[Hold]) -> list[Reason]:
    rules = facts.rules.limits
    if rules is None:
        return []
    inputs = (("limits", rules.title), ("contacts lately", str(len(facts.contacted))))
    reached = cap_reached(rules, step.channel, seen.as_of, facts.contacted)
    if reached is None:
        return [Reason("contact limits", True, "the contact limits leave room", inputs)]
    text = next(sentence(hold) for hold in holds if hold.kind is HoldKind.LIMITS)
    return [Reason("contact limits", False, text, inputs, f"It goes from {in_words(reached.open_on)}.")]


def _sending_day(facts: Facts, seen: Look) -> Reason:
    sending, today = facts.rules.sending, in_words(seen.as_of)
    inputs = (("sending days", ", ".join(WEEKDAYS[day] for day in sorted(sending.weekdays))),)
    if sending.allows(seen.as_of):
        return Reason("sending day", True, f"{today} is a sending day", inputs)
    first = in_words(sending.first_from(seen.as_of))
    kind = "a public holiday" if seen.as_of in sending.holidays else "not a sending day"
    return Reason(
        "sending day", False, f"{today} is {kind}; the next sending day is {first}", inputs, f"It goes on {first}."
    )


def _moment(facts: Facts, seen: Look) -> list[Reason]:
    """A move is made in the morning, and never on the day of a step."""
    change = "It moves on the next sending day."
    if facts.last_step_on == seen.as_of:
        return [Reason("gap", False, "a step was performed today, and a move waits for another day", (), change)]
    if not facts.sending_ahead:
        text = "an account moves on before the sending time, which has passed today"
        return [Reason("sending time", False, text, (), change)]
    return []
