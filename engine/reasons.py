"""Why an account stands where it stands, rule by rule, each with what it was asked about.

The decision itself needs only the first rule that says no. Whoever asks why wants to see all of them, which one
decided, and what would have to change. So the rules are asked once more here, by the same functions.
"""

from datetime import date
from typing import NamedTuple

from engine.calendars import WEEKDAYS
from engine.decide import decide, kind_of, with_outcomes
from engine.facts import Decision, Facts
from engine.gates import approved, gap_in_words, holds_of, last_reminder, rested
from engine.holds import Hold, HoldKind, sentence
from engine.limits import cap_reached
from engine.looking import Look, look
from engine.position import Idle, Leaving, Position, oldest
from engine.reminders import ReminderKey
from engine.words import days, in_words
from engine.workflow import Channel, Step, WorkflowKind


class Reason(NamedTuple):
    """One rule that was asked. `passed`: as far as this rule goes, a reminder may leave. `inputs` are what it was asked
    about, as pairs of name and value; `change` says what would turn a no into a yes.
    """

    rule: str
    passed: bool
    text: str
    inputs: tuple[tuple[str, str], ...] = ()
    change: str = ""


class Explanation(NamedTuple):
    """A decision with every rule behind it. `primary` is the one that decided."""

    decision: Decision
    reasons: tuple[Reason, ...]
    primary: Reason


def explain(facts: Facts, as_of: date) -> Explanation:
    """The decision that follows from these facts on this date, and why."""
    decision = decide(facts, as_of)
    facts = with_outcomes(facts) if facts.outcomes else facts
    reasons = tuple(_reasons(facts, decision, look(facts, as_of)))
    primary = next((reason for reason in reasons if not reason.passed), reasons[-1])
    return Explanation(decision, reasons, primary)


def _reasons(facts: Facts, decision: Decision, seen: Look) -> list[Reason]:
    position = decision.position
    if seen.muted:
        return [Reason("mute", False, "the account is muted", change="Unmute the account; it then begins again.")]
    reasons = [_overdue(seen)]
    if not seen.overdue:
        return [*reasons, *_courtesy(facts, decision, seen)]
    reasons.append(_driver(facts, seen, position))
    if seen.driver is None:
        return reasons
    reasons += _step(facts, position, seen)
    step = position.next_step
    if step is None or position.next_due_on is None:
        return reasons
    key = _key(facts, decision, step)
    alone = kind_of(facts) is WorkflowKind.INVOICE
    return [*reasons, *_gates(facts, seen, step, key, spaced=not alone)]


def _key(facts: Facts, decision: Decision, step: Step) -> ReminderKey:
    position = decision.position
    if kind_of(facts) is WorkflowKind.INVOICE and position.driver is not None:
        run = decision.invoice_runs.get(position.driver.id)
        return ReminderKey(run.cycle if run is not None else decision.cycle, step.id, position.driver.id)
    return ReminderKey(decision.cycle, step.id)


def _overdue(seen: Look) -> Reason:
    inputs = (("open invoices", str(len(seen.listed))), ("overdue", str(len(seen.overdue))))
    if seen.overdue:
        invoices = "invoice" if len(seen.listed) == 1 else "invoices"
        verb = "is" if len(seen.overdue) == 1 else "are"
        text = f"{len(seen.overdue)} of {len(seen.listed)} open {invoices} {verb} overdue"
        return Reason("overdue", True, text, inputs)
    return Reason("overdue", False, "nothing is overdue", inputs, _when_something_is(seen))


def _when_something_is(seen: Look) -> str:
    if not seen.listed:
        return "An invoice that falls overdue begins the workflow."
    first = min(seen.listed, key=lambda invoice: invoice.due_on)
    return f"{first.number} falls overdue after {in_words(first.due_on)} if it is not paid by then."


def _driver(facts: Facts, seen: Look, position: Position) -> Reason:
    if seen.driver is None:
        return Reason(
            "driver",
            False,
            "everything overdue is disputed, so nothing drives the account",
            (("disputed", ", ".join(sorted(_numbers(seen)))),),
            "Settle a dispute, or let disputed invoices drive in the settings.",
        )
    driver = seen.driver
    inputs = (
        ("driver", driver.number),
        ("due on", in_words(driver.due_on)),
        ("age", days(driver.age(seen.as_of))),
        ("balance", f"{driver.balance:,.2f} {driver.currency}".strip()),
    )
    text = oldest(driver, seen.as_of)
    if kind_of(facts) is WorkflowKind.INVOICE and position.driver is not None:
        text = f"{len(seen.overdue)} overdue invoices are reminded one by one; {position.driver.number} comes next"
    return Reason("driver", True, text, inputs)


def _numbers(seen: Look) -> list[str]:
    return [invoice.number for invoice in seen.overdue if invoice.id in seen.disputed]


