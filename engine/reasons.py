"""Why an account stands where it stands, rule by rule, each with what it was asked about.

The decision itself needs only the first rule that says no. Whoever asks why wants to see all of them, which one
decided, and what would have to change. So the rules are asked once more here, by the same functions.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.courtesy import courtesies_due
from engine.decide import decide, kind_of, with_outcomes
from engine.each_invoice import last_word
from engine.facts import Decision, Facts
from engine.gate_reasons import (
    Reason,
    gap_of_the_account,
    gap_reason,
    gates_of,
    gates_of_the_link,
    holds_of_the_account,
)
from engine.looking import Look, look
from engine.position import Idle, Leaving, Pending, Position, Run, Waiting, oldest
from engine.reminders import ReminderKey
from engine.telling import ended
from engine.words import days, in_words
from engine.workflow import Channel, Step, Workflow, WorkflowKind

__all__ = ["Explanation", "Reason", "explain"]

COURTESY = "courtesy steps"
EARLY = (Waiting, Leaving, Pending)
"""The states in which a hold is not yet what an account waits for."""


class Explanation(NamedTuple):
    """A decision with every rule behind it. `primary` is the one that decided."""

    decision: Decision
    reasons: tuple[Reason, ...]
    primary: Reason

    @property
    def besides(self) -> tuple[str, ...]:
        """What would hold a step whose day, or whose person, is still waited for; in sentences. Nobody is to wait for
        that day in vain.
        """
        state = self.decision.position.state
        if not isinstance(state, EARLY):
            return ()
        so = "Even then it" if isinstance(state, Pending) else "If it came today it"
        others = [reason for reason in self.reasons if reason is not self.primary and not reason.passed]
        return tuple(ended(f"{so} would be held: {one.text}") for one in others if one.rule.startswith("hold: "))

    @property
    def courtesy(self) -> str:
        """Which friendly word before a due date has come due; empty where none has."""
        due = (reason.text for reason in self.reasons if reason.rule == COURTESY and reason.passed)
        return next(due, "")

    @property
    def nothing_follows(self) -> str:
        """Why no step follows, where none does; empty where one does, or the account is clear."""
        position = self.decision.position
        if not isinstance(position.state, Idle):
            return ""
        if self.primary.rule == "driver":
            return "everything overdue is disputed"
        return "every step is done" if position.workflow.length else "the workflow has no steps"


def explain(facts: Facts, as_of: date) -> Explanation:
    """The decision that follows from these facts on this date, and why."""
    decision = decide(facts, as_of)
    facts = with_outcomes(facts) if facts.outcomes else facts
    reasons = tuple(_reasons(facts, decision, look(facts, as_of)))
    return Explanation(decision, reasons, _primary(reasons))


def _primary(reasons: Sequence[Reason]) -> Reason:
    """The first rule that is in the way. Where none is, the one that says what comes."""
    shut = next((reason for reason in reasons if not reason.passed), None)
    return shut or next(reason for reason in reasons if reason.rule in ("step", COURTESY))


def _reasons(facts: Facts, decision: Decision, seen: Look) -> list[Reason]:
    position = decision.position
    if seen.muted:
        return [Reason("mute", False, "the account is muted", change="Unmute the account; it then begins again.")]
    if not seen.overdue:
        return _before_anything_is_overdue(facts, decision, seen)
    reasons = [_overdue(seen), _driver(facts, seen, position)]
    if seen.driver is None:
        return reasons
    run = _run(facts, decision)
    reasons += _step(facts, position, seen, run)
    state, step = position.state, position.next_step
    if isinstance(state, Leaving):
        return reasons + (gates_of_the_link if state.on <= seen.as_of else holds_of_the_account)(facts, seen)
    if step is None:
        return reasons
    if kind_of(facts) is WorkflowKind.ACCOUNT:
        return [
            *reasons,
            *gates_of(facts, seen, step, ReminderKey(decision.cycle, step.id), gap_of_the_account(facts, seen)),
        ]
    assert position.driver is not None
    assert run is not None
    gap = _gap_of_the_invoice(facts, seen, position.driver, run)
    return [*reasons, *gates_of(facts, seen, step, ReminderKey(run.cycle, step.id, position.driver.id), gap)]


def _run(facts: Facts, decision: Decision) -> Run | None:
    """The walk that the position shows: the account's, or that of the one invoice."""
    position = decision.position
    if kind_of(facts) is WorkflowKind.INVOICE and position.driver is not None:
        return decision.invoice_runs[position.driver.id]
    return position.run


