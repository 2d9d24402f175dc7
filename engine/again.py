"""When must an account be looked at again, if nothing happens to it?

Most accounts wait for a day that is known: the next step's, or the day an invoice falls overdue. Until then, looking
at them would find what was found before. Whatever happens meanwhile (a payment, a reply, a setting) is a reason of its
own to look.
"""

from datetime import date, timedelta

from engine.facts import Decision, Facts, FirstContact
from engine.holds import HoldKind
from engine.position import Clear, Idle, Leaving, Waiting
from engine.workflow import WorkflowKind

NEVER = date.max


def look_again_on(facts: Facts, decision: Decision, as_of: date) -> date:
    """The first day on which a decision from the same facts might differ. Rather a day too early than one too late."""
    tomorrow = as_of + timedelta(days=1)
    position = decision.position
    if decision.orders or facts.standing or _holds_that_end(facts) or position.workflow.kind is WorkflowKind.INVOICE:
        return tomorrow
    match position.state:
        case Waiting(due_on=on) | Leaving(on=on):
            if on <= as_of or _by_age(facts, position.run is not None and position.run.performed):
                return tomorrow
            return on
        case Clear():
            return _something_comes(facts, decision, as_of)
        case Idle():
            return NEVER if position.driver is not None else tomorrow
        case _:
            return tomorrow


def _holds_that_end(facts: Facts) -> bool:
    return any(hold.until is not None or hold.kind in (HoldKind.MUTED, HoldKind.DISPUTE) for hold in facts.holds)


def _by_age(facts: Facts, performed: bool) -> bool:
    return not performed and facts.rules.first_contact is FirstContact.BY_AGE


def _something_comes(facts: Facts, decision: Decision, as_of: date) -> date:
    """The day after the earliest due date, or the first courtesy day before it that lies ahead."""
    courtesies = [step.day for step in decision.position.workflow.courtesies]
    again = NEVER
    for invoice in facts.invoices:
        if invoice.due_on < as_of:
            if invoice.balance >= facts.rules.ignore_below:
                return as_of + timedelta(days=1)
            continue
        again = min(again, invoice.due_on + timedelta(days=1))
        for day in courtesies:
            on = invoice.due_on + timedelta(days=day)
            # One whose day has come and that has not gone yet may go on any of the days that follow.
            again = min(again, max(on, as_of + timedelta(days=1)))
    return again