def _step(facts: Facts, position: Position, seen: Look) -> list[Reason]:
    workflow, state = position.workflow, position.state
    inputs = [("workflow", workflow.name)]
    if position.run is not None:
        inputs += [("schedule counts from", in_words(position.run.anchor)), ("last step done", _done(position))]
    if isinstance(state, Idle):
        change = (
            "Assign another workflow, or mute and unmute the account to begin again; paying the oldest may move it."
        )
        return [
            Reason("step", False, f"every step of {workflow.name} is done and nothing follows", tuple(inputs), change)
        ]
    if isinstance(state, Leaving):
        to = facts.workflows[state.to].name
        text = f"every step of {workflow.name} is done; the account moves on to {to} from {in_words(state.on)}"
        return [
            Reason("step", False, text, tuple(inputs), f"It moves on {in_words(state.on)}, on a sending day, unheld.")
        ]
    step, on = position.next_step, position.next_due_on
    assert step is not None and on is not None
    inputs += [("next step", step.name), ("due on", in_words(on))]
    if on > seen.as_of:
        change = f"On {in_words(on)} the driver has reached day {step.day} of the schedule."
        return [Reason("step", False, f"{step.name} is due on {in_words(on)}", tuple(inputs), change)]
    return [Reason("step", True, f"{step.name} has been due since {in_words(on)}", tuple(inputs))]


def _done(position: Position) -> str:
    run = position.run
    assert run is not None
    step = next((step for step in position.workflow.sequence if step.id == run.done), None)
    return step.name if step is not None else "none"


def _gates(facts: Facts, seen: Look, step: Step, key: ReminderKey, *, spaced: bool) -> list[Reason]:
    """Every gate between a step and the customer, whether or not an earlier one is shut."""
    return [
        *_person(facts, step, key),
        *_holds(facts, seen, step, key),
        _fresh(facts, seen),
        _sending_day(facts, seen),
        *([_gap(facts, seen)] if spaced else []),
        *_limits(facts, seen, step),
    ]


def _person(facts: Facts, step: Step, key: ReminderKey) -> list[Reason]:
    if not step.by_person:
        return []
    if approved(facts, key):
        return [Reason("person", True, f"{step.name} was approved by a person")]
    waits = "a call by a person" if step.channel is Channel.CALL else "a person's approval"
    change = "Make the call and record it." if step.channel is Channel.CALL else "Approve it."
    return [Reason("person", False, f"{step.name} waits for {waits}", (("step", step.name),), change)]


_OF_THEIR_OWN = (HoldKind.STALE_LEDGER, HoldKind.LIMITS)


def _holds(facts: Facts, seen: Look, step: Step, key: ReminderKey) -> list[Reason]:
    holds = [hold for hold in holds_of(facts, seen, step, key) if hold.kind not in _OF_THEIR_OWN]
    if not holds:
        return [Reason("holds", True, "nothing holds it")]
    return [Reason(f"hold: {hold.kind}", False, sentence(hold), _about(hold), _CHANGES[hold.kind]) for hold in holds]


def _about(hold: Hold) -> tuple[tuple[str, str], ...]:
    about = [("since", in_words(hold.since))]
    if hold.until is not None:
        about.append(("until", in_words(hold.until)))
    if hold.by:
        about.append(("by", hold.by))
    return tuple(about)


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
    if known is None or (seen.as_of - known).days > most:
        text = "the ledger data is too old to send on" if known else "the ledger has never been read"
        return Reason("fresh data", False, text, inputs, _CHANGES[HoldKind.STALE_LEDGER])
    return Reason("fresh data", True, "the ledger data is fresh", inputs)


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


def _gap(facts: Facts, seen: Look) -> Reason:
    gap = max(1, facts.rules.min_days_between_reminders)
    last = last_reminder(facts.last_reminded_on, facts.tried_out)
    inputs = (("last reminded", in_words(last) if last else "never"), ("at least", f"{days(gap)} between two"))
    if rested(facts, seen.as_of):
        return Reason("gap", True, "the last reminder is long enough ago", inputs)
    return Reason("gap", False, gap_in_words(facts, seen.as_of), inputs, "It goes when the gap is over.")


def _limits(facts: Facts, seen: Look, step: Step) -> list[Reason]:
    rules = facts.rules.limits
    if rules is None:
        return []
    inputs = (("limits", rules.title), ("contacts lately", str(len(facts.contacted))))
    reached = cap_reached(rules, step.channel, seen.as_of, facts.contacted)
    if reached is None:
        return [Reason("contact limits", True, "the contact limits leave room", inputs)]
    return [Reason("contact limits", False, reached.why, inputs, f"It goes from {in_words(reached.open_on)}.")]


def _courtesy(facts: Facts, decision: Decision, seen: Look) -> list[Reason]:
    """What is said of the friendly words before a due date, where the workflow has any."""
    workflow = decision.position.workflow
    if not workflow.courtesies or not seen.listed:
        return []
    if not decision.orders:
        return [Reason("courtesy steps", False, "no courtesy step is due today", change="The next one's day comes.")]
    order = decision.orders[0]
    text = f"{order.step.name} is due for {len(decision.orders)} invoice" + ("s" if len(decision.orders) > 1 else "")
    return [
        Reason("courtesy steps", True, text),
        *_gates(facts, seen, order.step, order.key, spaced=True),
    ]