def _overdue(seen: Look) -> Reason:
    invoices = "invoice" if len(seen.listed) == 1 else "invoices"
    verb = "is" if len(seen.overdue) == 1 else "are"
    text = f"{len(seen.overdue)} of {len(seen.listed)} open {invoices} {verb} overdue"
    return Reason("overdue", True, text, _counts(seen))


def _counts(seen: Look) -> tuple[tuple[str, str], ...]:
    return (("open invoices", str(len(seen.listed))), ("overdue", str(len(seen.overdue))))


def _before_anything_is_overdue(facts: Facts, decision: Decision, seen: Look) -> list[Reason]:
    """Nothing is overdue, which is what the friendly words before a due date ask for, where the workflow has any."""
    workflow = decision.position.workflow
    due = courtesies_due(facts, seen, workflow)
    left_out = [invoice for invoice in facts.invoices if invoice.due_on < seen.as_of]
    inputs, text, change = _counts(seen), "nothing is overdue", _when_something_is(seen)
    if left_out:
        inputs += (("left out", ", ".join(_left_out(facts, invoice) for invoice in left_out)),)
        text = "nothing that counts is overdue"
        muted = [one.number for one in left_out if one.balance >= facts.rules.ignore_below]
        change = f"Unmute {muted[0]} to remind of it." if muted else change
    reasons = [Reason("overdue", bool(due), text, inputs, change)]
    if not due:
        return [*reasons, *_courtesy_to_come(seen, workflow)]
    leaving = {order.key for order in decision.orders if not order.held_because}
    first = next((one for one in due if one.key in leaving), due[0])
    several = f", the first of {len(due)} courtesy steps" if len(due) > 1 else ""
    reasons.append(Reason(COURTESY, True, f"{first.step.name} is due for {first.invoice.number}{several}"))
    alone = workflow.kind is WorkflowKind.INVOICE
    gap = None if alone else gap_of_the_account(facts, seen)
    return [*reasons, *gates_of(facts, seen, first.step, first.key, gap)]


def _left_out(facts: Facts, invoice: OpenInvoice) -> str:
    least = facts.rules.ignore_below
    return f"{invoice.number} ({f'below {least:,.2f}' if invoice.balance < least else 'muted'})"


def _when_something_is(seen: Look) -> str:
    if not seen.listed:
        return "An invoice that falls overdue begins the workflow."
    first = min(seen.listed, key=lambda invoice: invoice.due_on)
    return f"{first.number} falls overdue after {in_words(first.due_on)} if it is not paid by then."


def _courtesy_to_come(seen: Look, workflow: Workflow) -> list[Reason]:
    if not workflow.courtesies or not seen.listed:
        return []
    ahead = [
        (invoice.due_on + timedelta(days=step.day), invoice.number, step.name)
        for invoice in seen.listed
        for step in workflow.courtesies
        if invoice.id not in seen.disputed and invoice.due_on + timedelta(days=step.day) > seen.as_of
    ]
    on, number, step = min(ahead, default=(None, "", ""))
    change = f"{step} for {number} comes on {in_words(on)}." if on else "It comes with the next invoice."
    return [Reason(COURTESY, False, "no courtesy step is due today", change=change)]


def _driver(facts: Facts, seen: Look, position: Position) -> Reason:
    if seen.driver is None:
        return Reason(
            "driver",
            False,
            "everything overdue is disputed, so nothing drives the account",
            (("disputed", ", ".join(sorted(_numbers(seen)))),),
            "Settle a dispute, or let disputed invoices drive in the settings.",
        )
    alone = kind_of(facts) is WorkflowKind.INVOICE
    driver = position.driver if alone and position.driver is not None else seen.driver
    inputs = (
        ("driver", driver.number),
        ("due on", in_words(driver.due_on)),
        ("age", days(driver.age(seen.as_of))),
        ("balance", f"{driver.balance:,.2f} {driver.currency}".strip()),
    )
    counted = [invoice for invoice in seen.overdue if invoice.id not in seen.disputed]
    if alone and len(counted) > 1:
        text = f"{len(counted)} overdue invoices are reminded one by one; {driver.number} comes next"
        return Reason("driver", True, text, inputs)
    return Reason("driver", True, oldest(driver, seen.as_of), inputs)


def _numbers(seen: Look) -> list[str]:
    return [invoice.number for invoice in seen.overdue if invoice.id in seen.disputed]


def _step(facts: Facts, position: Position, seen: Look, run: Run | None) -> list[Reason]:
    workflow, state = position.workflow, position.state
    inputs = [("workflow", workflow.name)]
    if run is not None:
        inputs += [("schedule counts from", in_words(run.anchor)), ("last step done", _done(workflow, run))]
    if isinstance(state, Idle):
        return [Reason("step", False, _at_the_end(workflow), tuple(inputs), _to_begin_again(facts))]
    if isinstance(state, Leaving):
        to, on = facts.workflows[state.to].name, in_words(state.on)
        text = f"every step of {workflow.name} is done; the account moves on to {to} from {on}"
        passed = state.on <= seen.as_of
        return [Reason("step", passed, text, tuple(inputs), f"It moves on {on}, on a sending day, unheld.")]
    step, on_the = position.next_step, position.next_due_on
    assert step is not None
    assert on_the is not None
    inputs += [("next step", step.name), ("due on", in_words(on_the))]
    if on_the > seen.as_of:
        who = "the driver" if kind_of(facts) is WorkflowKind.ACCOUNT else "the invoice"
        change = f"On {in_words(on_the)} {who} has reached day {step.day} of the schedule."
        return [Reason("step", False, f"{step.name} is due on {in_words(on_the)}", tuple(inputs), change)]
    text = f"{step.name} has been due since {in_words(on_the)}{_skipped(facts, step)}"
    return [Reason("step", True, text, tuple(inputs))]


def _skipped(facts: Facts, step: Step) -> str:
    """A text message that reaches nobody holds nothing up."""
    if step.channel is not Channel.SMS or Channel.SMS in facts.reachable:
        return ""
    why = dict(facts.stopped).get(Channel.SMS, "there is no mobile number that may be texted")
    return f", and is skipped: {why}"


def _at_the_end(workflow: Workflow) -> str:
    if not workflow.length:
        return f"{workflow.name} has no steps, so nothing is sent"
    return f"every step of {workflow.name} is done and nothing follows"


def _to_begin_again(facts: Facts) -> str:
    change = "Assign another workflow, or mute and unmute the account to begin again"
    moves = facts.rules.reassess_on_payment and kind_of(facts) is WorkflowKind.ACCOUNT
    return f"{change}; paying the oldest may move it." if moves else f"{change}."


def _done(workflow: Workflow, run: Run) -> str:
    step = next((step for step in workflow.sequence if step.id == run.done), None)
    return step.name if step is not None else "none"


def _gap_of_the_invoice(facts: Facts, seen: Look, invoice: OpenInvoice, run: Run) -> Reason:
    gap, last = max(1, facts.rules.min_days_between_reminders), last_word(facts, run)
    if last is None or (seen.as_of - last).days >= gap:
        return gap_reason(facts, last, "")
    went = "went" if last == run.last_heard_on else "was tried out"
    shut = f"the last reminder of {invoice.number} {went} on {in_words(last)}, and {days(gap)} must lie between two"
    return gap_reason(facts, last, shut)
